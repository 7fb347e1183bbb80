/**
 * The contract between `io.engine` and the Engine.IO server that a launcher binds under it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";
import type { Answer } from "./answer.ts";
import type { Publisher } from "./channel.ts";
import type { Upgrade } from "./peer.ts";

/** Who makes a request to the engine, as the HTTP side knows it. The opener of a session stays with it. */
export interface Opener {
  /** The client's IP address, not that of a trusted proxy. */
  readonly address: string | undefined;
  /** What the author's middleware put into `c.var`. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What the engine leaves in `c.env` for the launcher. */
export interface UpgradeEnv {
  /** What takes the WebSocket once its handshake is made. Set by the route that accepts the handshake. */
  upgrade?: Upgrade | undefined;
}

/** A packet in a write buffer. */
export interface WaitingPacket {
  readonly data?: unknown;
}

/**
 * Judges the write buffer of a session.
 * @returns why the session must be cut off, as the description of its end; undefined if it may go on
 */
export type BacklogJudge = (session: object, writeBuffer: readonly WaitingPacket[]) => Error | undefined;

/** An Engine.IO server: it takes requests from the Hono route, and opens sessions on `io.engine`. */
export interface EngineDriver {
  /**
   * Answers a request on the Socket.IO path. A Response cannot have status 101, so the engine accepts a WebSocket
   * handshake with an empty 200 and sets `c.env.upgrade`. If that is still the answer when the Hono chain has
   * finished, the launcher makes the handshake, and sends the headers that the chain has set.
   */
  handle(c: Context, opener: Opener): Answer | Promise<Answer>;
  /** Adds an Express-style middleware that runs before each request is verified. */
  use(middleware: EngineMiddleware): void;
  /** Closes every session, and opens no new one. */
  close(): void;
  /** Has the write buffer of each session judged in which packets wait, and cuts off those that must be. */
  judgeBacklogs(judge: BacklogJudge): void;
  /** The sessions that are open, by their ids. */
  readonly clients: Readonly<Record<string, Session>>;
  /** How many sessions are open. */
  readonly clientsCount: number;
  /** Opens the channels for broadcasts. Undefined for an engine that has none. */
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
  /** `writable` is whether a packet that is sent now leaves at once. With polling, it is while a poll is pending. */
  readonly transport: { readonly writable: boolean };
  close(): unknown;
}
