/**
 * Types only: what a launcher provides (a `Runtime`), and the service that it is given to serve (`Mounted`).
 */
import type { Context } from "hono";
import type { ConnInfo, GetConnInfo } from "hono/conninfo";
import type { WSEvents } from "hono/ws";
import type { Opener, UpgradeEnv } from "./engine/driver.ts";
import type { Engine } from "./engine/engine.ts";
import type { Upgrade } from "./engine/peer.ts";
import type { Settings } from "./settings.ts";

/** A runtime, as its launcher describes it to `defineServe()`. */
export interface Runtime {
  /** The name as people write it: "Node.js", "Bun", "Deno". */
  readonly name: string;
  readonly version: string;
  /** Tells who makes a request. @param env the request's `c.env` */
  visitor(request: Request, env: Partial<Bindings>): Visitor;
  /** Starts to listen. Rejects with the runtime's own error when it cannot. */
  listen(service: Mounted, address: Address): Promise<Listener>;
}

/** What a launcher listens on. */
export interface Address {
  readonly port: number;
  readonly hostname: string;
  readonly tls?: Tls | undefined;
}

/** What a server needs for TLS, as PEM text. */
export interface Tls {
  /** The private key. */
  readonly key: string;
  /** Its certificate, followed by those of the authorities in between. */
  readonly cert: string;
}

/** A listening socket. */
export interface Listener {
  readonly port: number;
  /** Stops accepting connections. Resolves when pending requests are answered and their connections are closed. */
  close(): Promise<void>;
  /** Drops the connections that are still open. */
  terminate(): void;
}

/**
 * Who makes a request: what the guards look at. Each runtime reads it from the request object that it has at
 * hand, so that a fast path need not make a Request for the guards.
 */
export interface Visitor {
  /** The value of a header. @param name in lower case */
  header(name: string): string | undefined;
  /** The scheme of the connection to this server, "http" or "https". Proxies in front are not considered. */
  readonly scheme: string;
  /** The IP address of the connection's other end: the client or a proxy. */
  readonly address: string | undefined;
  /** Address and port of the connection's other end, in the form of Hono's `getConnInfo()`. */
  readonly remote: ConnInfo["remote"];
}

/** A service that is about to be served: a launcher passes requests to `fetch`, and attaches its engine to `engine`. */
export interface Mounted {
  readonly settings: Settings;
  readonly engine: Engine;
  /** What the launcher puts into the `env` of every request, as `env.hinoko`. */
  readonly binding: Binding;
  /** Runs a request through the Hono app; `env` becomes `c.env`. */
  fetch(request: Request, env: Bindings): Response | Promise<Response>;
  /**
   * Lets a request go to the engine without the Hono chain, which is the fast path. It may when the chain has nothing
   * for it but the Socket.IO route (no middleware and no route of the author's) and the guards accept the visitor.
   * @param target path and query
   * @returns what the engine is told with the request; undefined for a request that the chain has to answer
   */
  admitDirectly(method: string, target: string, visitor: Visitor): Opener | undefined;
  /** Closes the WebSockets of the author's own routes with code 1001 (going away). */
  closeRoutes(): void;
}

/** What `c.env` holds on every runtime. A launcher adds what belongs to its runtime. */
export interface Bindings extends UpgradeEnv {
  readonly hinoko: Binding;
}

/** What every request of a mounted service finds in `c.env.hinoko`. One object serves them all. */
export interface Binding {
  readonly runtime: Runtime;
  /** Hono's `getConnInfo()`, with the client's address in place of a trusted proxy's. */
  readonly getConnInfo: GetConnInfo;
  readonly routes: WebSocketRoutes;
}

/** The author's own WebSocket routes, made with `upgradeWebSocket()`. */
export interface WebSocketRoutes {
  /** Connects a WebSocket with the author's listeners, once its handshake is made. @param c the handshake's context */
  upgrade(c: Context, events: WSEvents): Upgrade;
}
