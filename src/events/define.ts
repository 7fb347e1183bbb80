/**
 * defineEvents(): the contract between a service and its clients, of schemas from any library that implements Standard
 * Schema (https://standardschema.dev): valibot, zod, arktype and others. Nothing of the server is imported here, so that
 * a browser loads the same contract.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { FAILURE_EVENT } from "../failure.ts";

export type Schema = StandardSchemaV1;

/** The data of an event: the schema of its one argument, or an array with the schema of each argument. */
export type EventData = Schema | readonly Schema[];

/** An event that a client emits. */
export type ClientEvent =
  | EventData
  | {
      /** @default none: the event has no arguments */
      readonly data?: EventData;
      /** The schema of what a listener returns, and the client gets as the acknowledgement. */
      readonly ack?: Schema;
    };

/** The events of one namespace. */
export interface NamespaceContract {
  /** What clients emit, by the names of the events. @default none */
  readonly client?: Readonly<Record<string, ClientEvent>>;
  /** What the server emits, by the names of the events. @default none */
  readonly server?: Readonly<Record<string, EventData>>;
}

/** The events of a service: those of the namespace "/", and those of the other namespaces by their names. */
export interface EventContract extends NamespaceContract {
  readonly namespaces?: Readonly<Record<`/${string}`, NamespaceContract>>;
}

/** The names that Socket.IO, or Hinoko, itself emits under. */
const RESERVED = new Set([
  "connect",
  "connect_error",
  "disconnect",
  "disconnecting",
  "newListener",
  "removeListener",
  FAILURE_EVENT,
]);

/** Whether a value is a schema. arktype's are functions. */
export const isSchema = (value: unknown): value is Schema =>
  ((typeof value === "object" && value !== null) || typeof value === "function") && "~standard" in value;

/**
 * Defines the events that a service and its clients emit. Export them from a module of their own: the server gives them
 * to `createService({ events })`, which types and validates them, a client to `ClientOf<typeof events>`.
 * @example
 * const events = defineEvents({
 *   client: {
 *     say: { data: v.object({ text: v.string() }), ack: v.object({ id: v.number() }) },
 *     typing: v.boolean(),
 *   },
 *   server: { said: v.object({ id: v.number(), text: v.string() }) },
 *   namespaces: { "/board": boardEvents },
 * });
 * @throws {TypeError} for an event that has no schema, and for names that are reserved or not those of a namespace
 */
export function defineEvents<const Contract extends EventContract>(contract: Contract): Contract {
  if (contract.namespaces && "/" in contract.namespaces) {
    throw new TypeError('The events of the namespace "/" are the contract\'s own `client` and `server`');
  }
  for (const [namespace, { client = {}, server = {} }] of Object.entries(namespacesOf(contract))) {
    if (!namespace.startsWith("/")) {
      throw new TypeError(`The name of a namespace must start with "/" (got "${namespace}")`);
    }
    const events = [...Object.entries(client), ...Object.entries(server)];
    for (const [name, event] of events)
      checkEvent(`The event "${name}" of the namespace "${namespace}"`, name, event);
  }
  return contract;
}

function checkEvent(where: string, name: string, event: ClientEvent): void {
  if (RESERVED.has(name)) throw new TypeError(`${where} needs another name: this one is reserved`);
  // An author who writes JavaScript may give anything.
  const { data, ack } = typeof event === "object" ? partsOf(event) : { data: [event] };
  for (const schema of ack ? [...data, ack] : data) {
    if (isSchema(schema)) continue;
    throw new TypeError(
      `${where} must be a schema with "~standard", an array of schemas, or { data, ack } of schemas ` +
        `(got ${String(schema)})`,
    );
  }
}

/** Lists the namespaces of a contract by their names. "/" is one of them if it has events. */
export function namespacesOf(contract: EventContract): Readonly<Record<string, NamespaceContract>> {
  const { client, server, namespaces } = contract;
  return client || server ? { "/": contract, ...namespaces } : { ...namespaces };
}

/** Takes an event apart into the schemas of its arguments, and that of its acknowledgement. */
export function partsOf(event: ClientEvent): {
  readonly data: readonly Schema[];
  readonly ack: Schema | undefined;
} {
  if (isSchema(event)) return { data: [event], ack: undefined };
  if (isList(event)) return { data: event, ack: undefined };
  const { data = [], ack } = event;
  return { data: isList(data) ? data : [data], ack };
}

/** `Array.isArray()` does not tell TypeScript of arrays that are readonly. */
const isList = (value: object): value is readonly Schema[] => Array.isArray(value);
