/**
 * The origin guard of the Socket.IO route: polling, its preflight and the WebSocket handshake alike.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ServiceOptions } from "../src/index.ts";
import { exchange, handshake } from "./support/clients.ts";
import { POLLING, WEBSOCKET } from "./support/engine-client.ts";
import { silent, withService } from "./support/service.ts";

type Headers = Readonly<Record<string, string | undefined>>;
type Cors = NonNullable<NonNullable<ServiceOptions["socketio"]>["cors"]>;

/** The polling requests a browser makes, with what an engine answers when the guard has let them through. */
const REQUESTS = [
  { method: "GET", target: POLLING, body: "", letIn: /^0\{"sid":/ },
  { method: "POST", target: `${POLLING}&sid=unknown`, body: "3", letIn: /"Session ID unknown"/ },
  { method: "OPTIONS", target: POLLING, body: "", letIn: /^$|"Bad handshake method"/ },
];

interface Answer {
  readonly what: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly letIn: boolean;
}

/** Makes each kind of request with these headers, as raw bytes, because fetch() keeps Origin and Host to itself. */
async function askAll(port: number, given: Headers): Promise<Answer[]> {
  const answers: Answer[] = [];
  const lines = Object.entries({ Host: "example.org", ...given }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  const preflight = ["Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"];
  for (const { method, target, body, letIn } of REQUESTS) {
    const head = [`${method} ${target} HTTP/1.1`, ...lines, ...(method === "OPTIONS" ? preflight : [])];
    const end = [`Content-Length: ${body.length}`, "Connection: close", "", body];
    const answer = await exchange(port, [...head, ...end].join("\r\n"));
    const [top = "", said = ""] = answer.split(/\r\n\r\n(.*)/s);
    const [first = "", ...rest] = top.split("\r\n");
    const headers = Object.fromEntries(
      rest.map((line) => [line.split(":", 1)[0]?.toLowerCase() ?? "", line.replace(/^[^:]*: */, "")]),
    );
    const what = `${method} with ${JSON.stringify(given)}`;
    answers.push({ what, status: Number(first.split(" ")[1]), headers, body: said, letIn: letIn.test(said) });
  }
  return answers;
}

/** Makes a WebSocket handshake with these headers. */
async function shake(port: number, given: Headers): Promise<Answer> {
  const defined = Object.entries({ Host: "example.org", ...given }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const url = `ws://127.0.0.1:${port}${WEBSOCKET}`;
  const { status, headers, body, socket } = await handshake(url, Object.fromEntries(defined));
  socket?.close();
  const what = `a handshake with ${JSON.stringify(given)}`;
  const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return { what, status, headers: flat, body, letIn: status === 101 };
}

/** Asks a service with all kinds of requests, and expects each origin to be let in, or refused and logged. */
const asking = (
  options: ServiceOptions,
  { accepted = [], refused = [] }: { accepted?: readonly Headers[]; refused?: readonly Headers[] },
  check: (answer: Answer, given: Headers) => void = () => {},
) => {
  const warnings: string[] = [];
  const logger = { ...silent, warn: (line: unknown) => void warnings.push(String(line)) };
  return withService({ logger, allowedHosts: ["*"], ...options }, async ({ port, service }) => {
    const list = service.settings.allowedOrigins.join(", ") || "none";
    for (const given of [...accepted, ...refused]) {
      const answers = [...(await askAll(port, given)), await shake(port, given)];
      const message = `${given["Origin"]} is not an accepted origin.`;
      for (const answer of answers) {
        const { what, status, headers, body } = answer;
        if (accepted.includes(given)) {
          assert.equal(answer.letIn, true, `${what}: ${status} ${body}`);
          check(answer, given);
        } else {
          assert.deepEqual({ status, ...JSON.parse(body) }, { status: 400, code: 3, message }, what);
          assert.match(headers["content-type"] ?? "", /^application\/json/, what);
          assert.equal(headers["access-control-allow-origin"], undefined, what);
        }
      }
      const line = `${message} (ALLOWED_ORIGINS: ${list})`;
      assert.deepEqual(warnings.splice(0), accepted.includes(given) ? [] : answers.map(() => line));
    }
  });
};

const from = (...origins: readonly (string | undefined)[]): Headers[] =>
  origins.map((Origin) => ({ Origin }));

describe("by default", () => {
  test("the service's own origin is let in, whatever the letter case and the default port", () =>
    asking(
      {},
      {
        accepted: [
          ...from("http://example.org", "http://EXAMPLE.org", "http://example.org:80"),
          { Host: "Example.ORG:80", Origin: "http://example.org" },
          { Host: "example.org:3000", Origin: "http://example.org:3000" },
          { Host: "[::1]:3000", Origin: "http://[::1]:3000" },
        ],
      },
    ));

  test("a client without an Origin is no browser, and let in", () =>
    asking({}, { accepted: from(undefined) }, ({ what, headers }) =>
      assert.equal(headers["access-control-allow-origin"], undefined, what),
    ));

  test("another host, port, scheme or subdomain, and what is no origin, is foreign", () =>
    asking(
      {},
      {
        refused: [
          ...from(
            "http://evil.com",
            "https://example.org",
            "http://example.org:8080",
            "http://www.example.org",
          ),
          ...from(
            "http://example.org.evil.com",
            "http://org",
            "null",
            "example.org",
            "*",
            "chrome-extension://example",
          ),
          { Host: "example.org:3000", Origin: "http://example.org" },
          { Host: "example.org:3000", Origin: "http://example.org:3001" },
        ],
      },
    ));
});

describe("behind a proxy that ends TLS", () => {
  const given = { Host: "10.0.0.7:8000", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.org" };
  const own = { ...given, Origin: "https://example.org" };

  test("the own origin is the one that a trusted proxy names", () =>
    asking(
      { trustProxy: true },
      {
        accepted: [
          own,
          { ...own, "X-Forwarded-Host": "example.org:443" },
          { ...own, "X-Forwarded-Proto": "HTTPS, http" },
          { ...own, "X-Forwarded-Proto": "wss" }, // so does Traefik call a handshake's
          { ...own, "X-Forwarded-Proto": "ws", Origin: "http://example.org" },
          { ...own, "X-Forwarded-Proto": undefined, Origin: "http://example.org" },
          { ...own, "X-Forwarded-Proto": "", Origin: "http://example.org" },
        ],
        refused: [
          { ...own, Origin: "http://example.org" },
          { ...own, Origin: "http://10.0.0.7:8000" },
          { ...own, "X-Forwarded-Proto": "http, https" },
        ],
      },
    ));

  test("without trust the own origin is the one of the connection", () =>
    asking({}, { accepted: [{ ...own, Origin: "http://10.0.0.7:8000" }], refused: [own] }));
});

const hasCors =
  (allowed: string | undefined, credentials?: string) =>
  ({ what, status, headers }: Answer, { Origin }: Headers): void => {
    assert.equal(headers["access-control-allow-origin"], allowed ?? Origin, what);
    assert.equal(headers["access-control-allow-credentials"], credentials, what);
    if (allowed !== "*") assert.match(headers["vary"] ?? "", /\bOrigin\b/i, what);
    if (!what.startsWith("OPTIONS")) return;
    assert.equal(status, 204, what);
    assert.match(headers["access-control-allow-methods"] ?? "", /\bGET\b.*\bPOST\b/, what);
    assert.equal(headers["access-control-allow-headers"], "content-type", what);
  };

describe("ALLOWED_ORIGINS", () => {
  const list = ["https://example.com", "http://localhost:3000", "capacitor://localhost"];

  test("lets in who is listed, with CORS headers and credentials", () =>
    asking({ allowedOrigins: list }, { accepted: from(...list) }, hasCors(undefined, "true")));

  test("keeps letting in the own origin and who names none", () =>
    asking({ allowedOrigins: list }, { accepted: from("http://example.org", undefined) }));

  test("says of no answer without an Origin that any may read it", () =>
    asking({ allowedOrigins: list }, { accepted: from(undefined) }, ({ what, headers }) => {
      if (!what.startsWith("OPTIONS")) assert.equal(headers["access-control-allow-origin"], undefined, what);
    }));

  test("refuses who is not listed", () =>
    asking(
      { allowedOrigins: list },
      {
        refused: from(
          "http://example.com",
          "https://example.com:8443",
          "https://www.example.com",
          "http://localhost:3001",
          "https://example.com.evil.com",
          "null",
        ),
      },
    ));

  test("opens to all with *, and gives no credentials away", () =>
    asking({ allowedOrigins: "*" }, { accepted: from("http://evil.com", "null", undefined) }, hasCors("*")));
});

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
    test(`lets in whom origin allows as ${form}, with CORS headers`, () =>
      asking(
        { socketio: { cors } },
        { accepted: from(...accepted), refused: from(...refused) },
        hasCors(undefined),
      ));

    test(`never shuts out the own origin and who names none, as ${form}`, () =>
      asking({ socketio: { cors } }, { accepted: from("http://example.org", undefined) }));
  }

  test("denies every foreign origin when origin is false", () =>
    asking(
      { socketio: { cors: { origin: false } } },
      { accepted: from("http://example.org", undefined), refused: from("https://a.com", "null") },
    ));

  test("opens to all with *", () =>
    asking(
      { socketio: { cors: { origin: "*" } } },
      { accepted: from("https://a.com", "null") },
      hasCors("*"),
    ));

  test("sends its other headers, and wins over what ALLOWED_ORIGINS would send", () => {
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
