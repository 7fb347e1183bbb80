/**
 * A contract with schemas of three libraries. The tests of types and those of behaviour use the same one.
 */
import { type } from "arktype";
import * as v from "valibot";
import { z } from "zod";
import { defineEvents } from "../../src/events/index.ts";

const inTurns = async (text: string): Promise<boolean> => {
  for (let turns = text.length; turns > 0; turns--) await Promise.resolve();
  return text !== "bad";
};

const board = defineEvents({
  client: {
    move: { data: type({ card: "string", to: "0 <= number < 10" }), ack: type({ moved: "boolean" }) },
  },
  server: { moved: z.object({ card: z.string() }) },
});

export const events = defineEvents({
  client: {
    say: {
      data: v.object({ text: v.pipe(v.string(), v.trim(), v.minLength(1)) }),
      ack: v.object({ id: v.number() }),
    },
    typing: z.boolean(),
    at: v.pipe(
      v.string(),
      v.transform((text) => new Date(text)),
    ),
    place: { data: [z.string(), type("number")], ack: z.string() },
    optional: { data: v.optional(v.string(), "default"), ack: v.string() },
    ping: { ack: z.literal("pong") },
    leave: [],
    slow: { data: v.pipeAsync(v.string(), v.checkAsync(inTurns, "Too bad")), ack: v.string() },
    fast: v.string(),
  },
  server: {
    said: v.object({ id: v.number(), text: v.string() }),
    typing: z.boolean(),
    heard: [z.string(), type("unknown")],
    emptied: [],
  },
  namespaces: { "/board": board },
});
