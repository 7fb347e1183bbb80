/**
 * An engine as it is bound to Node: what it may do with a request as Node has it, beside answering it as a route.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { EngineDriver, Opener } from "../../src/engine/driver.ts";

/** A request that asks for an upgrade, and the raw connection that Node leaves of it. */
export interface Wire {
  readonly incoming: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request. */
  readonly head: Buffer;
}

export interface NodeEngine extends EngineDriver {
  /** Answers a request that bypasses the Hono chain. */
  serveDirectly?(incoming: IncomingMessage, outgoing: ServerResponse, opener: Opener): void;
  /** Makes a handshake that bypasses the Hono chain. @returns false for one that the chain has to answer */
  upgradeDirectly?(wire: Wire, opener: Opener): boolean;
  /**
   * Makes a handshake that the engine's route let through, if the engine makes its handshakes itself.
   * @param headers what the Hono chain set
   * @returns false when the route did not let it through
   */
  makeHandshake?(wire: Wire, headers: Headers): boolean;
}
