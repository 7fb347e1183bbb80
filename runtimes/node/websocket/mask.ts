/**
 * Takes the mask off a payload, in place (RFC 6455, 5.3).
 */
import { endianness } from "node:os";

/** From how many bytes on it pays to look at them as words of eight. */
const WORTHWHILE = 64;

/** The mask twice, in one word. */
const word = new BigUint64Array(1);
const halves = new Int32Array(word.buffer);

const isLittleEndian = endianness() === "LE";

/**
 * Takes the mask off `bytes[start..end)`.
 * @param mask its four octets, the first one lowest
 * @returns whether the payload is known to be ASCII, as a short one is on the way
 */
export function unmask(bytes: Uint8Array, start: number, end: number, mask: number): boolean {
  if (end - start < WORTHWHILE || !isLittleEndian) return unmaskBytes(bytes, start, end, mask);
  // Words begin at multiples of eight in the memory under the bytes.
  const first = start + (-(bytes.byteOffset + start) & 7);
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset + first, (end - first) >>> 3);
  const key = rotate(mask, first - start);
  halves.fill(key);
  unmaskWords(words, word[0] ?? 0n);
  unmaskBytes(bytes, start, first, mask);
  unmaskBytes(bytes, first + words.byteLength, end, key);
  return false;
}

function unmaskWords(words: BigUint64Array, key: bigint): void {
  for (let i = 0; i < words.length; i++) words[i] = (words[i] ?? 0n) ^ key;
}

/** @returns whether all of it is ASCII */
function unmaskBytes(bytes: Uint8Array, start: number, end: number, mask: number): boolean {
  let seen = 0;
  for (let i = start, key = mask; i < end; i++, key = rotate(key, 1)) {
    const byte = (bytes[i] ?? 0) ^ (key & 0xff);
    bytes[i] = byte;
    seen |= byte;
  }
  return seen < 0x80;
}

/** The mask as it stands that many octets on. A shift by 32 bits is one by none. */
const rotate = (mask: number, octets: number): number => {
  const bits = (octets & 3) * 8;
  return (mask >>> bits) | (mask << (32 - bits));
};
