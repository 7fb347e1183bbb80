/**
 * Compares DirectWebSocket with ws's own WebSocket: the same story runs with a server of each kind, and everything that
 * the server and its client observe must be the same.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { type RawData, type ServerOptions, WebSocket, WebSocketServer } from "ws";
import { DirectWebSocket, DirectWebSocketServer } from "../../runtimes/node/websocket/index.ts";
import { frame, PING } from "../support/websocket-protocol.ts";
import { FakeConnection, upgradeRequest } from "./fake-connection.ts";

/** The time limit of each test, in milliseconds. */
const timeout = 20_000;

/** The options of ws's server, with one that the types of ws lack. */
interface Options extends ServerOptions {
  readonly closeTimeout?: number;
}

interface Pair {
  /** The server's WebSocket: ws's own or a DirectWebSocket. */
  readonly socket: WebSocket;
  readonly client: WebSocket;
  /** Records what happened. */
  readonly note: (...values: unknown[]) => void;
}

/** Opens a WebSocket with one of the servers, and runs a story on it. @returns what the story recorded */
async function tell(
  Server: new (options: ServerOptions) => WebSocketServer,
  options: Options,
  story: (pair: Pair) => Promise<void>,
): Promise<unknown[]> {
  const http = createServer();
  const server = new Server({ ...options, server: http });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const address = http.address();
  assert.ok(address && typeof address === "object");
  const joined = once(server, "connection");
  const client = new WebSocket(`ws://127.0.0.1:${address.port}`, ["chat", "other"]);
  const notes: unknown[] = [];
  try {
    await once(client, "open");
    const [socket] = await joined;
    await story({ socket, client, note: (...values) => void notes.push(values) });
    return notes;
  } finally {
    client.terminate();
    for (const socket of server.clients) socket.terminate();
    server.close();
    http.close();
    await once(http, "close");
  }
}

/** Checks that a story records the same with both kinds of WebSocket. */
function testAlike(title: string, story: (pair: Pair) => Promise<void>, options: Options = {}): void {
  test(title, { timeout }, async () => {
    const expected = await tell(WebSocketServer, options, story);
    assert.ok(expected.length > 0, "the story recorded nothing");
    assert.deepEqual(await tell(DirectWebSocketServer, options, story), expected);
  });
}

/** Calls a method with arguments that its types forbid, as plain JavaScript may. */
const callUntyped = (target: object, name: string, ...args: unknown[]): unknown =>
  Reflect.apply(Reflect.get(target, name), target, args);

/** Resolves with the code and reason of the close, also after an "error" event, on which `once()` would reject. */
const closeOf = (socket: WebSocket): Promise<[number, string]> =>
  new Promise((resolve) => socket.once("close", (code, reason) => resolve([code, String(reason)])));

testAlike(
  "properties are the same while the WebSocket is open, and when it is closed",
  async ({ socket, client, note }) => {
    const noteProperties = () => {
      const { readyState, protocol, extensions, isPaused, binaryType, bufferedAmount, url } = socket;
      note({ readyState, protocol, extensions, isPaused, binaryType, bufferedAmount, url });
    };
    note(socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED);
    noteProperties();
    const closed = once(socket, "close");
    client.close();
    await closed;
    noteProperties();
  },
);

testAlike("messages, pings and pongs are emitted as they are sent", async ({ socket, client, note }) => {
  socket.on("message", (data, isBinary) => note("message", data, isBinary));
  socket.on("ping", (data) => note("ping", data));
  socket.on("pong", (data) => note("pong", data));
  const closed = once(socket, "close");
  client.send("text 火");
  client.send("");
  client.send(Buffer.from([1, 2, 3]));
  client.send("in ", { fin: false });
  client.ping("ping in a message");
  client.send("pieces");
  client.pong("pong");
  client.close(4_001, "done");
  note(await closed);
});

for (const type of ["nodebuffer", "arraybuffer", "fragments"] as const) {
  testAlike(`binary messages come as ${type}`, async ({ socket, client, note }) => {
    socket.binaryType = type;
    Object.assign(socket, { binaryType: "nonsense" });
    note(socket.binaryType);
    const received = once(socket, "message");
    client.send(Buffer.from([1, 2, 3]));
    note(await received);
  });
}

