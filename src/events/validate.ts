/**
 * Validates data by the schemas of a contract.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { EventIssue } from "../failure.ts";
import type { Schema } from "./define.ts";

/** What validates. It is read from a schema once: valibot makes a new one each time. */
export type Standard = StandardSchemaV1.Props;

export const standardOf = (schema: Schema): Standard => schema["~standard"];

type Issues = readonly EventIssue[];

/**
 * Validates the arguments of an event that a client has emitted, and replaces each by what its schema makes of it.
 * @param packet the name of the event, then its arguments
 * @returns what is wrong, or undefined; in a promise if a schema validates asynchronously
 */
export function validate(
  standards: readonly Standard[],
  packet: unknown[],
  start = 0,
): Issues | undefined | Promise<Issues | undefined> {
  for (let index = start; index < standards.length; index++) {
    const result = standards[index]?.validate(packet[index + 1]);
    if (result instanceof Promise) {
      return result.then(
        (result) => accept(result, standards, packet, index) ?? validate(standards, packet, index + 1),
      );
    }
    const issues = result && accept(result, standards, packet, index);
    if (issues) return issues;
  }
  return undefined;
}

/** Puts what a schema has made of an argument in its place, or returns what is wrong with it. */
function accept(
  result: StandardSchemaV1.Result<unknown>,
  standards: readonly Standard[],
  packet: unknown[],
  index: number,
): Issues | undefined {
  if (result.issues) return describeIssues(result.issues, standards.length > 1 ? [index] : []);
  packet[index + 1] = result.value;
  return undefined;
}

/**
 * Leaves of a library's issues what a client may know: a library may add the whole value.
 * @param start the path to the value: the index of the argument, if the event has several
 */
function describeIssues(issues: readonly StandardSchemaV1.Issue[], start: readonly number[]): Issues {
  return issues.map(({ message, path = [] }) => ({
    message,
    // Not path.map(): arktype's path is a subclass of Array, whose constructor takes something else.
    path: [...start, ...Array.from(path, (part) => toKey(typeof part === "object" ? part.key : part))],
  }));
}

const toKey = (key: PropertyKey): string | number => (typeof key === "symbol" ? String(key) : key);

/**
 * Validates what the server emits, at once.
 * @param what the author emits, as a noun: `the event "news"`
 * @throws {TypeError} when it is invalid, or a schema validates asynchronously
 */
export function validateNow(what: string, standards: readonly Standard[], values: readonly unknown[]): void {
  if (values.length > standards.length) {
    throw new TypeError(`Cannot emit ${what}: expected ${standards.length} arguments, got ${values.length}`);
  }
  for (const [index, standard] of standards.entries()) {
    const result = standard.validate(values[index]);
    if (result instanceof Promise) {
      result.catch(() => {}); // the error below is thrown instead
      throw new TypeError(
        `Cannot emit ${what}: its schema validates asynchronously, and emit() does not wait`,
      );
    }
    if (result.issues) throw createError(what, result.issues, standards.length > 1 ? [index] : []);
  }
}

/**
 * Validates an answer of the server, and sends it.
 * @throws {TypeError} when it is invalid; if the schema validates asynchronously, the promise rejects
 */
export function validateSoon(
  what: string,
  standard: Standard,
  answer: unknown,
  send: () => unknown,
): unknown {
  const decide = ({ issues }: StandardSchemaV1.Result<unknown>) => {
    if (issues) throw createError(what, issues, []);
    return send();
  };
  const result = standard.validate(answer);
  return result instanceof Promise ? result.then(decide) : decide(result);
}

function createError(
  what: string,
  issues: readonly StandardSchemaV1.Issue[],
  start: readonly number[],
): TypeError {
  const described = describeIssues(issues, start).map(({ message, path }) =>
    path.length > 0 ? `${path.join(".")}: ${message}` : message,
  );
  return new TypeError(`Cannot emit ${what}: ${described.join("; ")}`);
}
