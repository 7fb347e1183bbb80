/**
 * The AsyncAPI 3.0 document of a contract (https://www.asyncapi.com/docs/reference/specification/v3.0.0): a channel for
 * each namespace, and an operation for each event. The service receives what clients emit.
 */
import type { StandardJSONSchemaV1 } from "@standard-schema/spec";
import { type EventContract, namespacesOf, partsOf, type Schema } from "./define.ts";

/** Options of `GET /asyncapi.json`. */
export interface AsyncApiOptions {
  /** Whether the document is served. @default only in development */
  serve?: boolean;
  /** @default "Socket.IO events" */
  title?: string;
  /** The version of the application's events. @default "1.0.0" */
  version?: string;
  /**
   * Makes the JSON Schema (draft 7) of a schema that cannot do so itself, as valibot's: give `toJsonSchema` of
   * @valibot/to-json-schema. zod and arktype implement Standard JSON Schema and need none.
   * @default none: such a schema becomes `{ "x-vendor": "valibot" }`
   */
  toJsonSchema?(schema: Schema): object | undefined;
}

type Json = Record<string, unknown>;

/** Where the service is reached. */
export interface ServerAddress {
  readonly host: string;
  readonly protocol: string;
  readonly pathname: string;
}

/** Makes the document. */
export function describeEvents(
  contract: EventContract,
  server: ServerAddress,
  { title = "Socket.IO events", version = "1.0.0", ...options }: AsyncApiOptions,
): Json {
  const channels: Json = {};
  const operations: Json = {};
  for (const [namespace, { client = {}, server = {} }] of Object.entries(namespacesOf(contract))) {
    const messages: Json = {};
    const channel = refer("channels", namespace);
    const addMessage = (kind: string, name: string, schemas: readonly Schema[]): Json => {
      const key = `${kind} ${name}`;
      const items = schemas.map((schema) => describeSchema(schema, options));
      const length = items.length;
      messages[key] = {
        name,
        // One argument is described by its own schema, any other number by that of the array of all.
        payload:
          length === 1
            ? items[0]
            : { type: "array", ...(length > 1 && { items }), minItems: length, maxItems: length },
        "x-arguments": length,
      };
      return refer("channels", namespace, "messages", key);
    };

    for (const [name, event] of Object.entries(client)) {
      const { data, ack } = partsOf(event);
      operations[`receive ${namespace} ${name}`] = {
        action: "receive",
        channel,
        messages: [addMessage("receive", name, data)],
        ...(ack && { reply: { channel, messages: [addMessage("reply", name, [ack])] } }),
      };
    }
    for (const [name, event] of Object.entries(server)) {
      operations[`send ${namespace} ${name}`] = {
        action: "send",
        channel,
        messages: [addMessage("send", name, partsOf(event).data)],
      };
    }
    channels[namespace] = { address: namespace, title: `The namespace ${namespace}`, messages };
  }
  return {
    asyncapi: "3.0.0",
    info: { title, version },
    defaultContentType: "application/json",
    servers: { service: server },
    channels,
    operations,
  };
}

/** Refers to a part of the document by a JSON Pointer in a URI fragment. */
const refer = (...path: readonly string[]): Json => ({
  $ref: `#/${path.map((key) => encodeURIComponent(key.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/")}`,
});

/** Whether a schema can tell its JSON Schema: https://standardschema.dev/json-schema */
const isJsonSchema = (schema: object): schema is StandardJSONSchemaV1 =>
  "~standard" in schema &&
  typeof schema["~standard"] === "object" &&
  schema["~standard"] !== null &&
  "jsonSchema" in schema["~standard"];

/** Describes what is sent: the input of a schema, because only the receiver transforms it. */
function describeSchema(schema: Schema, options: AsyncApiOptions): object {
  try {
    const described = isJsonSchema(schema)
      ? schema["~standard"].jsonSchema.input({ target: "draft-07" })
      : options.toJsonSchema?.(schema);
    if (described) return described;
  } catch {
    // JSON Schema knows no word for it, as for a date.
  }
  return { "x-vendor": schema["~standard"].vendor };
}
