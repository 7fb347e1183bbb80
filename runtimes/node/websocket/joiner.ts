/**
 * Joins bytes once for all who need the same: a broadcast gives every recipient the same buffers.
 */

export class Joiner {
  #parts: readonly Uint8Array[] = [];
  #joined = Buffer.alloc(0);

  /** Parts as one buffer, which is the same as the last time if the parts are. */
  join(parts: readonly Uint8Array[]): Buffer {
    if (!this.#isLast(parts)) {
      this.#joined = Buffer.concat(parts);
      this.#parts = parts;
    }
    return this.#joined;
  }

  /** Lets go of what was joined last. */
  forget(): void {
    this.#parts = [];
    this.#joined = Buffer.alloc(0);
  }

  #isLast(parts: readonly Uint8Array[]): boolean {
    const last = this.#parts;
    return parts === last || (parts.length === last.length && parts.every((part, n) => part === last[n]));
  }
}
