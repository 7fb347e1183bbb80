/**
 * The security headers of HTML pages, and the scripts of Hinoko's own pages.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createService, defineEvents, type Service } from "../src/index.ts";
import { serve } from "./support/runtime.ts";
import { QUIET, withService } from "./support/service.ts";

const HEADERS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};
type Expected = Partial<Record<keyof typeof HEADERS, string>>;

const PAGE = "<!doctype html><title>火の粉</title>";

/** Requests paths, and expects exactly these of the security headers on the answers. */
const expecting = (
  setup: (service: Service) => void,
  expected: Readonly<Record<string, Expected>>,
  chat = false,
) =>
  withService({ chat }, setup, async ({ url }) => {
    for (const [path, headers] of Object.entries(expected)) {
      const response = await fetch(url + path, { redirect: "manual" });
      await response.arrayBuffer();
      const found = Object.keys(HEADERS).flatMap((name) => {
        const value = response.headers.get(name);
        return value === null ? [] : [[name, value] as const];
      });
      assert.deepEqual(Object.fromEntries(found), headers, path);
    }
  });

test("every HTML answer of an author's has the security headers, however it is made", () =>
  expecting(
    ({ app }) => {
      app.get("/html", (c) => c.html(PAGE));
      app.get("/response", () => new Response(PAGE, { headers: { "Content-Type": "text/html" } }));
      app.get("/proxied", (c) => fetch(new URL("/response", c.req.url)));
      app.get("/missing", (c) => c.html(PAGE, 404));
      app.get("/failing", () => {
        throw new Error("failed");
      });
      app.onError((_, c) => c.html(PAGE, 500));
      app.notFound((c) => c.html(PAGE, 404));
    },
    Object.fromEntries(
      ["/html", "/response", "/proxied", "/missing", "/failing", "/nowhere"].map((path) => [path, HEADERS]),
    ),
  ));

test("headers that the author sets are kept", () =>
  expecting(
    ({ app }) => {
      app.use("/framed/*", async (c, next) => {
        await next();
        c.header("X-Frame-Options", "SAMEORIGIN");
      });
      app.get("/framed/page", (c) => c.html(PAGE));
      app.get("/html", (c) => c.html(PAGE, 200, { "Referrer-Policy": "no-referrer", "X-Frame-Options": "" }));
      app.get("/opened", (c) => {
        c.header("Cross-Origin-Opener-Policy", "unsafe-none");
        return c.html(PAGE);
      });
    },
    {
      "/framed/page": { ...HEADERS, "x-frame-options": "SAMEORIGIN" },
      "/html": { ...HEADERS, "referrer-policy": "no-referrer", "x-frame-options": "" },
      "/opened": { ...HEADERS, "cross-origin-opener-policy": "unsafe-none" },
    },
  ));

test("answers that are not HTML get no security headers", () =>
  expecting(
    ({ app }) => {
      app.get("/json", (c) => c.json({ html: PAGE }));
      app.get("/text", (c) => c.text(PAGE));
      app.get("/empty", (c) => c.body(null, 204));
      app.get("/xml", (c) => c.body("<html/>", 200, { "Content-Type": "application/xml" }));
      app.get("/redirect", (c) => c.redirect("/text"));
    },
    {
      "/json": {},
      "/text": {},
      "/empty": {},
      "/xml": {},
      "/redirect": {},
      "/nowhere": {},
      "/socket.io/socket.io.js": {},
    },
  ));

test("the demo's page has the security headers, with a stricter Referrer-Policy", () =>
  expecting(() => {}, { "/": { ...HEADERS, "referrer-policy": "no-referrer" } }, true));

/** Where the scripts of a room are served, by their names. */
const SCRIPTS: Record<string, (name: string) => string> = {
  demo: (name) => `/hinoko/${name === "client.js" ? "chat.js" : name}`,
  events: (name) => `/hinoko/${name}`,
};

for (const [room, pathOf] of Object.entries(SCRIPTS)) {
  test(`src/${room}/scripts.ts is up to date with src/${room}/browser`, async () => {
    const { url, close } = await serve(createService({ ...QUIET, chat: true, events: defineEvents({}) }));
    try {
      const folder = new URL(`../src/${room}/browser/`, import.meta.url);
      for (const name of readdirSync(folder)) {
        const response = await fetch(url + pathOf(name));
        assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8", name);
        const isCurrent = (await response.text()) === readFileSync(new URL(name, folder), "utf8");
        assert.ok(
          isCurrent,
          `${name} has changed since src/${room}/scripts.ts was written: run "npm run write-scripts"`,
        );
      }
    } finally {
      await close();
    }
  });
}
