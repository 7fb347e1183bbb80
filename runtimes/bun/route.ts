/**
 * What routes and guards ask of Bun. A request that has become a WebSocket tells its address no more.
 */
import type { Context } from "hono";
import { getConnInfo as askBun, upgradeWebSocket as upgrade } from "hono/bun";
import type { ConnInfo } from "hono/conninfo";
import type { WSEvents } from "hono/ws";
import { RequestVisitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

/** What `c.env` has of Bun's. */
export interface BunEnv extends Partial<Bindings> {
  readonly server: Bun.Server<unknown>;
}

export const visitor = (request: Request, { server }: BunEnv): RequestVisitor =>
  new RequestVisitor(request, () => server.requestIP(request)?.address);

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
