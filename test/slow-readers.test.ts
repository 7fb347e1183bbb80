/**
 * Broadcasts while some of the clients have stopped reading: no message is lost, doubled or reordered, except that
 * volatile ones may be lost.
 */
import assert from "node:assert/strict";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { range, received, socketOf, withCrowd } from "./support/crowd.ts";

/** With messages of this size, a client that does not read falls behind within the first hundred. */
const LARGE = "x".repeat(100_000);

withCrowd(
  "clients that stop reading get everything in order when they read again",
  45,
  async ({ io }, crowd) => {
    const slow = crowd.slice(0, 15);
    let n = 0;
    io.emit("n", n++);
    await received(crowd, n - 1);
    for (const client of slow) client.pause();
    for (let turn = 0; turn < 80; turn++) {
      io.emit("n", LARGE, n++);
      for (const client of crowd) socketOf(io, client).emit("n", n);
      n++;
      await setImmediate();
    }
    for (let turn = 0; turn < 50; turn++) io.emit("n", n++);
    await received(crowd.slice(15), n - 1);
    for (const client of slow) {
      assert.ok(client.numbers.length < n);
      client.resume();
    }
    for (let turn = 0; turn < 100; turn++) {
      io.emit("n", n++);
      if (turn % 10 === 0) io.emit("n", LARGE, n++);
      await sleep(2);
    }
    io.emit("n", n++);
    await received(crowd, n - 1);
    for (const client of crowd) assert.deepEqual(client.numbers, range(0, n));
  },
);

withCrowd("a broadcast does not overtake earlier messages to one slow client", 40, async ({ io }, crowd) => {
  const slow = crowd.slice(0, 5);
  io.emit("n", 0);
  await received(crowd, 0);
  for (const client of slow) client.pause();
  for (let n = 1; n < 100; n++) {
    for (const client of slow) socketOf(io, client).emit("n", LARGE, n);
    await setImmediate();
  }
  for (let n = 100; n < 200; n++) {
    io.emit("n", n);
    if (n === 150) for (const client of slow) client.resume();
    if (n % 10 === 0) await setImmediate();
  }
  await received(crowd, 199);
  for (const client of slow) assert.deepEqual(client.numbers, range(0, 200));
  for (const client of crowd.slice(5)) assert.deepEqual(client.numbers, [0, ...range(100, 200)]);
});

withCrowd(
  "a client that has not read a large broadcast yet gets no volatile message",
  20,
  async ({ io }, crowd) => {
    const [slow, ...fast] = crowd;
    assert.ok(slow);
    io.emit("n", 0);
    await received(crowd, 0);
    slow.pause();
    io.emit("n", "x".repeat(16_000_000), 1);
    await received(fast, 1);
    io.volatile.emit("n", 2);
    socketOf(io, slow).volatile.emit("n", 3);
    await received(fast, 2);
    io.emit("n", 4);
    slow.resume();
    await received(crowd, 4);
    assert.deepEqual(slow.numbers, [0, 1, 4]);
    for (const client of fast) assert.deepEqual(client.numbers, [0, 1, 2, 4]);
  },
);

withCrowd("clients that have stopped reading get no volatile broadcast", 30, async ({ io }, crowd) => {
  const [slow, fast] = [crowd.slice(0, 10), crowd.slice(10)];
  for (const client of slow) client.pause();
  for (let n = 0; n < 100; n++) {
    io.emit("n", LARGE, n);
    await setImmediate();
  }
  await received(fast, 99);
  for (let n = 100; n < 120; n++) {
    io.volatile.emit("n", n);
    await received(fast, n);
  }
  io.emit("n", 120);
  for (const client of slow) client.resume();
  await received(crowd, 120);
  for (const client of fast) assert.deepEqual(client.numbers, range(0, 121));
  for (const client of slow) assert.deepEqual(client.numbers, [...range(0, 100), 120]);
  io.volatile.emit("n", 121);
  await received(crowd, 121);
});
