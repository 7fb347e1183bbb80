/**
 * WebSockets byte by byte: frames that are cut, fragmented, pipelined or illegal. With fast paths and without, a client
 * must get the same as from engine.io on Node.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { RawWebSocket } from "./support/raw-websocket.ts";
import { runtime } from "./support/runtime.ts";
import { type Served, withService } from "./support/service.ts";
import { BINARY, CLOSE, closing, frame, PING, PONG, TEXT } from "./support/websocket-protocol.ts";

const FIN = 0x80;
const LIMIT = 100_000;
const echo = (value: string) => `42["echo","${value}"]`;

/** Runs a test with a service that echoes, first with fast paths, then without. */
async function withEcho(test: (served: Served) => Promise<void>): Promise<void> {
  for (const fastPaths of [true, false]) {
    await withService(
      { fastPaths, socketio: { maxHttpBufferSize: LIMIT } },
      ({ io }) =>
        void io.on("connection", (socket) => {
          socket.on("echo", (value) => socket.emit("echo", value));
        }),
      test,
    );
  }
}

/** Expects these texts next. */
async function expectTexts(client: RawWebSocket, texts: readonly string[]): Promise<void> {
  for (const text of texts) assert.equal(String((await client.next()).payload), text);
}

const TALK = ["a", "b".repeat(118), "火".repeat(40), "c".repeat(66_000)];

test("messages that are cut at every byte arrive whole", () =>
  withEcho(async ({ port }) => {
    const client = await RawWebSocket.join(port);
    for (const value of TALK.slice(0, -1)) {
      await client.trickle(frame(TEXT, echo(value)));
      await expectTexts(client, [echo(value)]);
    }
    client.socket.destroy();
  }));

test("messages that are cut at any byte arrive whole, whatever came before them", () =>
  withEcho(async ({ port }) => {
    const client = await RawWebSocket.join(port);
    const values = [...TALK, ...TALK];
    const bytes = Buffer.concat(values.map((value) => frame(TEXT, echo(value))));
    for (let at = 0, step = 1; at < bytes.length; at += step, step = (step * 7 + 3) % 20_011) {
      client.write(bytes.subarray(at, at + step));
      await sleep(1);
    }
    await expectTexts(client, values.map(echo));
    client.socket.destroy();
  }));

test("a fragmented message arrives whole, and a ping between its fragments is answered at once", () =>
  withEcho(async ({ port }) => {
    const client = await RawWebSocket.join(port);
    const bytes = Buffer.from(echo("火の粉"));
    for (const cut of [0, 1, 12, bytes.length]) {
      const parts = [
        frame(TEXT, bytes.subarray(0, cut), { flags: 0 }),
        frame(PING, "still there?"),
        frame(0, "", { flags: 0 }),
        frame(0, bytes.subarray(cut)),
      ];
      client.write(Buffer.concat(parts));
      const pong = await client.next();
      assert.deepEqual([pong.opcode, String(pong.payload)], [PONG, "still there?"]);
      await expectTexts(client, [echo("火の粉")]);
    }
    client.socket.destroy();
  }));

test("binary of every length and alignment is unmasked, also by a mask of zeros", () =>
  withEcho(async ({ port }) => {
    const client = await RawWebSocket.join(port);
    const placeholder = '{"_placeholder":true,"num":0}';
    for (const mask of [undefined, [0, 0, 0, 0], [0xff, 0, 0x80, 1]]) {
      const options = mask ? { mask } : {};
      for (let length = 1; length < 200; length += 3) {
        const bytes = Buffer.from(Array.from({ length }, (_, n) => (n * 31 + length) & 0xff));
        const header = frame(TEXT, `451-["echo",${placeholder}]`, options);
        client.write(Buffer.concat([header, frame(BINARY, bytes, options)]));
        await expectTexts(client, [`451-["echo",${placeholder}]`]);
        const { opcode, payload } = await client.next();
        assert.equal(opcode, BINARY);
        assert.deepEqual(payload, bytes);
      }
    }
    client.socket.destroy();
  }));

test("messages and pings in one TCP packet are answered in order", () =>
  withEcho(async ({ port }) => {
    const client = await RawWebSocket.join(port);
    for (let round = 0; round < 20; round++) {
      const values = Array.from({ length: 10 }, (_, n) => `${round}.${n}`);
      client.write(Buffer.concat([...values.map((value) => frame(TEXT, echo(value))), frame(PING, "p")]));
      const order = [];
      while (order.length < 11) order.push(await client.next());
      const texts = order.filter(({ opcode }) => opcode === TEXT).map(({ payload }) => String(payload));
      assert.deepEqual(texts, values.map(echo));
      assert.equal(order.filter(({ opcode }) => opcode === PONG).length, 1);
    }
    client.socket.destroy();
  }));