test("binary messages are Blobs if binaryType says so", { timeout }, async () => {
  await tell(DirectWebSocketServer, {}, async ({ socket, client }) => {
    Object.assign(socket, { binaryType: "blob" });
    const received = once(socket, "message");
    client.send(Buffer.from([1, 2, 3]));
    const [blob] = await received;
    assert.ok(blob instanceof Blob);
    assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), Uint8Array.of(1, 2, 3));
  });
});

testAlike("whatever send() takes arrives alike", async ({ socket, client, note }) => {
  client.on("message", (data: RawData, isBinary) => note(String(data), isBinary));
  client.on("ping", (data) => note("ping", String(data)));
  client.on("pong", (data) => note("pong", String(data)));
  const closed = once(client, "close");
  socket.send("text 火");
  socket.send("");
  socket.send(12.5);
  socket.send(Buffer.from("buffer"));
  socket.send(new Uint8Array([97, 98]).buffer);
  socket.send(new DataView(new Uint8Array([97, 98, 99]).buffer, 1));
  socket.send([97, 98]);
  socket.send("text as binary", { binary: true });
  socket.send(Buffer.from("bytes as text"), { binary: false });
  socket.send("in ", { fin: false });
  socket.send("pieces", { fin: true });
  callUntyped(socket, "send", undefined);
  socket.ping();
  socket.ping("data");
  socket.pong(12);
  socket.pong(Buffer.from("buffer"), false);
  socket.send("x".repeat(100_000));
  socket.close(4_002, "done");
  note(await closed);
});

testAlike(
  "callbacks of send(), ping() and pong() are called, at whichever position they are passed",
  async ({ socket, note }) => {
    const calls = [
      (done: () => void) => socket.send("a", done),
      (done: () => void) => socket.send("a", {}, done),
      (done: () => void) => callUntyped(socket, "ping", done),
      (done: () => void) => callUntyped(socket, "ping", "a", done),
      (done: () => void) => socket.pong("a", false, done),
    ];
    for (const call of calls) note(await new Promise<unknown>((resolve) => call(() => resolve("called"))));
  },
);

testAlike("what cannot be sent is refused with the same errors", async ({ socket, note }) => {
  for (const attempt of [
    () => socket.ping("x".repeat(126)),
    () => socket.pong("x".repeat(126)),
    () => socket.close(1_005),
    () => socket.close(2_000),
    () => socket.close(1_000, "x".repeat(124)),
  ]) {
    assert.throws(attempt, ({ name, message }: Error) => {
      note(name, message);
      return true;
    });
  }
  note(socket.readyState);
});

testAlike("what is sent too late is counted, and its callback gets an error", async ({ socket, note }) => {
  const closed = once(socket, "close");
  socket.close(1_000);
  socket.close(1_001);
  const late = new Promise<unknown>((resolve) => socket.send("late 火", (error) => resolve(error?.message)));
  note(socket.readyState, socket.bufferedAmount, await late);
  note(await closed);
  note(
    await new Promise<unknown>((resolve) => socket.ping("late", false, (error) => resolve(error.message))),
  );
  socket.terminate();
  socket.pause();
  socket.resume();
  note(socket.readyState, socket.isPaused);
});

for (const [title, end] of [
  ["the client closes with a code", (client: WebSocket) => client.close(4_003, "bye")],
  ["the client closes without a code", (client: WebSocket) => client.close()],
  ["the client is gone", (client: WebSocket) => client.terminate()],
] as const) {
  testAlike(`the end is told alike when ${title}`, async ({ socket, client, note }) => {
    const ended = new Promise<void>((resolve) => {
      socket.addEventListener("close", ({ type, code, reason, wasClean, target }) => {
        note(type, code, reason, wasClean, target === socket);
        resolve();
      });
    });
    const closed = closeOf(socket);
    end(client);
    note(await closed);
    await ended;
  });
}

testAlike("terminate() ends the connection without a close frame", async ({ socket, client, note }) => {
  const [own, other] = [closeOf(socket), closeOf(client)];
  socket.terminate();
  note(socket.readyState, await own, await other);
});

testAlike(
  "a client that does not answer a close frame is cut off after a while",
  async ({ socket, client, note }) => {
    client.pause();
    const closed = closeOf(socket);
    socket.close(1_000, "bye");
    note(socket.readyState);
    note(await closed);
  },
  { closeTimeout: 50 },
);

testAlike(
  "a message that is too large is an error, and the client gets a close frame",
  async ({ socket, client, note }) => {
    const failed = new Promise<[Error & { code?: unknown }]>((resolve) =>
      socket.once("error", (error) => resolve([error])),
    );
    const [own, other] = [closeOf(socket), closeOf(client)];
    client.send("x".repeat(101));
    const [error] = await failed;
    note(error.name, error.message, error.code, await own, await other);
  },
  { maxPayload: 100 },
);

