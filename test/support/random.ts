/**
 * Random values that are the same in every run: a test that fails names its seed, and fails again with the same seed.
 */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1);
  }

  /** A whole number from 0 up to but not including the limit. @see https://github.com/cprosche/mulberry32 */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** `true` once in so many times, on average. */
  onceIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(values: readonly [T, ...T[]]): T {
    return values[this.below(values.length)] ?? values[0];
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let n = 0; n < length; n++) bytes[n] = this.below(256);
    return bytes;
  }

  /** Splits bytes into pieces of random lengths, some of them empty; a few thousand pieces at the most. */
  split(bytes: Buffer): Buffer[] {
    const most = Math.max(this.pick([2, 8, 100, 5_000, bytes.length + 1]), bytes.length >> 10);
    const pieces = [];
    for (let at = 0; at < bytes.length; ) {
      const length = this.below(most + 1);
      pieces.push(bytes.subarray(at, at + length));
      at += length;
    }
    return pieces;
  }
}
