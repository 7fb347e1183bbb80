/**
 * Answers have the same Content-Type on every runtime, whatever middleware does with them, and those to HEAD have no
 * wrong Content-Length.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { streamText } from "hono/streaming";
import type { Service } from "../src/index.ts";
import { exchange } from "./support/clients.ts";
import { withService } from "./support/service.ts";

const TEXT = "text/plain; charset=utf-8";
const HTML = "text/html; charset=utf-8";
const SCRIPT = "application/javascript; charset=utf-8";
const FORM = "application/x-www-form-urlencoded;charset=utf-8";

/** Adds routes for every kind of answer to an app. */
const addRoutes = (app: Hono): Hono => {
  app.get("/text", (c) => c.text("hello"));
  app.get("/json", (c) => c.json({ a: 1 }));
  app.get("/html", (c) => c.html("<p>ü"));
  app.get("/body", (c) => c.body("hello"));
  app.get("/response", () => new Response("hello"));
  app.get("/form", () => new Response(new URLSearchParams("a=b")));
  app.get("/stream", (c) => streamText(c, async (stream) => void (await stream.write("hello"))));
  app.get("/length", (c) => c.body("hello", 200, { "Content-Length": "5", "Content-Type": "text/css" }));
  app.get("/204", (c) => c.body(null, 204));
  app.get("/304", (c) => c.body(null, 304));
  return app;
};

/** A path, its status, and the type of its answers. */
type Row = readonly [path: string, status: number, type: string | undefined];
const ROWS: readonly Row[] = [
  ["/text", 200, TEXT],
  ["/json", 200, "application/json"],
  ["/html", 200, HTML],
  ["/body", 200, TEXT],
  ["/response", 200, TEXT],
  ["/form", 200, FORM],
  ["/stream", 200, TEXT],
  ["/length", 200, "text/css"],
  ["/204", 204, undefined],
  ["/304", 304, undefined],
  ["/none", 404, TEXT],
];

/** Makes a request, and reads the answer without a client's own ideas of it. */
async function ask(port: number, method: string, path: string) {
  const answer = await exchange(port, `${method} ${path} HTTP/1.1\nHost: localhost\nConnection: close\n\n`);
  const [head = "", ...body] = answer.split("\r\n\r\n");
  const field = (name: string) => new RegExp(`^${name}: *(.*?)\\r?$`, "im").exec(head)?.[1];
  const type = field("content-type")?.toLowerCase().replace(/;\s*/, "; ");
  return { status: Number(head.slice(9, 12)), type, length: field("content-length"), body: body.join("") };
}

const form = (type: string | undefined) => type?.replace(/;\s*/, "; ");

const CHAINS = [
  ["no middleware", ""],
  ["middleware that sets a header before next()", "/before"],
  ["middleware that sets a header after next()", "/after"],
] as const;

for (const [chain, prefix] of CHAINS) {
  const setup = ({ app }: Service) => {
    const before = new Hono().use(async (c, next) => {
      c.header("X-Test", "before");
      await next();
    });
    const after = new Hono().use(async (c, next) => {
      await next();
      c.header("X-Test", "after");
    });
    app.route("/", addRoutes(new Hono()));
    app.route("/before", addRoutes(before));
    app.route("/after", addRoutes(after));
  };

  test(`each kind of answer has its type with ${chain}`, () =>
    withService({}, setup, async ({ port }) => {
      for (const [path, status, type] of ROWS) {
        const answer = await ask(port, "GET", prefix + path);
        assert.deepEqual([path, answer.status, answer.type], [path, status, form(type)]);
      }
    }));

  test(`HEAD is answered as GET, without body and with no wrong length, with ${chain}`, () =>
    withService({}, setup, async ({ port }) => {
      for (const [path, status, type] of ROWS) {
        const expected = [path, status, form(type), path === "/length" ? "5" : undefined, ""];
        const answer = await ask(port, "HEAD", prefix + path);
        assert.deepEqual([path, answer.status, answer.type, answer.length, answer.body], expected);
      }
    }));
}

test("HEAD of the Socket.IO client and of Socket.IO has the type, and no wrong length", () =>
  withService({}, async ({ port }) => {
    const file = await ask(port, "HEAD", "/socket.io/socket.io.min.js");
    assert.deepEqual(file, { status: 200, type: SCRIPT, length: undefined, body: "" });
    const refused = await ask(port, "HEAD", "/socket.io/?EIO=4&transport=polling");
    assert.deepEqual(refused, { status: 400, type: "application/json", length: undefined, body: "" });
  }));

test("a connection stays usable behind an answer to HEAD", () =>
  withService(
    {},
    ({ app }) => app.get("/text", (c) => c.text("hello")),
    async ({ port }) => {
      const head = "HEAD /text HTTP/1.1\nHost: localhost\n\n";
      const answers = await exchange(
        port,
        `${head}${head}GET /text HTTP/1.1\nHost: localhost\nConnection: close\n\n`,
      );
      assert.equal(answers.match(/^HTTP\/1\.1 200/gm)?.length, 3);
      assert.match(answers, /\r\n\r\nhello$/);
    },
  ));