testAlike("a paused WebSocket emits nothing until it is resumed", async ({ socket, client, note }) => {
  const received: string[] = [];
  socket.on("message", (data) => received.push(String(data)));
  socket.pause();
  note(socket.isPaused);
  await new Promise<void>((resolve) => client.send("while paused", () => resolve()));
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  note([...received]);
  socket.resume();
  note(socket.isPaused);
  if (received.length === 0) await once(socket, "message");
  note(received);
});

testAlike("handlers are added, replaced and removed as ws documents", async ({ socket, client, note }) => {
  const set = (handlers: Partial<Pick<WebSocket, "onopen" | "onmessage" | "onerror">>) =>
    Object.assign(socket, handlers);
  const plain = ({ data }: { data: unknown }) => note("plain", data);
  const object = { handleEvent: ({ type }: { type: string }) => note("object", type) };
  socket.addEventListener("message", plain);
  socket.addEventListener("message", plain);
  socket.addEventListener("message", object);
  socket.addEventListener("message", () => note("once"), { once: true });
  callUntyped(socket, "addEventListener", "ping", () => note("never"));
  note(socket.onmessage, socket.listenerCount("message"), socket.listenerCount("ping"));
  set({ onmessage: () => note("replaced") });
  const own = (event: { data: unknown; target: unknown }) => note("own", event.data, event.target === socket);
  set({ onmessage: own });
  note(socket.onmessage === own, socket.listenerCount("message"));
  for (const text of ["one", "two"]) {
    const received = once(socket, "message");
    client.send(text);
    await received;
  }
  socket.removeEventListener("message", plain);
  socket.removeEventListener("message", object);
  socket.removeEventListener("message", own); // removes nothing: only onmessage removes the handler set with it
  note(socket.listenerCount("message"));
  set({ onmessage: null });
  note(socket.onmessage, socket.listenerCount("message"));
  set({ onerror: ({ type, message, error }) => note(type, message, error instanceof Error) });
  socket.emit("error", new Error("for the handler"));
  set({ onopen: ({ type }) => note(type) });
  socket.emit("open");
});

testAlike("pings are answered", async ({ socket, client, note }) => {
  const pong = once(client, "pong");
  client.ping("a");
  note(await pong);
  note(socket.readyState);
});

testAlike(
  "pings are not answered with autoPong: false",
  async ({ socket, client, note }) => {
    client.on("pong", (data) => note("pong", String(data)));
    const pinged = once(socket, "ping");
    client.ping("a");
    note(await pinged);
    const closed = once(client, "close");
    socket.close(1_000);
    await closed;
  },
  { autoPong: false },
);

const OPTIONS = { autoPong: true, maxPendingAutoPongs: 2, closeTimeout: 1_000 };

test("a WebSocket without a connection sends nothing", () => {
  const socket = new DirectWebSocket(null, undefined, OPTIONS);
  assert.equal(socket.readyState, WebSocket.CONNECTING);
  for (const send of [() => socket.send("a"), () => socket.ping(), () => socket.pong()])
    assert.throws(send, { message: "WebSocket is not open: readyState 0 (CONNECTING)" });
});

test("a client that sends pings without reading the pongs is cut off", async () => {
  const socket = new DirectWebSocket(null, undefined, OPTIONS);
  const connection = new FakeConnection();
  const limits = { maxPayload: 0, maxFragments: 0, skipUTF8Validation: false };
  socket.setSocket(connection, Buffer.alloc(0), limits);
  connection.block();
  socket.send(Buffer.alloc(2 ** 20));
  const pinged = once(socket, "ping");
  connection.push(Buffer.concat([frame(PING, "1"), frame(PING, "2")]));
  await pinged;
  assert.equal(socket.readyState, socket.OPEN);
  const closed = once(socket, "close");
  connection.push(frame(PING, "3"));
  await closed;
  assert.equal(socket.readyState, socket.CLOSED);
});

test("a connection cannot be given to two WebSockets", () => {
  const connection = new FakeConnection();
  const server = new DirectWebSocketServer({ noServer: true });
  const shake = () => server.handleUpgrade(upgradeRequest(), connection, Buffer.alloc(0), () => {});
  shake();
  assert.throws(shake, { message: "handleUpgrade() was called twice with the same connection" });
});
