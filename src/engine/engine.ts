/**
 * `io.engine`: one Engine.IO server to Socket.IO and to authors, whichever engine a launcher binds under it.
 * It exists before the service is served, so that listeners and middleware can be registered at any time.
 */
import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "hono";
import type { Answer } from "./answer.ts";
import type { Publisher } from "./channel.ts";
import type { EngineDriver, EngineMiddleware, Opener, Session } from "./driver.ts";

const NOT_SERVED: Answer = {
  status: 503,
  headers: { "Content-Type": "text/plain; charset=UTF-8" },
  body: "Socket.IO is not being served",
};

/** How often `detach()` looks for sessions that can be told of the end by now, in milliseconds. */
const LOOK = 20;

/**
 * Events: `connection` (a session was opened), `connection_error` (one was refused), `initial_headers` and
 * `headers` (an answer is about to be sent; its headers may be edited).
 */
export class Engine extends EventEmitter {
  /** Makes the id of a session; set it to have your own. */
  generateId: ((request: object) => string | PromiseLike<string>) | undefined;

  #isReserved = false;
  #driver: EngineDriver | undefined;
  #isClosing = false;
  readonly #middlewares: EngineMiddleware[] = [];

  /** How many sessions are open. */
  get clientsCount(): number {
    return this.#driver?.clientsCount ?? 0;
  }

  /** Sends one message to many sessions at once, where the bound engine can. */
  get publisher(): Publisher | undefined {
    return this.#driver?.publisher;
  }

  /** Whether new sessions are taken. */
  get isOpen(): boolean {
    return this.#driver !== undefined && !this.#isClosing;
  }

  /**
   * Reserves the place under this engine for a runtime's, until `detach()`.
   * @throws when it is taken already
   */
  reserve(): void {
    if (this.#isReserved) throw new Error("This service is being served already: close it first");
    this.#isReserved = true;
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
  handle(c: Context, opener: Opener): Answer | Promise<Answer> {
    const isRefused = this.#isClosing && c.req.query("sid") === undefined;
    if (!this.#driver || isRefused) return NOT_SERVED;
    return this.#driver.handle(c, opener);
  }

  /** Hands a session that the bound engine opened to Socket.IO, completed with what the Hono chain knows of it. */
  open(session: Session, { address, variables }: Opener): void {
    Object.assign(session, { remoteAddress: address });
    Object.assign(session.request, { var: variables });
    this.emit("connection", session);
  }

  /** From now on no session is opened, and `close()` tells each client instead of cutting it off. */
  refuseSessions(): void {
    this.#isClosing = true;
  }

  /** Closes every session; after `refuseSessions()`, only those whose clients can be told now. */
  close(): this {
    if (!this.#isClosing) this.#driver?.close();
    else for (const session of this.#driver?.sessions ?? []) if (session.transport.writable) session.close();
    return this;
  }

  /**
   * Closes every session and takes the runtime's engine away. The service can be served again afterwards.
   * @param patience how long clients that cannot be told yet are waited for, in milliseconds
   */
  async detach(patience: number): Promise<void> {
    const deadline = Date.now() + patience;
    this.refuseSessions();
    while (this.close().clientsCount > 0 && Date.now() < deadline) await sleep(LOOK);
    this.#isClosing = false;
    this.close();
    this.#driver = undefined;
    this.#isReserved = false;
  }
}
