/**
 * `io.engine`: one Engine.IO server to Socket.IO and to authors, whichever engine a launcher binds under it.
 * It exists before the service is served, so that listeners and middleware can be registered at any time.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "hono";

/** Who opened a session, as the Hono chain saw them. */
export interface Handshake {
  /** The client's address, behind trusted proxies too. */
  readonly address: string | undefined;
  /** What the author's middleware put into `c.var`. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** An Engine.IO server as a launcher binds it: it takes requests from the Hono route and opens sessions on the `Engine`. */
export interface EngineDriver {
  /**
   * Answers a request on the Socket.IO path. For a WebSocket handshake it answers with an empty 200 that stands
   * for the 101: the launcher makes the handshake when the Hono chain has run to its end with that answer, and
   * sends the headers that the chain set on it.
   */
  handle(c: Context, handshake: Handshake): Response | Promise<Response>;
  /** Adds an Express-style middleware that runs before each request is verified. */
  use(middleware: EngineMiddleware): void;
  /** Closes every session and takes no new one. */
  close(): void;
}

/** An Express-style middleware, as `io.engine.use()` takes it. */
export type EngineMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** A session of the bound engine, as far as it must be completed here. */
interface Connection {
  readonly request: object;
  once(event: "close", listener: () => void): unknown;
}

/**
 * Events: `connection` (a session was opened), `connection_error` (one was refused), `initial_headers` and
 * `headers` (an answer is about to be sent; its headers may be edited).
 */
export class Engine extends EventEmitter {
  /** How many sessions are open. */
  clientsCount = 0;

  /** Makes the id of a session; set it to have your own. */
  generateId: ((request: object) => string | PromiseLike<string>) | undefined;

  #driver: EngineDriver | undefined;
  readonly #middlewares: EngineMiddleware[] = [];

  /** Whether a runtime's engine is under this one: the service is being served. */
  get attached(): boolean {
    return this.#driver !== undefined;
  }

  /** Puts a runtime's engine under this one. */
  attach(driver: EngineDriver): void {
    for (const middleware of this.#middlewares) driver.use(middleware);
    this.#driver = driver;
  }

  /** Adds an Express-style middleware `(req, res, next)` that runs before each request is verified. */
  use(middleware: EngineMiddleware): void {
    this.#driver?.use(middleware);
    this.#middlewares.push(middleware);
  }

  /** Answers a request that reached the Socket.IO route. */
  handle(c: Context, handshake: Handshake): Response | Promise<Response> {
    return this.#driver ? this.#driver.handle(c, handshake) : c.text("Socket.IO is not being served", 503);
  }

  /** Hands a session that the bound engine opened to Socket.IO, completed with what the Hono chain knows of it. */
  open(session: Connection, { address, variables }: Handshake): void {
    Object.assign(session, { remoteAddress: address });
    Object.assign(session.request, { var: variables });
    this.clientsCount++;
    session.once("close", () => this.clientsCount--);
    this.emit("connection", session);
  }

  /** Closes every session. The service can be served again afterwards. */
  close(): this {
    const driver = this.#driver;
    this.#driver = undefined;
    driver?.close();
    return this;
  }
}
