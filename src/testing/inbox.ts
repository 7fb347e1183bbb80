/**
 * What a client has received: a list of all events, and the events of each name that nobody has taken yet.
 */
import { inspect } from "node:util";
import { inTime } from "./refusal.ts";

/** An event that a client has received. */
export interface ReceivedEvent {
  readonly event: string;
  /** Its arguments; the last one is a function if the server waits for an acknowledgement. */
  readonly args: readonly unknown[];
}

/** How many events, and characters of each, an error shows. */
const SHOWN_EVENTS = 5;
const SHOWN_LENGTH = 100;

/** Writes an event as an error shows it: `"said" ("hello", 1)`. */
function formatEvent({ event, args }: ReceivedEvent): string {
  const text = args.map((arg) => inspect(arg, { breakLength: Number.POSITIVE_INFINITY })).join(", ");
  return `"${event}" (${text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text})`;
}

function formatEvents(events: readonly ReceivedEvent[]): string {
  if (events.length === 0) return "nothing";
  const more = events.length - SHOWN_EVENTS;
  const shown = events.slice(-SHOWN_EVENTS).map(formatEvent).join(", ");
  return more > 0 ? `${more} other events, then ${shown}` : shown;
}

interface Waiter {
  readonly event: string;
  /** @param received the event; undefined if none will come */
  readonly resolve: (received: ReceivedEvent | undefined) => void;
}

export class Inbox {
  readonly received: ReceivedEvent[] = [];
  /** The events that no `take()` has taken, in order. */
  readonly #untaken: ReceivedEvent[] = [];
  #waiters: Waiter[] = [];
  /** Why nothing will come any more. */
  #end: string | undefined;

  /** Puts an event in. */
  add(event: string, args: readonly unknown[]): void {
    const received = { event, args };
    this.received.push(received);
    const waiter = this.#waiters.find((waiter) => waiter.event === event);
    if (!waiter) this.#untaken.push(received);
    else {
      this.#forget(waiter);
      waiter.resolve(received);
    }
  }

  /** Takes the first event of this name that was not taken yet, or the next one that comes. */
  async take(event: string, timeout: number): Promise<ReceivedEvent> {
    const index = this.#untaken.findIndex((received) => received.event === event);
    const [found] = index < 0 ? [] : this.#untaken.splice(index, 1);
    if (found) return found;
    const received = this.#end === undefined ? await this.#waitFor(event, timeout) : undefined;
    if (received) return received;
    throw new Error(
      `Waited for "${event}", but ${this.#end}; received ${formatEvents(this.#untaken)} before`,
    );
  }

  async #waitFor(event: string, timeout: number): Promise<ReceivedEvent | undefined> {
    let waiter: Waiter | undefined;
    const coming = new Promise<ReceivedEvent | undefined>((resolve) => {
      waiter = { event, resolve };
      this.#waiters.push(waiter);
    });
    const describe = () =>
      `Waited ${timeout} ms for "${event}", but received ${formatEvents(this.#untaken)} instead`;
    try {
      return await inTime(coming, timeout, describe);
    } finally {
      if (waiter) this.#forget(waiter);
    }
  }

  /**
   * Fails if there are events that were not taken.
   * @param event their name; undefined for any
   */
  expectNone(event: string | undefined): void {
    const unexpected = this.#untaken.filter((received) => event === undefined || received.event === event);
    if (unexpected.length === 0) return;
    const what = event === undefined ? "event" : `"${event}"`;
    throw new Error(`Expected no ${what}, but received ${formatEvents(unexpected)}`);
  }

  /** Has those who wait, and those who will, fail: nothing will come any more. @param reason "it has left" */
  close(reason: string): void {
    this.#end = reason;
    for (const { resolve } of this.#waiters.splice(0)) resolve(undefined);
  }

  /** Takes events again. */
  open(): void {
    this.#end = undefined;
  }

  #forget(waiter: Waiter): void {
    this.#waiters = this.#waiters.filter((other) => other !== waiter);
  }
}
