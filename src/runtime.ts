/**
 * Types only: what a launcher provides (a `Runtime`), and what it gets (a `Mounted` service).
 */
import type { Context } from "hono";
import type { ConnInfo, GetConnInfo } from "hono/conninfo";
import type { WSEvents } from "hono/ws";
import type { Opener, UpgradeEnv } from "./engine/driver.ts";
import type { Engine } from "./engine/engine.ts";
import type { Upgrade } from "./engine/peer.ts";
import type { Settings } from "./settings.ts";

/** A runtime, as its launcher describes it. */
export interface Runtime {
  /** As people write it: "Node.js", "Bun", "Deno". */
  readonly name: string;
  readonly version: string;
  /** Who makes a request. @param env its `c.env` */
  visitor(request: Request, env: Partial<Bindings>): Visitor;
  /** Listens; rejects with the runtime's own error when it cannot. */
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
  /** Takes no new connection, and resolves when the requests under way are answered and their connections closed. */
  close(): Promise<void>;
  /** Drops the connections that are still there. */
  terminate(): void;
}

/** Who makes a request: what the guards look at. A runtime tells it from what it has at hand. */
export interface Visitor {
  /** A header, by its name in lower case. */
  header(name: string): string | undefined;
  /** How this server was spoken to: "http" or "https". */
  readonly scheme: string;
  /** The address of whoever opened the connection. */
  readonly address: string | undefined;
  /** Address and port of whoever opened the connection, as Hono's `getConnInfo()` tells them. */
  readonly remote: ConnInfo["remote"];
}

/** A mounted service: requests go into `fetch`, the runtime's engine goes under `engine`. */
export interface Mounted {
  readonly settings: Settings;
  readonly engine: Engine;
  /** What the launcher puts into the `env` of every request, as `env.hinoko`. */
  readonly binding: Binding;
  /** Runs a request through the Hono app; `env` becomes `c.env`. */
  fetch(request: Request, env: Bindings): Response | Promise<Response>;
  /**
   * Whether a request may bypass the Hono chain: it meets nothing there but the Socket.IO route (no middleware and no
   * route of the author's), and the guards accept the visitor.
   * @param target path and query
   * @returns what the engine gets with the request; undefined for a request that the chain has to answer
   */
  admitDirectly(method: string, target: string, visitor: Visitor): Opener | undefined;
  /** Closes the WebSockets of the author's own routes: the server goes away. */
  closeRoutes(): void;
}

/** What `c.env` holds on every runtime, beside what the launcher puts there of its runtime's. */
export interface Bindings extends UpgradeEnv {
  readonly hinoko: Binding;
}

/** The same for every request of a mounted service. */
export interface Binding {
  readonly runtime: Runtime;
  /** Hono's `getConnInfo()`, with the client's address in place of a trusted proxy's. */
  readonly getConnInfo: GetConnInfo;
  readonly routes: WebSocketRoutes;
}

/** The WebSocket routes of the author's. */
export interface WebSocketRoutes {
  /** Lets a WebSocket be used by an author's listeners. @param c the context of the handshake */
  upgrade(c: Context, events: WSEvents): Upgrade;
}
