/**
 * `io.engine`: one Engine.IO server to Socket.IO and to authors, whichever engine a launcher binds under it.
 * It exists before the service is served, so that listeners and middleware can be registered at any time.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "hono";
import type { Answer } from "../engine/polling.ts";
import type { Publisher } from "./publisher.ts";

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
  handle(c: Context, handshake: Handshake): Answer | Promise<Answer>;
  /** Adds an Express-style middleware that runs before each request is verified. */
  use(middleware: EngineMiddleware): void;
  /** Closes every session and takes no new one. */
  close(): void;
  /** The sessions that are open. */
  readonly sessions: Iterable<Session>;
  /** How many they are. */
  readonly clientsCount: number;
  /** Where there is one. */
  readonly publisher?: Publisher | undefined;
}

/** An Express-style middleware, as `io.engine.use()` takes it. */
export type EngineMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** A session of the bound engine, as far as it is dealt with here. */
export interface Session {
  readonly request: object;
  /** Writable: what is sent now is on its way at once. Polling is while a poll is pending. */
  readonly transport: { readonly writable: boolean };
  close(): unknown;
}

const NOT_SERVED: Answer = {
  status: 503,
  headers: { "Content-Type": "text/plain; charset=UTF-8" },
  body: "Socket.IO is not being served",
};

/** How often the sessions that could not be told of the end yet are looked at, in milliseconds. */
const LOOK = 20;

/**
 * Events: `connection` (a session was opened), `connection_error` (one was refused), `initial_headers` and
 * `headers` (an answer is about to be sent; its headers may be edited).
 */
export class Engine extends EventEmitter {
  /** Makes the id of a session; set it to have your own. */
  generateId: ((request: object) => string | PromiseLike<string>) | undefined;

  #driver: EngineDriver | undefined;
  #isRetiring = false;
  readonly #middlewares: EngineMiddleware[] = [];

  /** How many sessions are open. */
  get clientsCount(): number {
    return this.#driver?.clientsCount ?? 0;
  }

  /** Whether a runtime's engine is under this one: the service is being served. */
  get attached(): boolean {
    return this.#driver !== undefined;
  }

  /** How to reach many sessions at once, where the bound engine can. */
  get publisher(): Publisher | undefined {
    return this.#driver?.publisher;
  }

  /** Whether new sessions are taken. */
  get isOpen(): boolean {
    return this.attached && !this.#isRetiring;
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
  handle(c: Context, handshake: Handshake): Answer | Promise<Answer> {
    const opensNone = this.#isRetiring && c.req.query("sid") === undefined;
    if (!this.#driver || opensNone) return NOT_SERVED;
    return this.#driver.handle(c, handshake);
  }

  /** Hands a session that the bound engine opened to Socket.IO, completed with what the Hono chain knows of it. */
  open(session: Session, { address, variables }: Handshake): void {
    Object.assign(session, { remoteAddress: address });
    Object.assign(session.request, { var: variables });
    this.emit("connection", session);
  }

  /** Opens no session any more, and has `close()` tell each client instead of cutting it off. */
  retire(): void {
    this.#isRetiring = true;
  }

  /** Closes every session; those of an engine that retires, as soon as their clients can be told. */
  close(): this {
    if (!this.#isRetiring) this.#driver?.close();
    else for (const session of this.#driver?.sessions ?? []) if (session.transport.writable) session.close();
    return this;
  }

  /**
   * Closes every session and takes the runtime's engine away. The service can be served again afterwards.
   * @param patience how long clients that cannot be told yet are waited for, in milliseconds
   */
  async detach(patience: number): Promise<void> {
    const deadline = Date.now() + patience;
    this.retire();
    while (this.close().clientsCount > 0 && Date.now() < deadline) await sleep(LOOK);
    this.#isRetiring = false;
    this.close();
    this.#driver = undefined;
  }
}
