/**
 * Compares the frame reader with ws's own Receiver, on random streams of valid and invalid frames that are cut at random
 * places.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingBuffer } from "../../runtimes/node/websocket/growing-buffer.ts";
import { FrameReader, type FrameSink, type Limits } from "../../runtimes/node/websocket/reader.ts";
import { Random } from "../support/random.ts";
import { BINARY, CLOSE, closing, frame, PING, PONG, TEXT } from "../support/websocket-protocol.ts";
import { describeBreach, type Received, receiveWithWs } from "./ws-receiver.ts";

const FIN = 0x80;

/** Reads a stream that arrives in these pieces, and returns what the frame reader reports. */
function receiveWithReader(pieces: readonly Buffer[], limits: Limits): Received[] {
  const received: Received[] = [];
  const sink: FrameSink = {
    handleMessage: (data, isBinary) => received.push(["message", isBinary, data.toString("latin1")]),
    handlePing: (data) => received.push(["ping", data.toString("latin1")]),
    handlePong: (data) => received.push(["pong", data.toString("latin1")]),
    handleClose: (code, reason) => received.push(["close", code, reason.toString("latin1")]),
    handleBreach: (error) => received.push(describeBreach(error)),
  };
  const reader = new FrameReader(sink, limits);
  for (const piece of pieces) reader.read(Buffer.from(piece));
  return received;
}

const randomLimits = (random: Random): Limits => ({
  maxPayload: random.pick([0, 300, 100_000]),
  maxFragments: random.pick([0, 0, 3, 100]),
  skipUTF8Validation: random.onceIn(5),
});

const randomMask = (random: Random): number[] => (random.onceIn(8) ? [0, 0, 0, 0] : [...random.bytes(4)]);

const LENGTHS = [0, 1, 2, 7, 63, 64, 65, 125, 126, 127, 299, 300, 301, 4_000] as const;
const LONG = [65_535, 65_536, 100_000, 100_001] as const;
const randomLength = (random: Random): number => random.pick(random.onceIn(40) ? LONG : LENGTHS);

/** Makes text of about so many bytes, which is not always valid UTF-8. */
function randomText(random: Random, length: number): Buffer {
  const text = Buffer.from(random.pick(["a", "é", "火", "🔥"]).repeat(length)).subarray(0, length);
  return random.onceIn(4) ? text : Buffer.from(text.toString().replaceAll("\ufffd", "x"));
}

function randomMessage(random: Random): Buffer {
  const opcode = random.pick([TEXT, BINARY]);
  const length = randomLength(random);
  const payload = opcode === TEXT ? randomText(random, length) : random.bytes(length);
  const frames = [];
  const fragments = random.onceIn(2) ? random.split(payload).slice(0, 40) : [payload];
  for (const [n, fragment] of fragments.entries()) {
    const flags = n === fragments.length - 1 ? FIN : 0;
    frames.push(frame(n === 0 ? opcode : 0, fragment, { flags, mask: randomMask(random) }));
    if (random.onceIn(4)) frames.push(randomControl(random));
  }
  return Buffer.concat(frames);
}

const randomControl = (random: Random): Buffer =>
  frame(random.pick([PING, PONG]), random.bytes(random.below(126)), { mask: randomMask(random) });

const CODES = [999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 2999, 3000, 4999, 5000] as const;

/** Makes a frame that breaks the protocol, or closes the connection. */
function randomEnd(random: Random): Buffer {
  const payload = random.bytes(random.below(20));
  return random.pick<() => Buffer>([
    () => frame(TEXT, payload, { flags: FIN | random.pick([0x10, 0x20, 0x40, 0x70]) }),
    () => frame(random.pick([3, 7, 11, 15]), payload),
    () => frame(random.pick([TEXT, BINARY, PING, CLOSE]), payload, { mask: false }),
    () => frame(random.pick([PING, PONG, CLOSE]), random.bytes(126)),
    () => frame(random.pick([PING, PONG, CLOSE]), payload, { flags: 0 }),
    () => frame(0, payload),
    () => Buffer.concat([frame(TEXT, "a", { flags: 0 }), frame(TEXT, "b")]),
    () => frame(BINARY, payload, { length: random.pick([100_001n, 2n ** 53n, 2n ** 63n + 1n]) }),
    () => frame(TEXT, Buffer.concat([payload, Buffer.of(0xff)])),
    () => frame(CLOSE, "x"),
    () => frame(CLOSE, ""),
    () => frame(CLOSE, closing(random.pick(CODES), random.pick(["", "bye 火", Buffer.of(0xc3)]))),
  ])();
}

function randomStream(random: Random): Buffer {
  const frames = [];
  for (let n = random.below(8); n >= 0; n--) frames.push(randomMessage(random));
  if (random.onceIn(2)) frames.splice(random.below(frames.length + 1), 0, randomEnd(random));
  const stream = Buffer.concat(frames);
  const broken = random.below(stream.length);
  if (random.onceIn(4)) stream[broken] = random.below(256);
  return stream;
}

