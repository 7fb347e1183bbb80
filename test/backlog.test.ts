/**
 * Clients that never read, and may well answer every ping: they are disconnected once more waits for them than the
 * setting `maxBuffered` allows, and nobody else notices.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { Socket } from "socket.io";
import { range, received, socketOf, withCrowd } from "./support/crowd.ts";
import { joinWebSocket, PollingClient } from "./support/engine-client.ts";
import { RawClient } from "./support/raw-client.ts";
import { withService } from "./support/service.ts";
import { inTime, until } from "./support/until.ts";

const LARGE = "x".repeat(100_000);
const LIMIT = 1_000_000;

/** A client that sends no pong for half a second is disconnected. */
const OPTIONS = { maxBuffered: LIMIT, socketio: { pingInterval: 200, pingTimeout: 300 } };

/** Answers pings, also such as have not come: calls `pong` often enough. @returns a function that stops it */
function keepAlive(pong: () => unknown): () => void {
  const timer = setInterval(pong, 100);
  return () => clearInterval(timer);
}

/** Resolves when a socket is disconnected because its client is slow, and what waited for it was dropped. */
async function endOfSlow(socket: Socket): Promise<void> {
  const { conn } = socket;
  const disconnected = new Promise<[string, unknown]>((resolve) => {
    socket.once("disconnect", (reason, description) => resolve([reason, description]));
  });
  const [reason, description] = await inTime(
    "the disconnection of a client that does not read",
    disconnected,
  );
  assert.equal(reason, "transport error");
  assert.ok(description instanceof Error);
  assert.equal(description.message, `the client does not read: more than ${LIMIT} bytes wait for it`);
  await until("the write buffer to be emptied", () => Reflect.get(conn, "writeBuffer").length === 0);
}

withCrowd(
  "clients that answer pings but never read are disconnected, and the others in their room miss nothing",
  20,
  async ({ io }, crowd) => {
    const [stalled, others] = [crowd.slice(0, 3), crowd.slice(3)];
    const ends = Promise.all(stalled.map((client) => endOfSlow(socketOf(io, client))));
    for (const client of stalled) client.pause();
    const stop = keepAlive(() => stalled.map((client) => client.send("3")));
    let n = 0;
    try {
      await until("the end of the clients that do not read", async () => {
        io.emit("n", LARGE, n++);
        for (const socket of io.sockets.sockets.values()) socket.emit("n", n);
        n++;
        await sleep(5);
        return io.sockets.sockets.size === others.length;
      });
      await ends;
    } finally {
      stop();
    }
    io.emit("n", n);
    await received(others, n);
    for (const client of others) assert.deepEqual(client.numbers, range(0, n + 1));
  },
  OPTIONS,
);

test("a polling client that POSTs pongs but never polls is disconnected, and one that polls gets everything", () =>
  withService(OPTIONS, async ({ url, service: { io } }) => {
    const joined = new Promise<Socket>((resolve) => io.once("connection", resolve));
    const stalled = await (await PollingClient.connect(url)).join();
    const ended = endOfSlow(await joined);
    const other = await (await PollingClient.connect(url)).join();
    const stops = [stalled, other].map((client) =>
      keepAlive(() => client.post("3").then((response) => response.text())),
    );
    const numbers: number[] = [];
    let count = 0;
    const send = async () => {
      await until("the end of the client that does not poll", async () => {
        io.emit("n", LARGE, count++);
        await sleep(5);
        return io.engine.clientsCount === 1;
      });
      io.emit("end");
    };
    const sending = send();
    try {
      for (let hasEnded = false; !hasEnded; ) {
        for (const packet of await other.packets()) {
          if (packet.startsWith('42["n"')) numbers.push(Number(/(\d+)\]$/.exec(packet)?.[1]));
          hasEnded ||= packet === '42["end"]';
        }
      }
      await Promise.all([sending, ended]);
    } finally {
      for (const stop of stops) stop();
    }
    assert.deepEqual(numbers, range(0, count));
    assert.equal((await stalled.post("3")).status, 400);
  }));

test("with maxBuffered: 0 any number of bytes waits for a client that does not read", () =>
  withService({ maxBuffered: 0 }, async ({ url, service: { io } }) => {
    const joined = new Promise<Socket>((resolve) => io.once("connection", resolve));
    const client = await (await PollingClient.connect(url)).join();
    const socket = await joined;
    for (let n = 0; n < 200; n++) socket.emit("n", LARGE, n);
    await sleep(2500); // more than two of the checks that would find it
    assert.equal((await client.packets()).filter((packet) => packet.startsWith("42")).length, 200);
  }));

test("messages that are larger than maxBuffered reach clients that read", () =>
  withService({ ...OPTIONS, maxBuffered: 10_000, socketio: {} }, async ({ url, service: { io } }) => {
    const [client, socket] = await joinWebSocket(url, io);
    for (let n = 0; n < 2; n++) {
      socket.emit("text", n, "x".repeat(LIMIT));
      socket.emit("binary", n, Buffer.alloc(LIMIT));
    }
    for (let n = 0; n < 2; n++) {
      assert.ok(String(await client.frame()).startsWith(`42["text",${n},"xxx`));
      assert.equal(await client.frame(), `451-["binary",${n},{"_placeholder":true,"num":0}]`);
      assert.equal((await client.frame()).length, LIMIT);
    }
    client.socket.close();
  }));

test("a burst of many times maxBuffered reaches a client that reads slowly", () =>
  withService({ maxBuffered: LIMIT }, async ({ url, service: { io } }) => {
    const client = await RawClient.join(url);
    const count = 300;
    for (let n = 0; n < count; n++) socketOf(io, client).emit("n", LARGE, n);
    const closed = client.closed.then((code) => assert.fail(`closed with ${code}`));
    const reading = until("the whole burst", async () => {
      client.resume();
      await setImmediate();
      client.pause();
      await sleep(60);
      return client.messages.length === count;
    });
    await Promise.race([reading, closed]);
    client.resume();
    assert.deepEqual(client.numbers, range(0, count));
  }));
