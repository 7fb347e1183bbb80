/**
 * GET /asyncapi.json: the AsyncAPI 3.0 document of a contract.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { Ajv } from "ajv";
import * as v from "valibot";
import { z } from "zod";
import { type ContractOptions, createService, defineEvents } from "../src/index.ts";
import { events } from "./support/contract.ts";
import { serve } from "./support/runtime.ts";
import { QUIET } from "./support/service.ts";

/** Serves a contract, and fetches a path. */
async function get(path: string, options: Partial<ContractOptions> = {}): Promise<Response> {
  const { url, close } = await serve(createService({ ...QUIET, events, ...options }));
  try {
    const response = await fetch(url + path);
    return new Response(await response.arrayBuffer(), response);
  } finally {
    await close();
  }
}

const describe = async (options: Partial<ContractOptions> = {}) =>
  (await get("/asyncapi.json", options)).json();

/** Finds what a `$ref` of the document refers to. */
function resolve(document: unknown, { $ref }: { $ref: string }): unknown {
  const keys = decodeURIComponent($ref).slice(2).split("/");
  const names = keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return names.reduce(
    (value: unknown, key) => (value instanceof Object ? Reflect.get(value, key) : undefined),
    document,
  );
}

test("the document is valid by the JSON Schema of AsyncAPI 3.0", async () => {
  const file = createRequire(import.meta.url).resolve("@asyncapi/specs/schemas/3.0.0-without-$id.json");
  const ajv = new Ajv({ strict: false, logger: false, validateFormats: false });
  const isValid = ajv.compile(JSON.parse(readFileSync(file, "utf8")));
  const document = await describe();
  assert.equal(isValid(document), true, JSON.stringify(isValid.errors, null, 2));
  delete document.info.version;
  assert.equal(isValid(document), false, "the JSON Schema finds faults");
});

test("each namespace is a channel, each event an operation, and its references lead to its messages", async () => {
  const document = await describe();
  assert.deepEqual(Object.keys(document.channels), ["/", "/board"]);
  const { action, channel, messages, reply } = document.operations["receive /board move"];
  assert.equal(action, "receive");
  assert.equal(resolve(document, channel), document.channels["/board"]);
  const [message] = messages.map((reference: { $ref: string }) => resolve(document, reference));
  assert.equal(message.name, "move");
  assert.deepEqual(message.payload.required.toSorted(), ["card", "to"]);
  const [answer] = reply.messages.map((reference: { $ref: string }) => resolve(document, reference));
  assert.deepEqual(answer.payload.properties, { moved: { type: "boolean" } });
  assert.equal(document.operations["send / said"].action, "send");
  assert.equal(document.operations["receive / typing"].reply, undefined);
});

test("several arguments are an array, and a schema without a JSON Schema names its library", async () => {
  const { channels } = await describe();
  const { messages } = channels["/"];
  assert.deepEqual(messages["send emptied"].payload, { type: "array", minItems: 0, maxItems: 0 });
  assert.deepEqual(messages["receive place"].payload.items.length, 2);
  assert.deepEqual(messages["receive say"].payload, { "x-vendor": "valibot" });
});

test("toJsonSchema describes what does not describe itself, and nothing that fails spoils the document", async () => {
  const contract = defineEvents({ client: { a: v.string(), b: v.number(), c: z.date() } });
  const toJsonSchema = (schema: unknown): object => {
    if (schema === contract.client.b) throw new Error("no word for it");
    return { type: "string" };
  };
  const { channels, info } = await describe({ events: contract, asyncapi: { toJsonSchema, title: "Mine" } });
  const { messages } = channels["/"];
  assert.deepEqual(messages["receive a"].payload, { type: "string" });
  assert.deepEqual(messages["receive b"].payload, { "x-vendor": "valibot" });
  assert.deepEqual(messages["receive c"].payload, { "x-vendor": "zod" });
  assert.deepEqual(info, { title: "Mine", version: "1.0.0" });
});

test("in production the document is served only if the author says so", async () => {
  const production = { production: true, allowedHosts: "*" };
  assert.equal((await get("/asyncapi.json", production)).status, 404);
  assert.equal((await get("/asyncapi.json", { ...production, asyncapi: { serve: true } })).status, 200);
  assert.equal((await get("/asyncapi.json", { asyncapi: { serve: false } })).status, 404);
});
