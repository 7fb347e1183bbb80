/**
 * Compressed WebSockets: messages arrive whole in both directions, with fast paths and without, where the engine supports
 * compression.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type RawData, WebSocket } from "ws";
import { WEBSOCKET } from "./support/engine-client.ts";
import { withEngineIoOption } from "./support/service.ts";
import { inTime } from "./support/until.ts";

/** Opens a session over a WebSocket that offers compression, and connects to the main namespace. */
async function join(ws: string): Promise<WebSocket> {
  const socket = new WebSocket(ws + WEBSOCKET, { perMessageDeflate: { threshold: 0 } });
  const greeting = once(socket, "message");
  await once(socket, "open");
  await greeting;
  const connected = once(socket, "message");
  socket.send("40");
  await connected;
  return socket;
}

for (const fastPaths of [true, false]) {
  const how = fastPaths ? "with" : "without";
  test(`compressed messages arrive whole and in order ${how} fast paths, or the option is refused by name`, () =>
    withEngineIoOption(
      { perMessageDeflate: { threshold: 0 } },
      ({ io }) => {
        io.on("connection", (socket) => {
          socket.on("echo", (data: unknown) => socket.emit("echo", data));
          socket.on("all", (data: unknown) => io.emit("all", data));
        });
      },
      async ({ ws }) => {
        const socket = await join(ws);
        assert.match(socket.extensions, /^permessage-deflate/);
        const sent = Array.from({ length: 40 }, (_, n) =>
          JSON.stringify([n % 3 === 0 ? "all" : "echo", `${n} ${"火の粉 ".repeat(n * n)}`]),
        );
        const received: string[] = [];
        const all = new Promise<void>((resolve) => {
          socket.on("message", (data: RawData) => {
            if (received.push(String(data)) === sent.length) resolve();
          });
        });
        for (const event of sent) socket.send(`42${event}`);
        await inTime("all echoes", all);
        assert.deepEqual(
          received,
          sent.map((event) => `42${event}`),
        );
        socket.close();
        await once(socket, "close");
      },
      { fastPaths },
    ));
}
