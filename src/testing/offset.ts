/**
 * With connection state recovery, the server adds an offset to each event that it stores, and socket.io-client passes it
 * on as one more argument. A test is not about it. The events that are not stored, volatile ones for example, have none,
 * and nothing else tells the offset from an argument; but it is an id that is made of the time.
 * @see https://socket.io/docs/v4/connection-state-recovery
 */

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/** An hour, in milliseconds: a text that is no offset means, read as one, some other time in the last 140 years. */
const RECENT = 3_600_000;

/** Reads the time from an id of socket.io-adapter: seven digits in base 64, and a number for each further one. */
function readTime(id: string): number {
  const [, digits = ""] = /^([\w-]{7})(?:\.[\w-]+)?$/.exec(id) ?? [];
  return [...digits].reduce((time, digit) => time * ALPHABET.length + ALPHABET.indexOf(digit), 0);
}

/** Leaves out the offset behind the arguments of an event, if there is one. */
export function omitOffset(args: readonly unknown[]): readonly unknown[] {
  const last = args.at(-1);
  const isOffset = typeof last === "string" && Math.abs(readTime(last) - Date.now()) < RECENT;
  return isOffset ? args.slice(0, -1) : args;
}
