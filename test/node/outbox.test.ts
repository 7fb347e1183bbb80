/**
 * The outbox: ws's own Receiver must be able to read what it writes. Also tests when it writes, calls callbacks and
 * refuses frames.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { encodeMessage } from "../../runtimes/node/websocket/index.ts";
import { Outbox } from "../../runtimes/node/websocket/outbox.ts";
import { Random } from "../support/random.ts";
import { CLOSE, closing, PING, PONG, readFrame } from "../support/websocket-protocol.ts";
import { FakeConnection } from "./fake-connection.ts";
import { type Received, receiveWithWs } from "./ws-receiver.ts";

const LENGTHS = [0, 1, 125, 126, 3_000, 16_383, 16_384, 32_768, 65_535, 65_536, 200_000] as const;

const createOutbox = () => {
  const connection = new FakeConnection();
  return { connection, outbox: new Outbox(connection) };
};

/** Waits until everything that was sent in this turn has been written. */
const endOfTurn = () => setImmediate();

/** Sends something random. @returns what the client should receive */
function sendSomething(outbox: Outbox, random: Random): Received[] {
  const length = random.onceIn(3) ? random.pick(LENGTHS) : random.below(100);
  const text = random.pick(["a", "é", "火"]).repeat(length);
  const bytes = Buffer.alloc(length, random.below(256));
  const small = random.bytes(random.below(126));
  const latin1 = (data: string | Buffer) => Buffer.from(data).toString("latin1");
  return random.pick<() => Received[]>([
    () => {
      outbox.send(text);
      return [["message", false, latin1(text)]];
    },
    () => {
      outbox.send(bytes);
      return [["message", true, latin1(bytes)]];
    },
    () => {
      outbox.send(text, { binary: true });
      return [["message", true, latin1(text)]];
    },
    () => {
      outbox.send(text, { fin: false });
      outbox.sendControl(PING, small);
      outbox.send(bytes.fill("x"));
      return [
        ["ping", latin1(small)],
        ["message", false, latin1(text) + latin1(bytes)],
      ];
    },
    () => {
      outbox.sendControl(PONG, small);
      return [["pong", latin1(small)]];
    },
    () => {
      const frame = encodeMessage(text);
      outbox.sendFrame([frame.subarray(0, 2), frame.subarray(2)]);
      return [["message", false, latin1(text)]];
    },
  ])();
}

test("ws's Receiver reads everything that several outboxes send at a time, complete and in order", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random(seed);
    const clients = Array.from({ length: 3 }, () => ({ ...createOutbox(), sent: [] as Received[] }));
    for (let n = 0; n < 60; n++) {
      const { connection, outbox, sent } = clients[random.below(3)] ?? assert.fail();
      sent.push(...sendSomething(outbox, random));
      if (random.onceIn(10)) connection.block();
      if (random.onceIn(10)) connection.unblock();
      if (random.onceIn(4)) await endOfTurn();
    }
    for (const { connection, outbox, sent } of clients) {
      outbox.sendClose(4_000, "bye 火");
      sent.push(["close", 4_000, Buffer.from("bye 火").toString("latin1")]);
      connection.unblock();
      await endOfTurn();
      assert.deepEqual(
        await receiveWithWs(connection.written, { isServer: false }),
        sent,
        `with seed ${seed}`,
      );
    }
  }
});

test("everything that is sent in one turn is written at once when the turn ends", async () => {
  const { connection, outbox } = createOutbox();
  for (let n = 0; n < 100; n++) outbox.send(`message ${n}`.padEnd(300));
  outbox.sendFrame([encodeMessage("to all")]);
  outbox.sendControl(PING, "");
  assert.equal(connection.written.length, 0);
  assert.ok(outbox.bufferedBytes > 1_000);
  await endOfTurn();
  assert.equal(connection.written.length, 1);
  assert.equal(outbox.bufferedBytes, 0);
});

test("a large payload is written immediately, before its owner can change it", async () => {
  const { connection, outbox } = createOutbox();
  const payload = Buffer.alloc(20_000, "a");
  outbox.send(payload);
  payload.fill("b");
  await endOfTurn();
  assert.equal(readFrame(Buffer.concat(connection.written))?.payload.toString(), "a".repeat(20_000));
});

