/**
 * Compares Hinoko's parser of Socket.IO packets, with fast paths and without, with socket.io-parser: it must produce the
 * same frames, packets and errors, except for data that cannot be sent or is nested too deep. Also tests how long the
 * parser of the engine keeps a broadcast.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import { Decoder, Encoder, type Packet, PacketType } from "socket.io-parser";
import { encodePacket, encodePayload, FrameCache, frameCache } from "../src/engine/parser.ts";
import { findExceededBound } from "../src/realtime/bounds.ts";
import { createParser } from "../src/realtime/parser.ts";

const { EVENT, ACK, CONNECT, DISCONNECT, CONNECT_ERROR } = PacketType;

const payloads: unknown[] = [
  ["a"],
  ["a", 1, null, undefined, true, "é\u2028\ud800", () => 1, Symbol("s"), Number.NaN],
  ["a", { b: [{ c: "d" }, []], e: undefined }],
  ["a", Object.create(null), new Map([[1, 2]]), new Date(0)],
  ["a", { toJSON: () => ({ b: 1 }) }],
  ["a", { toJSON: () => Buffer.from("b") }],
  ["a", Buffer.from("b"), { c: [new Uint8Array([1, 2]), new ArrayBuffer(3)] }],
  ["a", 1n],
  [1, [undefined, 2]],
  [],
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

/** Calls a function, and returns its result or its error. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error instanceof Error ? [error.name, error.message] : error;
  }
}

/** Gives frames to a decoder, and returns its packets and errors. */
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
  "1a",
  "1/chat",
  "1/chat,1[]",
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

/** Makes JSON with so many levels. */
const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels));

/** Runs a test with enumerable properties on Object.prototype, where careless libraries put them. */
function withPrototype(properties: Record<string, unknown>, run: () => void): void {
  Object.assign(Object.prototype, properties);
  try {
    run();
  } finally {
    for (const name of Object.keys(properties)) Reflect.deleteProperty(Object.prototype, name);
  }
}

