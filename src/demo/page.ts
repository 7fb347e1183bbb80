/**
 * The routes of the demo's page. document.ts has its markup, style.ts its style sheet, browser/ its scripts: the page
 * loads client.js, which imports the others.
 */
import type { Context } from "hono";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { document } from "./document.ts";
import { scripts } from "./scripts.ts";
import { style } from "./style.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * The routes of the page, to be mounted at the root of an app.
 * @param runtime what the page says it runs on
 * @param socketPath where Socket.IO answers, and serves its browser client, e.g. `/socket.io`
 */
export function page(runtime: { name: string; version: string }, socketPath: string): Hono {
  const app = new Hono();

  app.get("/", (c) => {
    c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer"); // the page's URL may contain a user's name
    c.header("Cache-Control", "no-cache");
    return c.html(document(runtime, socketPath));
  });

  // etag() goes on each route, not on /hinoko/*: a mounted middleware would reach the author's routes there too.
  app.get("/hinoko/chat.css", etag(), (c) => asset(c, "text/css", style));
  app.get("/hinoko/chat.js", etag(), (c) => asset(c, "text/javascript", scripts["client.js"]));
  for (const file of ["view.js", "log.js", "dom.js"] as const) {
    app.get(`/hinoko/${file}`, etag(), (c) => asset(c, "text/javascript", scripts[file]));
  }
  return app;
}

function asset(c: Context, type: string, body: string): Response {
  return c.body(body, 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache", // cached, but revalidated each time: a new version shows at once
    "X-Content-Type-Options": "nosniff",
  });
}