test("every ping of a burst is answered, in order", () =>
  withEcho(async ({ port }) => {
    const client = await RawWebSocket.join(port);
    const names = Array.from({ length: 40 }, (_, n) => `ping ${n}`);
    client.write(Buffer.concat(names.map((name) => frame(PING, name))));
    await expectTexts(client, names);
    client.socket.destroy();
  }));

test("broadcasts and direct messages reach each of many clients in order", () =>
  withEcho(async ({ port, service }) => {
    const clients = [];
    const sockets = [];
    for (let n = 0; n < 10; n++) {
      const joined = once(service.io, "connection");
      clients.push(await RawWebSocket.join(port));
      sockets.push(...(await joined));
    }
    const large = "x".repeat(30_000);
    for (let round = 0; round < 30; round++) {
      service.io.emit("all", round, 1);
      for (const socket of sockets) {
        socket.emit("you", round);
        if (round % 10 === 0) socket.emit("large", large);
      }
      service.io.emit("all", round, 2);
      service.io.emit("all", round, 3);
      if (round % 3 === 0) await sleep(1);
    }
    for (const client of clients) {
      for (let round = 0; round < 30; round++) {
        await expectTexts(client, [
          `42["all",${round},1]`,
          `42["you",${round}]`,
          ...(round % 10 === 0 ? [`42["large","${large}"]`] : []),
          `42["all",${round},2]`,
          `42["all",${round},3]`,
        ]);
      }
      client.socket.destroy();
    }
  }));

test("messages that were sent before disconnect() arrive before it", () =>
  withEcho(async ({ port, service }) => {
    const joined = once(service.io, "connection");
    const client = await RawWebSocket.join(port);
    const [socket] = await joined;
    for (let n = 0; n < 100; n++) socket.emit("last", n);
    socket.disconnect(true);
    await expectTexts(
      client,
      Array.from({ length: 100 }, (_, n) => `42["last",${n}]`),
    );
    client.socket.destroy();
  }));

test("frames behind an illegal frame are not read, wherever it is cut", () =>
  withEcho(async ({ port, service }) => {
    const joined = once(service.io, "connection");
    const client = await RawWebSocket.join(port);
    const [socket] = await joined;
    let echoed = 0;
    socket.on("echo", () => echoed++);
    const left = once(socket, "disconnect");
    await client.trickle(Buffer.concat([frame(0x3, "x"), frame(TEXT, echo("a")), frame(0x3, "y")]));
    assert.match((await left)[0], /^transport (error|close)$/);
    assert.equal(echoed, 0);
    client.socket.destroy();
  }));

/** The size of fragments that together exceed the limit. */
const MOST = Buffer.alloc(LIMIT * 0.6);

/** What no client should send, and the code with which engine.io on Node closes the WebSocket for it. */
const BREACHES: readonly [title: string, bytes: Uint8Array, code: number][] = [
  ["RSV1", frame(TEXT, "42", { flags: FIN | 0x40 }), 1002],
  ["RSV2", frame(TEXT, "42", { flags: FIN | 0x20 }), 1002],
  ["RSV3", frame(TEXT, "42", { flags: FIN | 0x10 }), 1002],
  ["an unknown opcode", frame(0x3, "42"), 1002],
  ["an unknown control opcode", frame(0xb, "42"), 1002],
  ["a ping of 126 bytes", frame(PING, "x".repeat(126)), 1002],
  ["a ping in fragments", frame(PING, "x", { flags: 0 }), 1002],
  ["a continuation of nothing", frame(0, "42"), 1002],
  ["a text in a fragmented text", Buffer.concat([frame(TEXT, "4", { flags: 0 }), frame(TEXT, "2")]), 1002],
  ["a length above 2^53", frame(TEXT, "42", { length: 2n ** 53n }), 1009],
  ["a length above 2^63", frame(TEXT, "42", { length: 2n ** 63n + 5n }), 1009],
  ["a frame that is too long", frame(BINARY, Buffer.alloc(LIMIT + 1)), 1009],
  [
    "fragments that are too long together",
    Buffer.concat([frame(BINARY, MOST, { flags: 0 }), frame(0, MOST)]),
    1009,
  ],
  ["text that is not UTF-8", frame(TEXT, Buffer.from([0x34, 0xc3, 0x28])), 1007],
  [
    "much text that is not UTF-8",
    frame(TEXT, Buffer.concat([Buffer.alloc(99, "4"), Buffer.from([0xff])])),
    1007,
  ],
  [
    "fragments that are not UTF-8 together",
    Buffer.concat([frame(TEXT, Buffer.from([0x34, 0xe7]), { flags: 0 }), frame(0, "x")]),
    1007,
  ],
  ["a close frame of one byte", frame(CLOSE, "x"), 1002],
  ["a close frame with code 1005", frame(CLOSE, closing(1005)), 1002],
  ["a close frame with code 999", frame(CLOSE, closing(999)), 1002],
  ["a close frame with code 5000", frame(CLOSE, closing(5000)), 1002],
  ["a close reason that is not UTF-8", frame(CLOSE, closing(1000, Buffer.from([0xff]))), 1007],
];

