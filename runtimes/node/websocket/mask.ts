/**
 * Unmasks a client's payload in place (RFC 6455, 5.3).
 */
import { endianness } from "node:os";

/** From this many bytes on, it is faster to unmask eight bytes at a time than one by one. */
const WORTHWHILE = 64;

/** The mask, repeated to fill a word of eight bytes: `halves` and `word` are two views of the same memory. */
const word = new BigUint64Array(1);
const halves = new Int32Array(word.buffer);

const isLittleEndian = endianness() === "LE";

/**
 * Removes the mask from `bytes[start..end)`.
 * @param mask the four bytes of the mask as an integer, the first byte lowest
 * @returns true if all bytes are ASCII; false if not, and for every long payload, because checking it would take time
 */
export function unmask(bytes: Uint8Array, start: number, end: number, mask: number): boolean {
  if (end - start < WORTHWHILE || !isLittleEndian) return unmaskBytes(bytes, start, end, mask);
  // A typed array of words must begin at a multiple of eight in the memory under the bytes.
  const first = start + (-(bytes.byteOffset + start) & 7);
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset + first, (end - first) >>> 3);
  const key = rotateMask(mask, first - start);
  halves.fill(key);
  unmaskWords(words, word[0] ?? 0n);
  unmaskBytes(bytes, start, first, mask);
  unmaskBytes(bytes, first + words.byteLength, end, key);
  return false;
}

function unmaskWords(words: BigUint64Array, key: bigint): void {
  for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0n) ^ key;
}

/** @returns whether all bytes are ASCII */
function unmaskBytes(bytes: Uint8Array, start: number, end: number, mask: number): boolean {
  let seen = 0;
  for (let i = start, key = mask; i < end; i++, key = rotateMask(key, 1)) {
    const byte = (bytes[i] ?? 0) ^ (key & 0xff);
    bytes[i] = byte;
    seen |= byte;
  }
  return seen < 0x80;
}

/**
 * Rotates the mask to apply from `bytes` further on. For a multiple of four, the shift by 32 bits is one by 0, which is
 * right.
 */
const rotateMask = (mask: number, bytes: number): number => {
  const bits = (bytes & 3) * 8;
  return (mask >>> bits) | (mask << (32 - bits));
};
