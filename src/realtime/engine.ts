/**
 * `io.engine`: one Engine.IO server to Socket.IO and to authors, whichever engine a launcher binds under it.
 * It exists before the service is served, so that listeners and middleware can be registered at any time.
 */
import { EventEmitter } from "node:events";
import type { Context } from "hono";
import type { EngineDriver, EngineMiddleware, Handshake } from "../runtime.ts";

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