test("the frame reader reports the same as ws's Receiver for 500 random streams", async () => {
  const names = new Map<unknown, number>();
  for (let seed = 0; seed < 500; seed++) {
    const random = new Random(seed);
    const limits = randomLimits(random);
    const pieces = random.split(randomStream(random));
    const expected = await receiveWithWs(pieces, { ...limits, isServer: true });
    assert.deepEqual(receiveWithReader(pieces, limits), expected, `with seed ${seed}`);
    for (const [name, , , code] of expected) {
      const kind = name === "breach" ? code : name;
      names.set(kind, (names.get(kind) ?? 0) + 1);
    }
  }
  const kinds = [...names.keys()].sort();
  assert.deepEqual(
    kinds,
    EVERY_KIND,
    "the random streams must lead to each kind of report, and to no unknown one",
  );
});

/** Everything that the frame reader can report. */
const EVERY_KIND = [
  "WS_ERR_EXPECTED_FIN",
  "WS_ERR_EXPECTED_MASK",
  "WS_ERR_INVALID_CLOSE_CODE",
  "WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH",
  "WS_ERR_INVALID_OPCODE",
  "WS_ERR_INVALID_UTF8",
  "WS_ERR_TOO_MANY_BUFFERED_PARTS",
  "WS_ERR_UNEXPECTED_RSV_1",
  "WS_ERR_UNEXPECTED_RSV_2_3",
  "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH",
  "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH",
  "close",
  "message",
  "ping",
  "pong",
];

test("a stream is read the same wherever it is cut in two", () => {
  const limits = { maxPayload: 0, maxFragments: 0, skipUTF8Validation: false };
  const stream = Buffer.concat([
    frame(TEXT, "火の粉"),
    frame(BINARY, Buffer.alloc(200, 7), { flags: 0 }),
    frame(PING, "still there?"),
    frame(0, Buffer.alloc(300, 8)),
    frame(CLOSE, closing(4000, "bye")),
  ]);
  const expected = receiveWithReader([stream], limits);
  assert.equal(expected.length, 4);
  for (let at = 1; at < stream.length; at++) {
    const pieces = [stream.subarray(0, at), stream.subarray(at)];
    assert.deepEqual(receiveWithReader(pieces, limits), expected, `cut at ${at}`);
  }
});

/** Reads a stream, and returns the payload with the memory that it lies in. */
function readPayload(pieces: readonly Buffer[]): Buffer {
  let payload: Buffer | undefined;
  const ignore = () => {};
  const handleMessage = (data: Buffer) => {
    payload = data;
  };
  const limits = { maxPayload: 0, maxFragments: 0, skipUTF8Validation: false };
  const others = { handlePing: ignore, handlePong: ignore, handleClose: ignore, handleBreach: ignore };
  const reader = new FrameReader({ ...others, handleMessage }, limits);
  for (const piece of pieces) reader.read(piece);
  assert.ok(payload, "the frame reader reported no payload");
  return payload;
}

test("a frame that lies in one chunk is not copied", () => {
  const chunk = frame(BINARY, Buffer.alloc(1_000, 5));
  const payload = readPayload([chunk]);
  assert.equal(payload.length, 1_000);
  assert.equal(payload.buffer, chunk.buffer);
});

test("a frame that is cut is copied once, into memory of its size; fragments take no more than their total size", (t) => {
  const allocate = t.mock.method(Buffer, "allocUnsafeSlow");
  const whole = frame(BINARY, Buffer.alloc(500_000, 5));
  const cut = readPayload([
    whole.subarray(0, 60_000),
    whole.subarray(60_000, 70_000),
    whole.subarray(70_000),
  ]);
  assert.equal(cut.buffer.byteLength, 500_000);
  assert.equal(allocate.mock.callCount(), 1);
  const large = frame(BINARY, Buffer.alloc(500_000, 5), { flags: 0 });
  const fragmented = readPayload([large, frame(0, Buffer.alloc(100_000, 5))]);
  assert.equal(fragmented.buffer.byteLength, 600_000);
});

test("16,000 fragments of one byte take at most twice their size in memory, and are copied only a few times", () => {
  const buffer = new GrowingBuffer();
  const memories = new Set<Buffer>();
  for (let n = 0; n < 16_000; n++) {
    buffer.announce(1, true);
    buffer.append(Buffer.of(n & 0xff), 0, 1);
    memories.add(buffer.bytes);
    assert.ok(buffer.bytes.length <= Math.max(1_024, 2 * buffer.length));
  }
  assert.ok(memories.size < 10, `it was copied ${memories.size} times`);
  assert.ok(buffer.bytes.subarray(0, 16_000).every((byte, n) => byte === (n & 0xff)));
});

test("a header that announces a gigabyte takes at most a megabyte of memory, and the complete frame no more than its size", () => {
  const announced = new GrowingBuffer();
  announced.announce(2 ** 30, false);
  announced.append(Buffer.alloc(10), 0, 10);
  assert.equal(announced.bytes.length, 2 ** 20);

  const whole = new GrowingBuffer();
  whole.announce(3_000_000, false);
  for (let n = 0; n < 3_000; n++) whole.append(Buffer.alloc(1_000), 0, 1_000);
  assert.equal(whole.bytes.length, 3_000_000);
});
