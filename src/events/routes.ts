/**
 * The routes of a contract: its AsyncAPI document, and in development a page that lists its events and emits them.
 */
import { type Context, Hono } from "hono";
import { type AsyncApiOptions, describeEvents } from "./asyncapi.ts";
import type { EventContract } from "./define.ts";
import { createDocument, style } from "./page.ts";
import { scripts } from "./scripts.ts";

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * Makes the routes, to be mounted at the root of an app.
 * @param socketPath where Socket.IO answers: "/socket.io"
 * @param hasPage whether the page is served besides the document
 */
export function createEventRoutes(
  contract: EventContract,
  options: AsyncApiOptions,
  { socketPath, hasPage }: { readonly socketPath: string; readonly hasPage: boolean },
): Hono {
  const app = new Hono();
  app.get("/asyncapi.json", (c) => {
    const { host, protocol } = new URL(c.req.url);
    const server = { host, protocol: protocol === "https:" ? "wss" : "ws", pathname: `${socketPath}/` };
    return c.json(describeEvents(contract, server, options));
  });
  if (!hasPage) return app;

  app.get("/hinoko/events", (c) => {
    c.header("Content-Security-Policy", CONTENT_SECURITY_POLICY);
    c.header("X-Content-Type-Options", "nosniff");
    c.header("Cache-Control", "no-cache");
    return c.html(createDocument(socketPath));
  });
  app.get("/hinoko/events.css", (c) => asset(c, "text/css", style));
  app.get("/hinoko/events.js", (c) => asset(c, "text/javascript", scripts["events.js"]));
  return app;
}

function asset(c: Context, type: string, body: string): Response {
  return c.body(body, 200, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache", // a new version shows at once
    "X-Content-Type-Options": "nosniff",
  });
}
