/**
 * Connects older versions of socket.io-client, some of which speak Engine.IO 3, and has each of them go through the same
 * conversation with the server.
 */
import assert from "node:assert/strict";
import type connect from "socket.io-client-2";
import type { Socket } from "socket.io-client-2";
import type { Service } from "../../src/index.ts";
import { type Over, TRANSPORTS } from "./clients.ts";
import type { Served } from "./service.ts";
import { until } from "./until.ts";

export type Connect = typeof connect;

/** Connects an older client; rejects when the server refuses it. */
export async function connectOld(connect: Connect, url: string, over: Over): Promise<Socket> {
  // They do not clear the timer of this timeout when they connect, and it would keep the test process running.
  const options = { forceNew: true, reconnection: false, timeout: false };
  const client = connect(url, { ...options, transports: TRANSPORTS[over] });
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve());
    client.once("connect_error", (error) => {
      client.disconnect();
      reject(error);
    });
  });
  return client;
}

/** Adds the server's side of the conversation. */
export function answer({ io }: Pick<Service, "io">): void {
  io.on("connection", async (socket) => {
    socket.on("echo", (value, ack) => ack(value));
    socket.on("reverse", (bytes: Uint8Array, ack) => ack(Buffer.from(bytes).reverse()));
    socket.on("say", (...words) => io.to("room").emit("said", ...words));
    socket.on("ask me", async (ack) => ack(await socket.emitWithAck("question", Buffer.from([7, 8]))));
    socket.on("end", () => socket.disconnect());
    await socket.join("room");
  });
}

const bytes = (value: unknown): number[] => {
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value)];
  assert.ok(value instanceof Uint8Array, `${String(value)} is not binary`);
  return [...value];
};

/** Sends events, acks and binary in both directions, and has each side disconnect once. */
export async function converse(connect: Connect, over: Over, { url, service }: Served): Promise<void> {
  for (const ender of ["client", "server"]) {
    const connection = new Promise<{ reason: Promise<string>; transport: () => string }>((resolve) => {
      service.io.once("connection", (socket) =>
        resolve({
          reason: new Promise((resolve) => socket.once("disconnect", (reason) => resolve(reason))),
          transport: () => socket.conn.transport.name,
        }),
      );
    });
    const client = await connectOld(connect, url, over);
    const ask = (event: string, ...args: unknown[]) =>
      new Promise((resolve) => client.emit(event, ...args, resolve));
    const server = await connection;
    const name = over === "polling" ? "polling" : "websocket";
    await until(`both ends to be connected over ${name}`, async () => {
      assert.equal(await ask("echo", "while it is upgraded"), "while it is upgraded");
      return client.io.engine.transport.name === name && server.transport() === name;
    });

    const value = { text: "火の粉 🔥", nested: [null, true, 1.5, { a: [] }] };
    assert.deepEqual(await ask("echo", value), value);
    assert.deepEqual(bytes(await ask("reverse", Buffer.from([1, 2, 255, 0]))), [0, 255, 2, 1]);

    const said = new Promise<unknown[]>((resolve) => client.once("said", (...words) => resolve(words)));
    client.emit("say", "hello", { to: "all" }, Buffer.from([3, 4]));
    const [text, nested, binary] = await said;
    assert.deepEqual([text, nested, bytes(binary)], ["hello", { to: "all" }, [3, 4]]);

    client.once("question", (question, ack) => {
      assert.ok(typeof ack === "function");
      ack({ got: bytes(question) });
    });
    assert.deepEqual(await ask("ask me"), { got: [7, 8] });

    const ended = new Promise((resolve) => client.once("disconnect", resolve));
    if (ender === "client") client.disconnect();
    else client.emit("end");
    assert.equal(await ended, `io ${ender} disconnect`);
    assert.equal(await server.reason, `${ender} namespace disconnect`);
    assert.equal(client.connected, false);
    client.disconnect();
  }
}
