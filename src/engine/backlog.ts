/**
 * Cuts off clients that are sent more than they read. What they do not read waits in the write buffers of their
 * sessions, and nothing else would ever end that: such a client may well answer every ping.
 */
import { clearInterval, setInterval } from "node:timers";
import type { Logger } from "../settings.ts";
import type { EngineDriver, WaitingPacket } from "./driver.ts";
import { TransportError } from "./transport.ts";

/**
 * How often write buffers are measured, in milliseconds. Measuring now and then costs the sessions that keep up next to
 * nothing, and a burst of any size gets this time to leave.
 */
const CHECK_INTERVAL = 1000;

/** About how many bytes the objects take that a packet is made of, besides its data. */
const PACKET_OVERHEAD = 128;

const sizeOf = ({ data }: WaitingPacket): number => {
  if (typeof data === "string") return data.length + PACKET_OVERHEAD;
  const isBinary = data instanceof ArrayBuffer || ArrayBuffer.isView(data);
  return (isBinary ? data.byteLength : 0) + PACKET_OVERHEAD;
};

/**
 * Measures how many bytes wait in a write buffer. The largest packet is not counted: a message of any size may be sent
 * to a client for which nothing else waits. A character of text counts as one byte, because encoding it to measure it
 * would take longer than to send it.
 */
function measure(writeBuffer: readonly WaitingPacket[]): number {
  let bytes = 0;
  let largest = 0;
  for (const packet of writeBuffer) {
    const size = sizeOf(packet);
    bytes += size;
    if (size > largest) largest = size;
  }
  return bytes - largest;
}

/** A client that takes a burst in less time than this many seconds for each limit of bytes is reading, if slowly. */
const PATIENCE = 16;

/** What waited for a session that was over the limit a second ago: the last packet, and how many bytes. */
interface Suspect {
  readonly last: WaitingPacket | undefined;
  readonly bytes: number;
}

/**
 * Measures the sessions of a driver once a second. It has a session cut off when more waited than the limit, and more
 * does still, and the client has neither taken what waited a second ago nor made it noticeably less. So a burst of any
 * size reaches a client that reads, but not one that keeps the memory by reading a little now and then.
 */
export class BacklogWatch {
  readonly #limit: number;
  readonly #logger: Logger;
  #timer: ReturnType<typeof setInterval> | undefined;
  #suspects = new Map<object, Suspect>();

  /** @param limit how many bytes may wait for a client; 0 lets any number wait */
  constructor(limit: number, logger: Logger) {
    this.#limit = limit;
    this.#logger = logger;
  }

  start(driver: EngineDriver): void {
    if (this.#limit === 0) return;
    this.#timer = setInterval(() => this.#check(driver), CHECK_INTERVAL);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#suspects.clear();
  }

  #check(driver: EngineDriver): void {
    const limit = this.#limit;
    const before = this.#suspects;
    const suspects = new Map<object, Suspect>();
    let count = 0;
    driver.judgeBacklogs((session, writeBuffer) => {
      const bytes = measure(writeBuffer);
      if (bytes <= limit) return undefined;
      const suspect = before.get(session);
      if (!suspect?.last || !writeBuffer.includes(suspect.last) || bytes < suspect.bytes - limit / PATIENCE) {
        suspects.set(session, { last: writeBuffer.at(-1), bytes });
        return undefined;
      }
      count++;
      return new TransportError(`the client does not read: more than ${limit} bytes wait for it`);
    });
    this.#suspects = suspects;
    if (count === 0) return;
    // One line for all of them: an attacker must not be able to fill the log.
    const who = count === 1 ? "a client that does not read" : `${count} clients that do not read`;
    this.#logger.warn(`Disconnected ${who}: more than ${limit} bytes waited for each (MAX_BUFFERED)`);
  }
}
