/**
 * A buffer that grows with the bytes that a client sends. A client may announce gigabytes in a header of 14 bytes, and
 * may cut a message into thousands of fragments: neither may cost much more memory than the client has really sent.
 */

/** Up to this many bytes, memory for a frame is allocated as soon as its header announces them. */
const TRUSTED = 1024 * 1024;

/** For a larger frame, memory is allocated for at most this many times the bytes that have come. */
const GROWTH = 4;

/** The smallest buffer for a message in fragments, in bytes. */
const SMALLEST = 1024;

/** Up to this many bytes are copied one by one. */
const FEW = 16;

const NOTHING = Buffer.alloc(0);

export class GrowingBuffer {
  #bytes = NOTHING;
  #length = 0;
  #announced = 0;
  #isOpenEnded = false;

  /** How many bytes have come. */
  get length(): number {
    return this.#length;
  }

  /** The bytes that have come, and room for more behind them. The next `append()` may move them elsewhere. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /**
   * Notes that the client has announced more bytes. It allocates no memory yet.
   * @param isOpenEnded whether more fragments, of unknown size, follow those bytes
   */
  announce(count: number, isOpenEnded: boolean): void {
    this.#announced += count;
    this.#isOpenEnded = isOpenEnded;
  }

  /** Appends `source[start..end)`. */
  append(source: Buffer, start: number, end: number): void {
    const length = this.#length + end - start;
    if (length > this.#bytes.length) this.#grow(length);
    // For few bytes, calling copy() takes longer than this loop.
    if (end - start > FEW) source.copy(this.#bytes, this.#length, start, end);
    else for (let i = start, at = this.#length; i < end; i++, at++) this.#bytes[at] = source[i] ?? 0;
    this.#length = length;
  }

  #grow(needed: number): void {
    const believed = Math.min(this.#announced, Math.max(TRUSTED, this.#length * GROWTH));
    // Double it each time. Growing by one fragment at a time would copy everything that has come for each fragment.
    const spare = this.#isOpenEnded ? Math.max(SMALLEST, this.#length * 2) : 0;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, believed, spare));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
