/**
 * Compares unmasking with the formula of RFC 6455, 5.3, for lengths around that of a word and each alignment in memory.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unmask } from "../../runtimes/node/websocket/mask.ts";
import { Random } from "../support/random.ts";

test("unmasking changes the payload as the RFC says, and no bytes next to it", () => {
  for (let seed = 0; seed < 2_000; seed++) {
    const random = new Random(seed);
    const bytes = random.bytes(random.pick([40, 300, 3_000]));
    const start = random.below(20);
    const end = start + random.below(bytes.length - start);
    const mask = random.onceIn(10) ? Buffer.alloc(4) : random.bytes(4);
    const expected = bytes.map((byte, n) =>
      n < start || n >= end ? byte : byte ^ mask.readUInt8((n - start) % 4),
    );
    unmask(bytes, start, end, mask.readInt32LE());
    assert.deepEqual(bytes, Buffer.from(expected), `with seed ${seed}`);
  }
});

test("unmasking recognizes every short ASCII payload, and takes no other payload for ASCII", () => {
  for (let length = 0; length < 200; length++) {
    for (const odd of [undefined, 0, length >> 1, length - 1]) {
      const bytes = Buffer.alloc(length, "a");
      if (odd !== undefined && odd in bytes) bytes[odd] = 0x80;
      const isAscii = bytes.every((byte) => byte < 0x80);
      const isKnown = unmask(bytes, 0, length, 0);
      if (length < 64) assert.equal(isKnown, isAscii, `of ${length} bytes`);
      else assert.ok(isAscii || !isKnown, `of ${length} bytes`);
    }
  }
});
