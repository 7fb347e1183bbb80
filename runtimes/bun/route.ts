/**
 * Hono's helpers on Bun, for routes whose request has become a WebSocket: Bun tells its address no more.
 */
import type { Context } from "hono";
import { getConnInfo as askBun, upgradeWebSocket as upgrade } from "hono/bun";
import type { ConnInfo } from "hono/conninfo";
import type { WSEvents } from "hono/ws";

/** The addresses of requests that became WebSockets of the author's. */
const known = new WeakMap<Request, ConnInfo>();

export const getConnInfo = (c: Context): ConnInfo => known.get(c.req.raw) ?? askBun(c);

export function upgradeWebSocket(createEvents: (c: Context) => WSEvents | Promise<WSEvents>) {
  const handler = upgrade(createEvents);
  return (c: Context, next: () => Promise<void>) => {
    known.set(c.req.raw, askBun(c));
    return handler(c, next);
  };
}
