/**
 * Hinoko's public face: what an author imports from "hinoko". `serve()` comes from "hinoko/node", "/bun" or "/deno".
 */
import type { GetConnInfo } from "hono/conninfo";

export type { EngineDriver, EngineMiddleware, Opener } from "./engine/driver.ts";
export type { Engine } from "./engine/engine.ts";
export type { AsyncApiOptions } from "./events/asyncapi.ts";
export { defineEvents, type EventContract, type NamespaceContract } from "./events/define.ts";
export { EventError, type EventFailure, type EventIssue } from "./failure.ts";
export { upgradeWebSocket } from "./http/websocket-routes.ts";
export type { ErrorListener, ErrorPlace } from "./operation/errors.ts";
export { variablesOf } from "./realtime/variables.ts";
export type { Address, Bindings, Runtime, Tls } from "./runtime.ts";
export { defineServe, ListenError, type Listening, type Serve, type ServeOptions } from "./serve.ts";
export {
  type App,
  type ContractOptions,
  type ContractService,
  createService,
  type Service,
  type ServiceEnv,
} from "./service.ts";
export { type Logger, type ServiceOptions, type Settings, SettingsError } from "./settings.ts";

/**
 * Hono's `getConnInfo()` for every runtime. Behind trusted proxies `remote.address` is the client's address, not the
 * proxy's. For a request that no launcher made (`app.request()` in a test) `remote` is empty.
 */
export const getConnInfo: GetConnInfo = (c) => c.env?.hinoko?.getConnInfo(c) ?? { remote: {} };
