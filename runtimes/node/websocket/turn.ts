/**
 * Shares the work of one turn of the event loop, which ends when Node runs its immediates, between all connections.
 * They share
 * - one immediate that flushes every connection that has something to send;
 * - one slab of memory into which all of them encode their frames, one after the other;
 * - the latest concatenations, because a broadcast gives the same parts to each of its recipients.
 */
import { writeHeader } from "./frame.ts";

interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];

/** Flushes an item after the other callbacks of this turn have run. */
export function flushAtEndOfTurn(item: Flushable): void {
  if (waiting.push(item) === 1) setImmediate(endTurn);
}

function endTurn(): void {
  const items = waiting;
  waiting = [];
  for (const item of items) item.flush();
  frames.forget();
  writes.forget();
}

/**
 * The size of a slab, in bytes. A client that is slow to take its last frames keeps one slab alive, so a larger slab
 * would cost more memory for each slow client.
 */
const SLAB_SIZE = 32 * 1024;

/** Memory for encoded frames: what one connection sends in a row lies in a row, and is written without a copy. */
export class Slab {
  readonly bytes = Buffer.allocUnsafeSlow(SLAB_SIZE);
  #used = 0;

  /** How many bytes are used, which is the index where the next frame goes. */
  get used(): number {
    return this.#used;
  }

  hasRoomFor(size: number): boolean {
    return this.#used + size <= SLAB_SIZE;
  }

  writeHeader(first: number, length: number): void {
    this.#used = writeHeader(this.bytes, this.#used, first, length);
  }

  /** Writes a frame. @param length the size of the payload, in bytes */
  writeFrame(first: number, payload: string | Uint8Array, length: number): void {
    this.writeHeader(first, length);
    if (typeof payload !== "string") this.bytes.set(payload, this.#used);
    else this.bytes.write(payload, this.#used, payload.length === length ? "latin1" : "utf8");
    this.#used += length;
  }
}

let currentSlab = new Slab();

/** Returns the slab that is being filled, or a new one if that has no room for `size` bytes. */
export function findSlab(size: number): Slab {
  if (!currentSlab.hasRoomFor(size)) currentSlab = new Slab();
  return currentSlab;
}

/** Concatenates buffers, and returns the same result again if the next call has the same buffers. */
class Joiner {
  #parts: readonly Uint8Array[] = [];
  #joined = Buffer.alloc(0);

  join(parts: readonly Uint8Array[]): Buffer {
    if (!this.#isRemembered(parts)) {
      this.#joined = Buffer.concat(parts);
      this.#parts = parts;
    }
    return this.#joined;
  }

  forget(): void {
    this.#parts = [];
    this.#joined = Buffer.alloc(0);
  }

  #isRemembered(parts: readonly Uint8Array[]): boolean {
    const last = this.#parts;
    return parts === last || (parts.length === last.length && parts.every((part, n) => part === last[n]));
  }
}

// Each kind has its own joiner. With one for both, the writes between two frames of a broadcast would replace its
// result.
const frames = new Joiner();
const writes = new Joiner();

/** Joins the parts of a frame, once for all successive recipients that get the same parts. */
export const joinFrame = (parts: readonly Uint8Array[]): Buffer => frames.join(parts);

/** Joins the parts of one write, once for all successive connections that write the same parts. */
export const joinWrite = (parts: readonly Uint8Array[]): Buffer => writes.join(parts);
