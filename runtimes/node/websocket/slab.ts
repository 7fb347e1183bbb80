/**
 * Memory that frames are encoded into, one behind the other whoever sends them: what one connection sends in a row lies
 * in a row, and can leave without having been copied.
 */
import { writeHeader } from "./frame.ts";

/** The size of a slab, in bytes. A connection that is slow to take its last frames holds one. */
const SIZE = 32 * 1024;

export class Slab {
  static #current = new Slab();

  /** The slab that is written to, which has room for that many bytes. */
  static withRoom(size: number): Slab {
    if (Slab.#current.used + size > SIZE) Slab.#current = new Slab();
    return Slab.#current;
  }

  readonly bytes = Buffer.allocUnsafeSlow(SIZE);
  #used = 0;

  /** Where the next frame goes. */
  get used(): number {
    return this.#used;
  }

  writeHeader(first: number, length: number): void {
    this.#used = writeHeader(this.bytes, this.#used, first, length);
  }

  /** Writes a frame. @param length of the payload, in bytes */
  write(first: number, payload: string | Uint8Array, length: number): void {
    this.writeHeader(first, length);
    if (typeof payload !== "string") this.bytes.set(payload, this.#used);
    else this.bytes.write(payload, this.#used, payload.length === length ? "latin1" : "utf8");
    this.#used += length;
  }
}
