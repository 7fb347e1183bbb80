/**
 * A process without file descriptors left, which anybody can bring about with enough idle connections: clients that are
 * connected stay, others get in again as soon as descriptors are free, and the log says it once.
 */
import assert from "node:assert/strict";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "./support/clients.ts";
import { withFiles, withProcess } from "./support/process.ts";
import { launcher, runtime } from "./support/runtime.ts";
import { inTime, until } from "./support/until.ts";

const APP = `export default ({ io }) => {
  io.on("connection", (socket) => socket.on("echo", (value, answer) => answer(value)));
};`;

/** The processes themselves take 20 to 40. */
const DESCRIPTORS = 100;

const LIMITED = ["-c", `ulimit -n ${DESCRIPTORS} && exec "$@"`, "sh"];

const REFUSING = /No connections are accepted/;

/** Opens connections that send nothing. Resolves when each is connected, or refused. */
const openIdle = (port: number, count: number): Promise<Socket[]> =>
  Promise.all(
    Array.from({ length: count }, () => {
      const socket = connectTcp(port, "127.0.0.1");
      return new Promise<Socket>((resolve) => {
        socket.once("connect", () => resolve(socket));
        socket.once("error", () => resolve(socket));
      });
    }),
  );

/** Makes a request on a connection of its own. */
async function request(url: string): Promise<void> {
  const response = await fetch(url, { headers: { connection: "close" } });
  await response.arrayBuffer();
}

test("a process without file descriptors left keeps its clients, and serves others when some are free", () =>
  withFiles({ "app.mjs": APP }, (folder) => {
    const args = [...launcher.args, "runserver", "127.0.0.1:0", "--app", join(folder, "app.mjs")];
    return withProcess("sh", [...LIMITED, launcher.program, ...args], {}, async (child) => {
      const [, url = ""] = await child.wrote(/^ {2}Address +(\S+)/m);
      const client = await connect(url, { transports: ["websocket"] });
      const idle = await openIdle(Number(new URL(url).port), DESCRIPTORS + 50);
      for (const socket of idle) socket.on("error", () => {});
      // Node refuses the excess by itself, and tells nobody.
      if (runtime !== "node") await child.wrote(REFUSING, "stderr");
      await assert.rejects(
        inTime("a refusal", request(url)),
        (error: Error) => !/Timed out/.test(error.message),
      );
      assert.equal(await client.emitWithAck("echo", "still here"), "still here");
      for (const socket of idle) socket.destroy();
      await until("somebody else to be served", async () => {
        return await request(url).then(
          () => true,
          () => false,
        );
      });
      assert.equal(await client.emitWithAck("echo", "still here"), "still here");
      client.disconnect();
      child.signal("SIGTERM");
      const { status, stderr } = await child.ended();
      assert.equal(status, 0);
      assert.ok(stderr.split(REFUSING).length <= 2, `it was logged more than once: ${stderr}`);
    });
  }));
