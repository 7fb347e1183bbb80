/**
 * The page at `/`: a chat that shows the service at work. This file has its routes, document.ts its markup, style.ts its
 * looks; the .js files run in the browser as they are, client.js first.
 */
import { readFile } from "node:fs/promises";
import type { Context } from "hono";
import { Hono } from "hono";
import { etag } from "hono/etag";
import { document } from "./document.ts";
import { style } from "./style.ts";

export interface PageOptions {
  /** Asked on every request, because the runtime is known only once a launcher runs. */
  runtime: () => { name: string; version: string };
  /** Where Socket.IO answers, and serves its browser client, e.g. `/socket.io`. */
  socketPath: string;
}

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

/** The routes of the page, to be mounted at the root of an app. */
export function page({ runtime, socketPath }: PageOptions): Hono {
  const app = new Hono();

  app.get("/", (c) => {
    c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Referrer-Policy", "no-referrer"); // the address may hold somebody's name
    c.header("Cache-Control", "no-cache");
    return c.html(document(runtime(), socketPath));
  });

  // etag() goes on each route, not on /hinoko/*: a mounted middleware would reach the author's routes there too.
  app.get("/hinoko/chat.css", etag(), (c) => asset(c, "text/css", style));
  app.get("/hinoko/chat.js", etag(), script("client.js"));
  for (const file of ["view.js", "log.js", "dom.js"]) app.get(`/hinoko/${file}`, etag(), script(file));
  return app;
}

/** Serves a file of this folder, read when it is first asked for. */
function script(file: string): (c: Context) => Promise<Response> {
  let source: Promise<string> | undefined;
  return async (c) => {
    source ??= readFile(new URL(file, import.meta.url), "utf8");
    return asset(c, "text/javascript", await source);
  };
}

function asset(c: Context, type: string, body: string): Response {
  return c.body(body, 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache", // kept, but asked about each time: a new version shows at once
    "X-Content-Type-Options": "nosniff",
  });
}
