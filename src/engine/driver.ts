/**
 * The contract between `io.engine` and the Engine.IO server that a launcher binds under it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { Answer } from "./answer.ts";
import type { Publisher } from "./channel.ts";
import type { Upgrade } from "./peer.ts";

/** Who opened a session, as the Hono chain saw them. */
export interface Opener {
  /** The client's address, behind trusted proxies too. */
  readonly address: string | undefined;
  /** What the author's middleware put into `c.var`. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What the engine tells a launcher by way of `c.env`. */
export interface UpgradeEnv {
  /** Who gets the WebSocket: set by the route that lets a handshake through. */
  upgrade?: Upgrade | undefined;
}

/** An Engine.IO server: it takes requests from the Hono route, and opens sessions on `io.engine`. */
export interface EngineDriver {
  /**
   * Answers a request on the Socket.IO path. To a WebSocket handshake that it lets through it answers with an empty 200
   * that stands for the 101: the launcher makes the handshake when the Hono chain has run to its end with that answer,
   * and sends the headers that the chain set on it.
   */
  handle(c: Context, opener: Opener): Answer | Promise<Answer>;
  /** Adds an Express-style middleware that runs before each request is verified. */
  use(middleware: EngineMiddleware): void;
  /** Closes every session and takes no new one. */
  close(): void;
  /** The sessions that are open. */
  readonly sessions: Iterable<Session>;
  /** How many sessions are open. */
  readonly clientsCount: number;
  /** Sends one message to many sessions at once, where the engine can. */
  readonly publisher?: Publisher | undefined;
}

/** An Express-style middleware, as `io.engine.use()` takes it. */
export type EngineMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** A session of the bound engine, as far as `io.engine` deals with it. */
export interface Session {
  readonly request: object;
  /** Writable: what is sent now is on its way at once. Polling is writable while a poll is pending. */
  readonly transport: { readonly writable: boolean };
  close(): unknown;
}
