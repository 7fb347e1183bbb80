/**
 * Compressed WebSockets: whole messages both ways, with the fast paths and without, where the engine has them.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { type RawData, WebSocket } from "ws";
import { createService, type Listening, SettingsError } from "../src/index.ts";
import { serve } from "./support/runtime.ts";
import { silent } from "./support/service.ts";

/** A session over a WebSocket that offers compression, joined to the main namespace. */
async function join(url: string): Promise<WebSocket> {
  const address = `${url.replace(/^http/, "ws")}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(address, { perMessageDeflate: { threshold: 0 } });
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
  test(`compressed WebSockets bring everything in order ${how} fast paths, or are refused by name`, async () => {
    const socketio = { perMessageDeflate: { threshold: 0 } };
    const service = createService({ logger: silent, host: "127.0.0.1", port: 0, fastPaths, socketio });
    service.io.on("connection", (socket) => {
      socket.on("echo", (data: unknown) => socket.emit("echo", data));
      socket.on("all", (data: unknown) => service.io.emit("all", data));
    });
    const listening = await serve(service).catch((error: unknown): Listening | undefined => {
      assert.ok(error instanceof SettingsError);
      assert.match(error.message, /^socketio\.perMessageDeflate is not available on /);
      return undefined;
    });
    if (!listening) return;
    try {
      const socket = await join(listening.url);
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
      await all;
      assert.deepEqual(
        received,
        sent.map((event) => `42${event}`),
      );
      socket.close();
      await once(socket, "close");
    } finally {
      service.io.engine.close();
      await listening.close();
    }
  });
}
