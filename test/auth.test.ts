/**
 * The README's recipe for who may use Socket.IO: cookies and headers are checked by Hono middleware, `auth` by io.use().
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import auth from "./support/auth-app.ts";
import { connect, handshake, next, overs, TRANSPORTS } from "./support/clients.ts";
import { POLLING, WEBSOCKET } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";

declare module "hono" {
  interface ContextVariableMap {
    user: string;
  }
}

const extraHeaders = { cookie: "session=secret" };

/** The lines of a text without their indentation. */
const unindent = (text: string) => text.replace(/^ +/gm, "").trim();

test("the README shows the app that is tested here", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const app = await readFile(new URL("./support/auth-app.ts", import.meta.url), "utf8");
  const recipe = app.slice(app.indexOf("  app.use("), app.lastIndexOf("};"));
  assert.ok(unindent(readme).includes(unindent(recipe)), "README.md has to show test/support/auth-app.ts");
});

for (const over of overs) {
  test(`a client with a session and a team is let in: ${over}`, () =>
    withService({}, auth, async ({ url }) => {
      const client = await connect(url, {
        transports: TRANSPORTS[over],
        extraHeaders,
        auth: { team: "red" },
      });
      const heard = next(client, "chat");
      client.emit("chat", "hello");
      assert.deepEqual(await heard, ["ann: hello"]);
      client.disconnect();
    }));

  test(`a client of another team gets the error of io.use(): ${over}`, () =>
    withService({}, auth, async ({ url }) => {
      const transports = TRANSPORTS[over];
      await assert.rejects(connect(url, { transports, extraHeaders, auth: { team: "blue" } }), {
        message: "not your team",
      });
    }));
}

test("a client without a session gets the answer of the middleware, over both transports", () =>
  withService({}, auth, async ({ url, ws }) => {
    const polled = await fetch(url + POLLING);
    assert.deepEqual([polled.status, await polled.json()], [401, { error: "who are you?" }]);
    const { status, body } = await handshake(ws + WEBSOCKET);
    assert.deepEqual([status, JSON.parse(body)], [401, { error: "who are you?" }]);
  }));

test("a page gets the Socket.IO client before it has a session", () =>
  withService({}, auth, async ({ url }) => {
    for (const file of ["socket.io.js", "socket.io.esm.min.js", "socket.io.min.js.map"]) {
      const answer = await fetch(`${url}/socket.io/${file}`);
      await answer.body?.cancel();
      assert.equal(answer.status, 200, file);
    }
  }));
