/**
 * socketio.cors: which origins its `origin` lets in, alone and together with ALLOWED_ORIGINS, and which CORS headers
 * they get.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceOptions } from "../src/index.ts";
import { asking, from, hasCors } from "./support/origins.ts";

type Cors = Exclude<
  NonNullable<NonNullable<ServiceOptions["socketio"]>["cors"]>,
  (...args: never[]) => unknown
>;

describe("socketio.cors", () => {
  const CASES: Record<string, { cors: Cors; accepted?: readonly string[]; refused?: readonly string[] }> = {
    "a string": { cors: { origin: "https://a.com" }, refused: ["https://b.com", "http://a.com"] },
    "an array": {
      cors: { origin: ["https://a.com", /\.b\.com$/] },
      accepted: ["https://a.com", "https://x.b.com"],
      refused: ["https://b.com", "https://x.b.com.evil.com"],
    },
    "a RegExp": {
      cors: { origin: /^https:\/\/(?:x\.)?a\.com$/ },
      accepted: ["https://a.com", "https://x.a.com"],
    },
    true: { cors: { origin: true }, accepted: ["https://a.com", "http://evil.com"], refused: [] },
    "a function that answers at once": {
      cors: { origin: (origin, answer) => answer(null, origin === "https://a.com") },
    },
    "a function that answers later": {
      cors: {
        origin: (origin, answer) => void setTimeout(() => answer(null, origin === "https://a.com"), 5),
      },
    },
    "a function that answers with an origin": {
      cors: { origin: (_, answer) => answer(null, ["https://a.com"]) },
    },
    "a function that denies with an error": {
      cors: {
        origin: (origin, answer) =>
          origin === "https://a.com" ? answer(null, true) : answer(new Error("not you"), true),
      },
    },
  };

  for (const [
    form,
    { cors, accepted = ["https://a.com"], refused = ["https://evil.com", "null"] },
  ] of Object.entries(CASES)) {
    test(`lets in the origins that ${form} allows, with CORS headers`, () =>
      asking(
        { socketio: { cors } },
        { accepted: from(...accepted), refused: from(...refused) },
        hasCors(undefined),
      ));

    test(`lets in the own origin and clients without an Origin, whatever ${form} says`, () =>
      asking({ socketio: { cors } }, { accepted: from("http://example.org", undefined) }));
  }

  test("refuses every foreign origin if origin is false", () =>
    asking(
      { socketio: { cors: { origin: false } } },
      { accepted: from("http://example.org", undefined), refused: from("https://a.com", "null") },
    ));

  test("lets in every origin if origin is *", () =>
    asking(
      { socketio: { cors: { origin: "*" } } },
      { accepted: from("https://a.com", "null") },
      hasCors("*"),
    ));

  test("sends its other headers too, and takes precedence over the headers of ALLOWED_ORIGINS", () => {
    const cors = { origin: "https://a.com", credentials: true, maxAge: 60, exposedHeaders: ["X-One"] };
    return asking(
      { socketio: { cors }, allowedOrigins: ["https://a.com"] },
      { accepted: from("https://a.com") },
      (answer, given) => {
        hasCors(undefined, "true")(answer, given);
        assert.equal(answer.headers["access-control-expose-headers"], "X-One", answer.what);
        const maxAge = answer.what.startsWith("OPTIONS") ? "60" : undefined;
        assert.equal(answer.headers["access-control-max-age"], maxAge, answer.what);
      },
    );
  });
});

describe("ALLOWED_ORIGINS beside socketio.cors.origin", () => {
  const FORMS: Record<string, Cors["origin"]> = {
    "a function": (origin, answer) => answer(null, origin === "https://a.com"),
    "a list": ["https://a.com"],
    "a string": "https://a.com",
    "a RegExp with a lastIndex": /^https:\/\/a\.com$/g,
  };

  for (const [form, origin] of Object.entries(FORMS)) {
    test(`* lets in no origin that ${form} denies, and no answer allows credentials`, () =>
      asking(
        { allowedOrigins: "*", socketio: { cors: { origin, credentials: true } } },
        {
          accepted: from("https://a.com", "https://a.com", "https://a.com"),
          refused: [...from("https://evil.com", "null"), { "Sec-Fetch-Site": "cross-site" }],
        },
        hasCors(undefined, "true"),
      ));

    test(`a listed origin is let in besides those of ${form}, and may read the answers`, () =>
      asking(
        { allowedOrigins: ["https://b.com"], socketio: { cors: { origin } } },
        { accepted: from("https://a.com", "https://b.com"), refused: from("https://evil.com") },
        hasCors(undefined),
      ));
  }

  test("a listed origin is let in although origin is false, and may read the answers", () =>
    asking(
      { allowedOrigins: ["*", "https://b.com"], socketio: { cors: { origin: false } } },
      { accepted: from("https://b.com"), refused: from("https://evil.com") },
      hasCors(undefined),
    ));

  test("an origin in socketio.cors is let in however clients write it", () =>
    asking(
      { socketio: { cors: { origin: ["https://a.com", "file://"] } } },
      {
        accepted: from("wss://a.com", "https://A.com:443", "file://"),
        refused: from("ws://a.com", "http://a.com", "wss://evil.com"),
      },
      hasCors(undefined),
    ));
});