test("a small payload is copied, so its owner may change it right after sending", async () => {
  const { connection, outbox } = createOutbox();
  const payload = Buffer.alloc(100, "a");
  outbox.send(payload);
  payload.fill("b");
  await endOfTurn();
  assert.equal(readFrame(Buffer.concat(connection.written))?.payload.toString(), "a".repeat(100));
});

test("callbacks are called at once below the high-water mark, and otherwise in order after a drain", async () => {
  const { connection, outbox } = createOutbox();
  const called: number[] = [];
  outbox.send("a", {}, () => called.push(1));
  assert.deepEqual(called, [1]);
  connection.block();
  outbox.send(Buffer.alloc(2 ** 20));
  assert.ok(outbox.isFull);
  outbox.send("b", {}, () => called.push(2));
  outbox.send("c", {}, () => {
    called.push(3);
    outbox.send("d", {}, () => called.push(4));
  });
  outbox.awaitRoom(() => called.push(5));
  await endOfTurn();
  assert.deepEqual(called, [1]);
  connection.unblock();
  await endOfTurn();
  assert.ok(!outbox.isFull);
  assert.deepEqual(called, [1, 2, 3, 5, 4]);
});

test("callbacks are called also if the high-water mark is lower than the connection's own", async () => {
  const { connection, outbox } = createOutbox();
  outbox.setHighWaterMark(1);
  let called = 0;
  outbox.send("a", {}, () => called++);
  await endOfTurn();
  assert.equal(called, 1);
  connection.block();
  for (let n = 0; n < 200; n++) outbox.send("x".repeat(1_000), {}, () => called++);
  await endOfTurn();
  assert.ok(called < 201, "no callback had to wait");
  connection.unblock();
  await endOfTurn();
  assert.equal(called, 201);
});

test("a callback may send again with a callback, 20,000 times in a row", () => {
  const { outbox } = createOutbox();
  let left = 20_000;
  const sendOn = () => {
    if (left-- > 0) outbox.send("on", {}, sendOn);
  };
  sendOn();
  assert.equal(left, -1);
});

test("all recipients of the broadcasts of a turn get the frames sent to them, which are concatenated once for all", async () => {
  const [one, other] = [createOutbox(), createOutbox()];
  const parts = (text: string) => [encodeMessage(text).subarray(0, 2), Buffer.from(text)];
  const [a, b] = [parts("a"), parts("b")];
  for (const frame of [a, b]) for (const { outbox } of [one, other]) outbox.sendFrame(frame);
  one.outbox.sendFrame(a);
  await endOfTurn();
  const texts = (connection: FakeConnection) => String(Buffer.concat(connection.written)).match(/[a-z]/g);
  assert.deepEqual(texts(one.connection), ["a", "b", "a"]);
  assert.deepEqual(texts(other.connection), ["a", "b"]);
});

test("callbacks that wait for a drain are called when the connection is lost", async () => {
  const { connection, outbox } = createOutbox();
  connection.block();
  outbox.send(Buffer.alloc(2 ** 20));
  const told: (string | undefined)[] = [];
  outbox.awaitRoom((error) => told.push(error?.message));
  outbox.drop();
  assert.deepEqual(told, ["WebSocket is not open"]);
});

test("nothing is sent after a close frame", async () => {
  const { connection, outbox } = createOutbox();
  outbox.send("a");
  outbox.sendClose(1_000);
  outbox.sendFrame([encodeMessage("late")]);
  await endOfTurn();
  const [last] = Buffer.concat(connection.written).subarray(3).values();
  assert.equal(last, 0x80 | CLOSE);
  assert.deepEqual(readFrame(Buffer.concat(connection.written), 3)?.payload, closing(1_000));
  assert.equal(Buffer.concat(connection.written).length, 3 + 4);
});

test("frames that may not be sent are refused", () => {
  const { outbox } = createOutbox();
  for (const code of [0, 999, 1_004, 1_005, 1_006, 1_015, 2_999, 5_000])
    assert.throws(() => outbox.sendClose(code), { name: "TypeError", message: /valid error code/ });
  assert.throws(() => outbox.sendClose(1_000, "火".repeat(42)), { name: "RangeError", message: /123 bytes/ });
  assert.throws(() => outbox.sendControl(PING, "x".repeat(126)), {
    name: "RangeError",
    message: /125 bytes/,
  });
  assert.throws(() => outbox.send(new Blob()), { name: "TypeError", message: /\(got \[object Blob\]\)/ });
  assert.throws(() => outbox.send({}), { name: "TypeError", message: /\(got \[object Object\]\)/ });
});
