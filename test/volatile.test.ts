/**
 * Volatile messages: one is dropped if it would have to wait behind anything else. What is sent in one turn of the event
 * loop cannot have been taken by the client before the turn ends.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Socket } from "socket.io";
import { received, socketOf, withCrowd } from "./support/crowd.ts";
import { type FrameClient, joinWebSocket, PollingClient, writable } from "./support/engine-client.ts";
import { withService } from "./support/service.ts";
import { until } from "./support/until.ts";

const LARGE = "x".repeat(10_000);

/** Sends the last message once it can be told from the volatile ones before it, and reads the frames up to it. */
async function framesOf(client: FrameClient, socket: Socket): Promise<(string | Buffer)[]> {
  socket.emit("end");
  const frames: (string | Buffer)[] = [];
  for (;;) {
    const frame = await client.frame();
    if (frame === '42["end"]') return frames;
    frames.push(frame);
  }
}

/** Resolves when a volatile message has arrived: nothing is waiting for the client then. */
async function idle(client: FrameClient, socket: Socket): Promise<void> {
  let hasArrived = false;
  const arrival = client.frame().then(() => {
    hasArrived = true;
  });
  await until("a volatile message to arrive", () => {
    if (!hasArrived) socket.volatile.emit("idle");
    return hasArrived;
  });
  await arrival;
  // Those that were sent until the first had been read.
  await framesOf(client, socket);
}

for (const fastPaths of [true, false]) {
  const without = fastPaths ? "" : " (without fast paths)";

  test(`of volatile messages in one turn the first arrives${without}`, () =>
    withService({ fastPaths }, async ({ url, service: { io } }) => {
      const [client, socket] = await joinWebSocket(url, io);
      await idle(client, socket);
      for (let n = 0; n < 1000; n++) socket.volatile.emit("v", n, LARGE);
      assert.deepEqual(await framesOf(client, socket), [`42["v",0,"${LARGE}"]`]);
      await idle(client, socket);
      socket.volatile.emit("v", Buffer.from([1, 2, 3]), Buffer.from([4]));
      socket.volatile.emit("v", Buffer.from([5, 6, 7]), Buffer.from([8]));
      const [head, ...attachments] = await framesOf(client, socket);
      assert.match(String(head), /^452-\["v",/);
      assert.deepEqual(attachments, [Buffer.from([1, 2, 3]), Buffer.from([4])]);
      client.socket.close();
    }));

  test(`a volatile message in the turn of an ordinary one is dropped, and ordinary ones behind it are not${without}`, () =>
    withService({ fastPaths }, async ({ url, service: { io } }) => {
      io.once("connection", (socket) => {
        socket.emit("first");
        socket.volatile.emit("v", 0);
      });
      const [client, socket] = await joinWebSocket(url, io);
      assert.deepEqual(await framesOf(client, socket), ['42["first"]']);
      await idle(client, socket);
      socket.emit("n", 1);
      socket.volatile.emit("v", 2);
      socket.emit("n", 3);
      assert.deepEqual(await framesOf(client, socket), ['42["n",1]', '42["n",3]']);
      client.socket.close();
    }));

  test(`over polling the first of volatile messages answers the poll that waits${without}`, () =>
    withService({ fastPaths }, async ({ url, service: { io } }) => {
      const joined = new Promise<Socket>((resolve) => io.once("connection", resolve));
      const client = await (await PollingClient.connect(url)).join();
      const socket = await joined;
      socket.volatile.emit("v", 0);
      const poll = client.packets();
      await writable(socket.conn);
      socket.volatile.emit("v", 1);
      socket.volatile.emit("v", 2);
      assert.deepEqual(await poll, ['42["v",1]']);
      socket.emit("n", 3);
      socket.volatile.emit("v", 4);
      assert.deepEqual(await client.packets(), ['42["n",3]']);
    }));
}

/** The numbers at the ends of Socket.IO packets, without the attachments between them. */
const numbersOf = (packets: readonly string[]): number[] =>
  packets.filter((packet) => !packet.startsWith("<")).map((packet) => Number(/(\d+)\]$/.exec(packet)?.[1]));

for (const data of [LARGE, Buffer.from([1, 2, 3])]) {
  const kind = typeof data === "string" ? "text" : "binary data";
  withCrowd(`of volatile broadcasts of ${kind} in one turn the first arrives`, 20, async ({ io }, crowd) => {
    for (const round of [0, 10, 20]) {
      io.emit("n", round);
      await received(crowd, round);
      for (let n = 1; n < 5; n++) io.volatile.emit("v", data, round + n);
      io.emit("n", round + 5);
      io.volatile.emit("v", data, round + 6);
      await received(crowd, round + 5);
    }
    for (const client of crowd)
      assert.deepEqual(numbersOf(client.messages), [0, 1, 5, 10, 11, 15, 20, 21, 25]);
  });
}

withCrowd(
  "a volatile broadcast reaches those of a room who get nothing else in this turn",
  60,
  async ({ io }, crowd) => {
    for (const [index, client] of crowd.entries()) {
      if (index < 40) void socketOf(io, client).join("a");
      if (index >= 20) void socketOf(io, client).join("b");
    }
    for (const round of [0, 10, 20]) {
      io.emit("n", round);
      await received(crowd, round);
      io.to("a").volatile.emit("v", round + 1);
      io.to("b").volatile.emit("v", round + 2);
      io.emit("n", round + 3);
      await received(crowd, round + 3);
    }
    for (const [index, client] of crowd.entries())
      assert.deepEqual(
        client.numbers,
        [0, 10, 20].flatMap((n) => [n, n + (index < 40 ? 1 : 2), n + 3]),
      );
  },
);