for (const fastPaths of [true, false]) {
  describe(fastPaths ? "The fast parser" : "The parser without fast paths", () => {
    const parser = createParser({ fastPaths, maxDepth: 256 });

    test("encodes as socket.io-parser does", () => {
      const [ours, theirs] = [new parser.Encoder(), new Encoder()];
      for (const packet of packets) {
        // socket.io-parser changes the packet that it encodes.
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
        assert.deepEqual(decoded(new parser.Decoder(), frames), expected, String(frames));
      }
    });

    test("decodes a disconnect packet as socket.io-parser does, but a tick later", async () => {
      for (const frame of ["1", "1/chat,"]) {
        const [expected] = decoded(new Decoder(), [frame]);
        const decoder = new parser.Decoder();
        const packet = new Promise((resolve) => decoder.on("decoded", resolve));
        assert.deepEqual(decoded(decoder, [frame]), [undefined]);
        assert.deepEqual(await packet, expected);
      }
    });

    test("refuses a disconnect packet while attachments are missing", () => {
      const frames = [ANNOUNCED, "1"];
      assert.deepEqual(decoded(new parser.Decoder(), frames), decoded(new Decoder(), frames));
    });

    test("encodes and decodes the same when Object.prototype has enumerable properties", () => {
      const [packet, frame] = [
        { type: EVENT, nsp: "/", data: ["a", { b: { c: [1] } }] },
        '2["a",{"b":{"c":[1]}}]',
      ];
      const inherited = { self: { list: [{}] }, bytes: Buffer.from("b"), method() {} };
      let [encoded, heard]: [unknown[], unknown[]] = [[], []];
      withPrototype(inherited, () => {
        encoded = new parser.Encoder().encode(packet);
        heard = decoded(new parser.Decoder(), [frame, ANNOUNCED, Buffer.from("c")]);
      });
      assert.deepEqual(encoded, [frame]);
      const events = [packet, { type: EVENT, nsp: "/", data: ["a", Buffer.from("c")] }];
      assert.deepEqual(heard, [events[0], undefined, undefined, events[1], undefined]);
    });

    test("encodes data with as many levels as socket.io-parser does", () => {
      const [ours, theirs] = [new parser.Encoder(), new Encoder()];
      for (const levels of [255, 256, 257, 1000, 2000]) {
        const packet = { type: EVENT, nsp: "/", data: ["a", nested(levels), { b: [nested(levels)] }] };
        assert.deepEqual(ours.encode(packet), theirs.encode(packet));
        const binary = { ...packet, data: [Buffer.from("b"), nested(levels)] };
        assert.deepEqual(ours.encode({ ...binary }), theirs.encode({ ...binary }));
      }
    });

    test("says what is wrong with data that cannot be encoded", () => {
      const circular: unknown[] = ["a"];
      circular.push({ circular });
      const deep = /^What is emitted is circular, or nested too deep to be encoded$/;
      const rows: [unknown, Error["name"], RegExp][] = [
        [circular, "RangeError", deep],
        [nested(200_000), "RangeError", deep],
        [1n, "TypeError", /BigInt/],
        [new Blob(["b"]), "TypeError", /^A Blob or File cannot be emitted: emit its bytes/],
      ];
      for (const [value, name, message] of rows) {
        const encode = () => new parser.Encoder().encode({ type: EVENT, nsp: "/", data: ["a", { value }] });
        assert.throws(encode, { name, message });
      }
    });

    test("calls every listener, also if one of them removes itself meanwhile", () => {
      const decoder = new parser.Decoder();
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
}

describe("A message that is sent to many", () => {
  const packet = (data: string) => ({ type: "message", data, options: { preEncoded: true } }) as const;

  test("is encoded once in a turn, and released when the turn ends", async () => {
    const cache = new FrameCache();
    for (const message of ["a", "a", "", "b"]) {
      assert.equal(cache.frameOf(message), `4${message}`);
      assert.ok(cache.hasMessage);
    }
    await Promise.resolve();
    assert.ok(!cache.hasMessage);
    assert.equal(cache.frameOf("b"), "4b");
    assert.ok(cache.hasMessage);
    await Promise.resolve();
    assert.ok(!cache.hasMessage);
  });

  test("is released by the engine's parser when the turn ends", async () => {
    assert.equal(encodePacket(packet("a")), "4a");
    assert.ok(frameCache.hasMessage);
    assert.equal(encodePacket(packet("b")), "4b");
    assert.equal(encodePayload([packet("b"), packet("c")]), "4b\x1e4c");
    await Promise.resolve();
    assert.ok(!frameCache.hasMessage);
  });
});

describe("A limit on JSON", () => {
  const rows: [json: string, levels: number][] = [
    ["1", 0],
    ['"[[{{"', 0],
    ["[]", 1],
    ["[[],[],{}]", 2],
    ['{"[":{"]":[]},"a":[[{}]]}', 4],
    ['["\\"[[","\\\\",[["\\\\\\"]]]]"]]]', 3],
    ['["\\u0022",[{}]]', 3],
  ];

  const depth = (levels: number) => ({ levels, arguments: Infinity });

  test("of levels counts those that JSON.parse() would make, without parsing", () => {
    for (const [json, levels] of rows) {
      assert.doesNotThrow(() => JSON.parse(json), json);
      assert.equal(findExceededBound(json, depth(levels)), undefined, json);
      if (levels > 0) assert.equal(findExceededBound(json, depth(levels - 1)), "levels", json);
      assert.equal(findExceededBound(`[[["${json}`, depth(levels), 4), undefined, json);
    }
  });

  test("of arguments counts the items of the outermost array only", () => {
    const bounds = { levels: 2, arguments: 3 };
    for (const json of [
      '[1,"a,,,,",[1,2,3,4,5]]',
      '[{"a":1,"b":2,"c":3,"d":4}]',
      '{"a":1,"b":2,"c":3,"d":4}',
    ])
      assert.equal(findExceededBound(json, bounds), undefined, json);
    for (const json of ["[1,2,3,4]", '["a,]",[],{},"\\",[2]"]'])
      assert.equal(findExceededBound(json, bounds), "arguments", json);
  });

  test("can be checked on JSON that is cut off anywhere", () => {
    for (const [json] of rows) {
      for (let end = 0; end < json.length; end++) findExceededBound(json.slice(0, end), depth(1));
    }
  });
});
