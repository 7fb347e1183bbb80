/**
 * Other code may add enumerable properties to Object.prototype. Every object inherits them, and every for…in loop finds
 * them; Hinoko must work all the same.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runScript } from "./support/process.ts";

/** Run in a process of its own, because it would disturb the other tests. */
const POLLUTED = `
  const { createService, SettingsError } = await import("../../src/index.ts");
  const { serve } = await import("../support/runtime.ts");
  const pollution = {
    polluted: "yes", host: "a b", port: "80a", PORT: "80b", chat: "maybe", CHAT: "maybe", logger: 1,
    socketio: { path: "nope" }, path: "nope", pingInterval: -1, cors: () => {}, trustProxy: "nobody",
  };
  Object.assign(Object.prototype, pollution);
  const { settings } = createService();
  const { pingTimeout } = createService({ socketio: { pingTimeout: 5 } }).settings.socketio;
  const refused = (() => {
    try {
      createService({ socketio: { pingTimeout: 0 } });
    } catch (error) {
      return error instanceof SettingsError && error.message;
    }
  })();
  for (const name of Object.keys(pollution)) delete Object.prototype[name];
  Object.prototype.polluted = "yes";
  const silent = { info() {}, warn() {}, error() {} };
  const service = createService({ logger: silent, host: "127.0.0.1", port: 0, socketio: { path: "/live" } });
  service.app.use((c, next) => next());
  const listening = await serve(service);
  const answer = await fetch(listening.url + "/live/?EIO=4&transport=polling");
  const open = await answer.text();
  const session = answer.url + "&sid=" + JSON.parse(open.slice(1)).sid;
  const posted = await (await fetch(session, { method: "POST", body: "40" })).text();
  const joined = (await (await fetch(session)).text()).slice(0, 8);
  const { host, port, chat, logger, socketio } = settings;
  const read = { host, port, chat, path: Object.hasOwn(socketio, "path"), console: logger === console };
  console.log(JSON.stringify([read, pingTimeout, refused, answer.status, open.slice(0, 7), posted, joined]));
  service.io.engine.close();
  await listening.close();
`;

test("enumerable properties of Object.prototype are not read as settings, and the service works", async () => {
  const { stdout, stderr } = await runScript(POLLUTED);
  assert.match(stdout, /\]\n$/, stderr);
  assert.deepEqual(JSON.parse(stdout), [
    { host: "0.0.0.0", port: 8000, chat: true, path: false, console: true },
    5,
    "socketio.pingTimeout must be a whole number of milliseconds above 0 (got 0)",
    200,
    '0{"sid"',
    "ok",
    '40{"sid"',
  ]);
});
