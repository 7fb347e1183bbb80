/**
 * What has come in on one WebSocket and waits until it is handled, first in, first out.
 */

/** A message, or the event that ends the WebSocket. */
export type Arrival = string | ArrayBuffer | ErrorEvent | CloseEvent;

/** What keeping a message takes beside its characters or bytes, in bytes: about that of a small string in an array. */
const OVERHEAD = 64;

/** After so many items were taken, the room that they had is given back once it is more than half of all. */
const CHUNK = 1024;

export class Arrivals {
  /** Items up to `#taken` were taken. */
  #items: Arrival[] = [];
  #taken = 0;
  /** How many bytes of memory the messages take, roughly. */
  size = 0;

  get isEmpty(): boolean {
    return this.#taken === this.#items.length;
  }

  add(item: Arrival): void {
    this.#items.push(item);
    this.size += sizeOf(item);
  }

  /** Takes the item that was added first. */
  take(): Arrival | undefined {
    const item = this.#items[this.#taken];
    if (item === undefined) return undefined;
    this.#taken++;
    this.size -= sizeOf(item);
    if (this.#taken >= CHUNK && this.#taken * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#taken);
      this.#taken = 0;
    }
    return item;
  }
}

function sizeOf(item: Arrival): number {
  if (typeof item === "string") return item.length + OVERHEAD;
  return item instanceof ArrayBuffer ? item.byteLength + OVERHEAD : 0;
}
