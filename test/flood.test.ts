/**
 * One client that sends as fast as it can: everybody else is served meanwhile, memory stays bounded, and nothing of what
 * it sends is lost unless the server lets it go.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { start, withFiles } from "./support/process.ts";
import { RawWebSocket } from "./support/raw-websocket.ts";
import { inTime } from "./support/until.ts";
import { frame, TEXT } from "./support/websocket-protocol.ts";

const APP = `
import process from "node:process";

export default ({ app, io }) => {
  app.get("/memory", (c) => c.text(String(process.memoryUsage().rss)));
  io.on("connection", (socket) => socket.on("n", (n) => socket.emit("n", n)));
};`;

const MEGABYTE = 1024 * 1024;

interface Flooded {
  readonly client: RawWebSocket;
  /** Asks the server how much memory it takes, in megabytes. */
  readonly askMemory: () => Promise<number>;
}

/** Runs a test with the server in a process of its own, so that the flood cannot hold up the test. */
const withFlooded = (run: (flooded: Flooded) => Promise<void>): Promise<void> =>
  withFiles({ "app.mjs": APP }, async (folder) => {
    const server = await start(["runserver", "127.0.0.1:0", "--app", join(folder, "app.mjs")]);
    try {
      const client = await RawWebSocket.join(Number(new URL(server.url).port));
      const askMemory = async () => Number(await (await fetch(`${server.url}/memory`)).text()) / MEGABYTE;
      await run({ client, askMemory });
      client.socket.destroy();
    } finally {
      await server.kill();
    }
  });

test("others are served while a client floods, and each of its events is answered in order", () =>
  withFlooded(async ({ client, askMemory }) => {
    const events = Array.from({ length: 100_000 }, (_, n) => `42["n",${n}]`);
    let answered = 0;
    const readAnswers = async () => {
      while (answered < events.length) {
        const text = String((await client.next()).payload);
        if (text !== "2") assert.equal(text, events[answered++]);
      }
    };
    client.write(Buffer.concat(events.map((event) => frame(TEXT, event))));
    const reading = readAnswers();
    await inTime("an answer to somebody else", askMemory());
    assert.ok(answered < events.length, "the other was served only after the flood");
    await reading;
  }));

/** How long a flood lasts, in milliseconds. */
const FLOOD = 3000;

/** So many bytes are written ahead, so that the system always has more to send. */
const QUEUE = 16 * MEGABYTE;

for (const [what, packet] of [
  ["events", '42["n",1]'],
  ["heartbeats", "3"],
] as const)
  test(`a flood of ${what} keeps nobody waiting until it ends, and takes little memory`, () =>
    withFlooded(async ({ client: { socket }, askMemory }) => {
      const idle = await askMemory();
      socket.removeAllListeners("data").resume();
      const one = frame(TEXT, packet);
      const chunk = Buffer.concat(Array.from({ length: Math.floor(MEGABYTE / one.length) }, () => one));
      const amounts: number[] = [];
      const flood = new AbortController();
      const askOften = async () => {
        while (!flood.signal.aborted) amounts.push(await inTime("an answer to somebody else", askMemory()));
      };
      const asking = askOften();
      const end = performance.now() + FLOOD;
      // The server may let the client go, which ends the flood too.
      while (performance.now() < end && !socket.destroyed) {
        if (socket.writableLength < QUEUE) socket.write(chunk);
        await setImmediate();
      }
      flood.abort();
      const answersMeanwhile = amounts.length;
      await asking;
      assert.ok(answersMeanwhile > 0, "nobody else was served during the flood");
      const more = Math.max(...amounts) - idle;
      assert.ok(more < 200, `the server took ${Math.round(more)} MB more`);
    }));
