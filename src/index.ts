/**
 * Hinoko's public face: what an author imports from "hinoko". `serve()` comes from "hinoko/node", "/bun" or "/deno".
 */
import type { Context, ContextVariableMap, MiddlewareHandler } from "hono";
import type { GetConnInfo } from "hono/conninfo";
import type { WSEvents } from "hono/ws";

import type { Runtime } from "./runtime.ts";

export type { Engine, EngineDriver, EngineMiddleware, Handshake } from "./realtime/engine.ts";
export {
  type Address,
  type Bindings,
  defineServe,
  ListenError,
  type Listening,
  type Runtime,
  type Serve,
  type ServeOptions,
  type Tls,
} from "./runtime.ts";
export { type App, createService, type Service, type ServiceEnv } from "./service.ts";
export { type Logger, type ServiceOptions, type Settings, SettingsError } from "./settings.ts";

declare module "http" {
  interface IncomingMessage {
    /**
     * What middleware put into Hono's `c.var` when this session was opened: `c.set("user", user)` is
     * `socket.request.var.user`. Typed by Hono's `ContextVariableMap`.
     */
    readonly var: Readonly<ContextVariableMap>;
  }
}

/** Hono's `getConnInfo()` on every runtime; behind trusted proxies it tells the client's address, not the proxy's. */
export const getConnInfo: GetConnInfo = (c) => c.env?.hinoko?.getConnInfo(c) ?? { remote: {} };

/** Hono's `upgradeWebSocket()` on every runtime, for plain WebSocket routes beside Socket.IO. */
export const upgradeWebSocket =
  (createEvents: (c: Context) => WSEvents | Promise<WSEvents>): MiddlewareHandler =>
  (c, next) => {
    const runtime: Runtime | undefined = c.env?.hinoko?.runtime;
    if (!runtime) throw new TypeError("upgradeWebSocket() needs a service that serve() serves");
    return runtime.upgradeWebSocket(createEvents)(c, next);
  };
