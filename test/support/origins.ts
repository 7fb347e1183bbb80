/**
 * Sends each kind of request that Socket.IO clients make, with headers such as Origin that say which page makes it, and
 * checks whether the guard lets it in.
 */
import assert from "node:assert/strict";
import type { ServiceOptions } from "../../src/index.ts";
import { exchange, handshake } from "./clients.ts";
import { POLLING, WEBSOCKET } from "./engine-client.ts";
import { silent, withService } from "./service.ts";

export type Headers = Readonly<Record<string, string | undefined>>;

/** The polling requests of a browser, and what the engine answers if the guard lets them in. */
const REQUESTS = [
  { method: "GET", target: POLLING, body: "", letIn: /^0\{"sid":/ },
  { method: "POST", target: `${POLLING}&sid=unknown`, body: "3", letIn: /"Session ID unknown"/ },
  { method: "OPTIONS", target: POLLING, body: "", letIn: /^$|"Bad handshake method"/ },
];

export interface Answer {
  readonly what: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly letIn: boolean;
}

/** Makes each kind of polling request with these headers, as raw bytes: fetch() sets Origin and Host itself. */
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

/** Sends a service all kinds of requests, and expects each origin to be let in, or refused and logged. */
export const asking = (
  options: ServiceOptions,
  { accepted = [], refused = [] }: { accepted?: readonly Headers[]; refused?: readonly Headers[] },
  check: (answer: Answer, given: Headers) => void = () => {},
) => {
  const warnings: string[] = [];
  const logger = { ...silent, warn: (line: unknown) => void warnings.push(String(line)) };
  return withService({ logger, allowedHosts: ["*"], ...options }, async ({ port, service }) => {
    const names = service.settings.allowedOrigins.join(", ") || "none";
    const list = names.includes("*") ? `${names}; socketio.cors.origin is narrower` : names;
    for (const given of [...accepted, ...refused]) {
      const answers = [...(await askAll(port, given)), await shake(port, given)];
      const message = given["Origin"]
        ? `${given["Origin"]} is not an accepted origin.`
        : "A request from another site without an Origin is not accepted.";
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
      // each refusal is logged on one line
      const line = `${JSON.stringify(message).slice(1, -1)} (ALLOWED_ORIGINS: ${list})`;
      assert.deepEqual(warnings.splice(0), accepted.includes(given) ? [] : answers.map(() => line));
    }
  });
};

export const from = (...origins: readonly (string | undefined)[]): Headers[] =>
  origins.map((Origin) => ({ Origin }));

export const hasCors =
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
