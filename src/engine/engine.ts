/**
 * `io.engine`: the one Engine.IO server that Socket.IO and authors know. The work is done by the runtime's own engine
 * (its driver), which a launcher attaches. `io.engine` exists before that, so that listeners and middleware can be
 * registered as soon as the service is created.
 */
import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "hono";
import type { Settings, SocketIoOptions } from "../settings.ts";
import { type Answer, notServedAnswer } from "./answer.ts";
import { BacklogWatch } from "./backlog.ts";
import type { Publisher } from "./channel.ts";
import type { EngineDriver, EngineMiddleware, Opener, Session } from "./driver.ts";
import { listOptions } from "./options.ts";
import { randomId } from "./session-id.ts";

/**
 * How often `detach()` looks for sessions that have become writable, and can be sent a close packet, in milliseconds.
 */
const CHECK_INTERVAL = 20;

const refusalOf = (method: string): string =>
  `io.engine.${method}() is not available in a service: serve(service) makes Socket.IO a route of service.app`;

/**
 * Events: `connection` (a session was opened), `connection_error` (a request was refused), `initial_headers` (the first
 * answer of a session is about to be sent; listeners may edit its headers) and `headers` (the same for every answer).
 */
export class Engine extends EventEmitter {
  /** The options in use, with engine.io's names and defaults. */
  readonly opts: Readonly<Record<string, unknown>>;

  #isReserved = false;
  #driver: EngineDriver | undefined;
  #isClosing = false;
  readonly #middlewares: EngineMiddleware[] = [];
  readonly #backlogs: BacklogWatch;

  /** @param options those of Socket.IO, of which the engine's are a part */
  constructor(
    { maxBuffered, logger }: Pick<Settings, "maxBuffered" | "logger">,
    options: SocketIoOptions = {},
  ) {
    super();
    this.opts = listOptions(options);
    this.#backlogs = new BacklogWatch(maxBuffered, logger);
  }

  /** The sessions that are open, by their ids. */
  get clients(): Readonly<Record<string, Session>> {
    return this.#driver?.clients ?? {};
  }

  /** How many sessions are open. */
  get clientsCount(): number {
    return this.#driver?.clientsCount ?? 0;
  }

  /** Opens the channels for broadcasts. Undefined while no engine is attached, and for an engine that has none. */
  get publisher(): Publisher | undefined {
    return this.#driver?.publisher;
  }

  /** Whether new sessions are opened. */
  get isOpen(): boolean {
    return this.#driver !== undefined && !this.#isClosing;
  }

  /**
   * Reserves this engine for the driver of one launcher, until `detach()`.
   * @throws {Error} when another launcher serves the service already
   */
  reserve(): void {
    if (this.#isReserved) throw new Error("This service is being served already: close it first");
    this.#isReserved = true;
  }

  /** Attaches a runtime's engine, with the middlewares that were registered before. */
  attachDriver(driver: EngineDriver): void {
    for (const middleware of this.#middlewares) driver.use(middleware);
    this.#driver = driver;
    this.#backlogs.start(driver);
  }

  /** Makes the id of a session, a random one. An author may replace this method. */
  generateId(_request: object): string | PromiseLike<string> {
    return randomId();
  }

  /** Adds an Express-style middleware `(req, res, next)` that runs before each request is verified. */
  use(middleware: EngineMiddleware): void {
    this.#driver?.use(middleware);
    this.#middlewares.push(middleware);
  }

  /** Answers a request that reached the Socket.IO route. */
  handle(c: Context, opener: Opener): Answer | Promise<Answer> {
    const isRefused = this.#isClosing && c.req.query("sid") === undefined;
    if (!this.#driver || isRefused) return notServedAnswer();
    return this.#driver.handle(c, opener);
  }

  /** Gives a session that the driver has opened to Socket.IO, after adding what the HTTP side knows of its client. */
  open(session: Session, { address, variables }: Opener): void {
    Object.assign(session, { remoteAddress: address });
    Object.assign(session.request, { var: variables });
    this.emit("connection", session);
  }

  /** Opens no session any more. From now on `close()` sends each client a close packet instead of cutting it off. */
  refuseSessions(): void {
    this.#isClosing = true;
  }

  /** Closes every session. After `refuseSessions()`, closes only those that can send the close packet at once. */
  close(): this {
    if (!this.#isClosing) this.#driver?.close();
    else for (const session of Object.values(this.clients)) if (session.transport.writable) session.close();
    return this;
  }

  /**
   * Closes every session and detaches the runtime's engine. The service can be served again afterwards.
   * @param timeout how long to wait for sessions that cannot send the close packet yet, in milliseconds
   */
  async detach(timeout: number): Promise<void> {
    const deadline = Date.now() + timeout;
    this.refuseSessions();
    try {
      while (this.close().clientsCount > 0 && Date.now() < deadline) await sleep(CHECK_INTERVAL);
      this.#isClosing = false;
      this.close();
    } finally {
      // Also when an author's listener of "disconnect" has thrown.
      this.release();
    }
  }

  /** engine.io's WebSocket server. There is none here, and none can be put in its place. */
  get ws(): undefined {
    return undefined;
  }

  set ws(_: unknown) {
    throw new TypeError(
      "io.engine.ws cannot be set: pass socketio.wsEngine to createService(), for Node.js only",
    );
  }

  /**
   * engine.io's methods to serve it without Hono.
   * @throws {TypeError} always: what they served would bypass the guards and the author's middleware
   */
  attach(): never {
    throw new TypeError(refusalOf("attach"));
  }

  /** As {@link attach}. */
  handleRequest(): never {
    throw new TypeError(refusalOf("handleRequest"));
  }

  /** As {@link attach}. */
  handleUpgrade(): never {
    throw new TypeError(refusalOf("handleUpgrade"));
  }

  /** Gives the place back that `reserve()` has taken. */
  release(): void {
    this.#isClosing = false;
    this.#driver = undefined;
    this.#backlogs.stop();
    this.#isReserved = false;
  }
}
