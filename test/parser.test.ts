/**
 * The fast parser against socket.io-parser: the same frames, the same packets, the same refusals.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";
import { fastParser } from "../src/realtime/parser.ts";

const { EVENT, ACK, CONNECT, DISCONNECT, CONNECT_ERROR } = PacketType;

const circular: unknown[] = ["a"];
circular.push({ circular });

const payloads: unknown[] = [
  ["a"],
  ["a", 1, null, undefined, true, "é\u2028\ud800", () => 1, Symbol("s"), Number.NaN],
  ["a", { b: [{ c: "d" }, []], e: undefined }],
  ["a", Object.create(null), new Map([[1, 2]]), new Date(0)],
  ["a", { toJSON: () => ({ b: 1 }) }],
  ["a", { toJSON: () => Buffer.from("b") }],
  ["a", Buffer.from("b"), { c: [new Uint8Array([1, 2]), new ArrayBuffer(3)] }],
  ["a", new Blob(["b"])],
  ["a", 1n],
  [1, [undefined, 2]],
  [],
  circular,
  { a: 1 },
  "a",
  undefined,
];

const packets: Packet[] = [EVENT, ACK, CONNECT, DISCONNECT, CONNECT_ERROR].flatMap((type) =>
  ["/", "/chat", "/chat?a=b", ""].flatMap((nsp) =>
    [undefined, 0, 12].flatMap((id) =>
      payloads.map((data) => ({ type, nsp, data, ...(id !== undefined && { id }) })),
    ),
  ),
);

/** What a function returns, or how it fails. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? [error.name, error.message] : error;
  }
}

/** What comes out of a decoder for each of these. */
function decoded(decoder: Decoder, frames: readonly unknown[]): unknown[] {
  const found: unknown[] = [];
  decoder.on("decoded", (packet) => found.push(packet));
  for (const frame of frames) found.push(outcome(() => decoder.add(frame)));
  return found;
}

const ANNOUNCED = '51-["a",{"_placeholder":true,"num":0}]';
const sequences: unknown[][] = [
  "",
  "a",
  "7",
  "2",
  "3",
  "2[",
  '2["a"',
  "2{}",
  "2[]",
  "2[null]",
  "2[1]",
  '2["a"] ',
  '2["connect"]',
  '2["disconnecting",1]',
  '2 ["a"]',
  '2["a",{"__proto__":{"b":1}}]',
  '2"a"',
  "3[]",
  "3{}",
  '3["a"]',
  '2/chat,["a"]',
  '2/chat["a"]',
  '2/chat,12["a"]',
  '2/["a"]',
  '2/,["a"]',
  '2/chat,{"a":[1]}',
  "2/chat,",
  '212["a"]',
  "30[]",
  '2007["a"]',
  '2-1["a"]',
  '21.5["a"]',
  `2${"9".repeat(400)}["a"]`,
  '2 1["a"]',
  "0",
  '0{"a":1}',
  "0/chat,",
  "1",
  "1/chat,",
  '4{"message":"a"}',
  '4"a"',
  '5["a"]',
  "50-[]",
  '61-["a"]',
].map((frame) => [frame]);
sequences.push(
  [ANNOUNCED, Buffer.from("b"), '2["c"]', '2["d"]'],
  [ANNOUNCED, '2["c"]', Buffer.from("b"), '2["d"]'],
  ['52-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]', Buffer.from("b"), '2["c"]'],
  ['61-1["a",{"_placeholder":true,"num":0}]', Buffer.from("b"), '3["c"]'],
  ["51-[", '2["c"]', Buffer.from("b")],
  [Buffer.from("b"), '2["c"]', ANNOUNCED, ANNOUNCED],
  [undefined, 1, {}, '2["c"]'],
);

describe("The fast parser", () => {
  test("encodes as socket.io-parser does", () => {
    const [ours, theirs] = [new fastParser.Encoder(), new Encoder()];
    for (const packet of packets) {
      // The long way edits the packet.
      const expected = outcome(() => theirs.encode({ ...packet }));
      assert.deepEqual(
        outcome(() => ours.encode({ ...packet })),
        expected,
      );
    }
  });

  test("decodes as socket.io-parser does", () => {
    for (const frames of sequences) {
      const expected = decoded(new Decoder(), frames);
      assert.deepEqual(decoded(new fastParser.Decoder(), frames), expected, String(frames));
    }
  });

  test("tells every listener, also one that leaves meanwhile", () => {
    const decoder = new fastParser.Decoder();
    const heard: string[] = [];
    const leaves = () => {
      heard.push("first");
      decoder.off("decoded", leaves);
    };
    decoder.on("decoded", leaves);
    decoder.on("decoded", () => heard.push("second"));
    decoder.add('2["a"]');
    decoder.add('2["b"]');
    assert.deepEqual(heard, ["first", "second", "second"]);
  });
});