/** How clients close a WebSocket themselves, and the code of the server's close frame. */
const GOODBYES: readonly [title: string, bytes: Uint8Array, code: number][] = [
  ["a close frame", frame(CLOSE, ""), 1005],
  ["a close frame with a code", frame(CLOSE, closing(1000)), 1000],
  ["a close frame with a reason", frame(CLOSE, closing(4321, "bye 火")), 4321],
];

/** Sends bytes in a session, and resolves with how they ended it. Checks that another client's session goes on. */
async function endBy(bytes: Uint8Array, { port, service }: Served) {
  const other = await RawWebSocket.join(port);
  const joined = once(service.io, "connection");
  const client = await RawWebSocket.join(port);
  const [socket] = await joined;
  const left = once(socket, "disconnect");
  client.write(bytes);
  const { texts, code } = await client.ending();
  client.socket.destroy();
  const [reason] = await left;
  other.write(frame(TEXT, echo("on")));
  await expectTexts(other, [echo("on")]);
  other.socket.destroy();
  return { texts, code, reason };
}

for (const [title, bytes, code] of BREACHES) {
  test(`${title} ends the session with code ${code}, and no other session`, () =>
    withEcho(async (served) => {
      const end = await endBy(bytes, served);
      // After most violations Deno drops the connection without a close frame.
      const codes = runtime === "deno" ? [code, 1006] : [code];
      assert.ok(codes.includes(end.code), `closed with ${end.code}`);
      assert.deepEqual([end.reason, end.texts], ["transport error", []]);
    }));
}

for (const [title, bytes, code] of GOODBYES) {
  test(`${title} ends the session, is answered with code ${code}, and ends no other session`, () =>
    withEcho(async (served) => {
      assert.deepEqual(await endBy(bytes, served), { texts: [], code, reason: "transport close" });
    }));
}

test("a frame that is too long ends the session as soon as its header has arrived; on Deno, when it is complete", () =>
  withEcho(async (served) => {
    const announcement = frame(BINARY, "", { length: BigInt(LIMIT + 1) });
    // Deno shows a program only complete messages.
    const bytes = runtime === "deno" ? Buffer.concat([announcement, Buffer.alloc(LIMIT + 1)]) : announcement;
    assert.deepEqual(await endBy(bytes, served), { texts: [], code: 1009, reason: "transport error" });
  }));

test("an unmasked frame ends the session, except on Deno, which accepts it", () =>
  withEcho(async (served) => {
    const bytes = frame(TEXT, echo("bare"), { mask: false });
    if (runtime !== "deno") {
      assert.deepEqual(await endBy(bytes, served), { texts: [], code: 1002, reason: "transport error" });
      return;
    }
    const client = await RawWebSocket.join(served.port);
    client.write(bytes);
    await expectTexts(client, [echo("bare")]);
    client.socket.destroy();
  }));

test("a message before a close frame is read, and one after it is not", () =>
  withEcho(async (served) => {
    const heard: unknown[] = [];
    served.service.io.on("connection", (socket) => socket.on("echo", (value) => heard.push(value)));
    const [before, behind] = [frame(TEXT, echo("before")), frame(TEXT, echo("behind"))];
    const end = await endBy(Buffer.concat([before, frame(CLOSE, closing(1001)), behind]), served);
    assert.equal(end.code, 1001);
    // engine.io sends the echo when its WebSocket is closing already, and treats that as a transport error.
    assert.match(end.reason, /^transport (?:close|error)$/);
    assert.deepEqual(heard, ["before", "on"]);
  }));
