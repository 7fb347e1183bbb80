/**
 * The contract of an engine on Node. Besides answering as a Hono route, as on every runtime, it may take Node's own
 * request and response, or connection, directly.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { EngineDriver, Opener } from "../../src/engine/driver.ts";

/**
 * What Node emits with "upgrade": a request that asks for an upgrade, and its raw connection in place of a response.
 */
export interface Wire {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  /** The bytes that the client sent behind the request. */
  readonly head: Buffer;
}

export interface NodeEngine extends EngineDriver {
  /** Answers a request that bypasses the Hono chain. */
  serveDirectly?(incoming: IncomingMessage, outgoing: ServerResponse, opener: Opener): void;
  /** Makes a handshake that bypasses the Hono chain. @returns false if the chain has to answer it instead */
  upgradeDirectly?(wire: Wire, opener: Opener): boolean;
  /**
   * Makes a handshake that the engine let through as a Hono route. Only an engine that makes its handshakes itself, and
   * sets no `c.env.upgrade`, has this method.
   * @param headers the headers that the Hono chain has set, to be sent with the 101
   * @returns false if the engine has not let this handshake through: another route answered it
   */
  makeHandshake?(wire: Wire, headers: Headers): boolean;
}
