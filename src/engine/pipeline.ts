/**
 * What concerns a request rather than the session it is for: middlewares, CORS, verification, the cookie, the events
 * that edit headers, compression. An engine says how sessions are kept.
 */
import { Buffer } from "node:buffer";
import cors from "cors";
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import { type Answer, emptyAnswer, toResponse } from "./answer.ts";
import { compress } from "./body.ts";
import type { EngineDriver, EngineMiddleware, Opener, Session, UpgradeEnv } from "./driver.ts";
import type { Engine } from "./engine.ts";
import { Exchange } from "./exchange.ts";
import { KeptResponse, type Middleware, runMiddlewares } from "./middleware.ts";
import type { EngineOptions } from "./options.ts";
import type { Upgrade } from "./peer.ts";
import type { EngineRequest } from "./request.ts";
import { askAuthor, Refusal, type Verifiable, verify, verifyProtocol } from "./verification.ts";

/** What sessions have in common. */
export interface PipelineSession extends Verifiable, Session {
  readonly id: string;
  readonly transport: Verifiable["transport"] & Session["transport"];
  on(event: "close", listener: (this: this) => void): unknown;
  /** @param discard closes it at once, also when something is still to be sent */
  close(discard?: boolean): unknown;
}

/** A session that is to be opened. */
export interface Opening {
  readonly id: string;
  readonly request: EngineRequest;
  readonly opener: Opener;
}

/** An engine whose sessions are of type `Session`. `Env` is what a launcher puts into `c.env`. */
export abstract class Pipeline<Session extends PipelineSession, Env extends UpgradeEnv = UpgradeEnv>
  implements EngineDriver
{
  protected readonly engine: Engine;
  protected readonly options: EngineOptions;
  /** No session is to be opened any more. */
  protected isClosed = false;
  readonly #middlewares: Middleware[] = [];
  readonly #sessions = new Map<string, Session>();
  /** One listener for all sessions: each would keep several closures otherwise. */
  readonly #forget: (this: Session) => void;

  constructor(engine: Engine, options: EngineOptions) {
    this.engine = engine;
    this.options = options;
    const sessions = this.#sessions;
    this.#forget = function () {
      if (sessions.get(this.id) === this) sessions.delete(this.id); // an author's ids may not be unique
    };
    if (options.cors) this.#middlewares.push({ run: cors(options.cors) });
  }

  get sessions(): Iterable<Session> {
    return this.#sessions.values();
  }

  get clientsCount(): number {
    return this.#sessions.size;
  }

  close(): void {
    this.isClosed = true;
    for (const session of this.sessions) session.close(true);
  }

  /** Keeps a session until it is closed. */
  protected keep(session: Session): void {
    this.#sessions.set(session.id, session);
    session.on("close", this.#forget);
  }

  /** Opens a session over polling, and answers with its first packets. */
  protected abstract open(exchange: Exchange<Env>, opening: Opening): Answer | Promise<Answer>;

  /** Passes a polling request to its session. */
  protected abstract pass(exchange: Exchange<Env>, session: Session): Answer | Promise<Answer>;

  /** Lets a WebSocket open a session. */
  protected abstract openOver(opening: Opening): Upgrade;

  /** Lets a WebSocket be the next transport of a session, unless the session cannot be upgraded any more by then. */
  protected abstract upgrade(session: Session): Upgrade;

  use(middleware: EngineMiddleware): void {
    this.#middlewares.push({ run: middleware });
  }

  handle(c: Context, opener: Opener): Answer | Promise<Answer> {
    // The client left while middleware was awaited. Answering an abandoned poll would lose its messages.
    if (c.req.raw.signal.aborted) return emptyAnswer(400);
    return this.#process(new Exchange(c.req, c.env, opener));
  }

  /** Answers a request that the service lets bypass the Hono chain. @param env stands for its `c.env` */
  answerDirectly(request: Request, env: Env, opener: Opener): Response | Promise<Response> {
    const body = { raw: request, arrayBuffer: () => request.arrayBuffer() };
    return andThen(this.#process(new Exchange(body, env, opener)), toResponse);
  }

  #process(exchange: Exchange<Env>): Answer | Promise<Answer> {
    return this.#middlewares.length === 0 ? this.#answer(exchange) : this.#runMiddlewares(exchange);
  }

  async #runMiddlewares(exchange: Exchange<Env>): Promise<Answer> {
    const kept = new KeptResponse();
    const isPassed = await runMiddlewares(this.#middlewares, exchange.request, kept).catch(() => undefined);
    if (isPassed === false) return { ...kept.head(), body: kept.body };
    const answer = isPassed
      ? await this.#answer(exchange)
      : this.#refuse(Refusal.badRequest("MIDDLEWARE_FAILURE"), exchange);
    kept.writeHead(answer.status, answer.headers).end();
    await kept.ended();
    return { ...answer, ...kept.head() };
  }

  #answer(exchange: Exchange<Env>): Answer | Promise<Answer> {
    const { sid } = exchange.query;
    const session = sid ? this.#sessions.get(sid) : undefined;
    const refusal = verify(exchange, session, this.options);
    if (refusal) return this.#refuse(refusal, exchange);
    if (!session) return this.#open(exchange);
    if (exchange.isHandshake) return this.#letThrough(exchange, this.upgrade(session));
    return andThen(this.pass(exchange, session), (answer) => this.#complete(answer, exchange));
  }

  #open(exchange: Exchange<Env>): Answer | Promise<Answer> {
    const { request } = exchange; // described now: some runtimes cannot read a request that was answered
    const { guard } = this.options;
    const refusal = guard.allowRequest ? askAuthor(request, guard) : undefined;
    return andThen(refusal, (refusal = verifyProtocol(exchange)) =>
      refusal
        ? this.#refuse(refusal, exchange)
        : andThen(this.#newId(request), (id) => this.#openAs(id, exchange)),
    );
  }

  #openAs(id: string | Refusal, exchange: Exchange<Env>): Answer | Promise<Answer> {
    if (id instanceof Refusal) return this.#refuse(id, exchange);
    const { request, opener } = exchange;
    const opening = { id, request, opener };
    if (exchange.isHandshake) return this.#letThrough(exchange, this.openOver(opening));
    return andThen(this.open(exchange, opening), (answer) => {
      const { cookie } = this.options;
      if (cookie) answer.headers["Set-Cookie"] = [serialize(cookie.name, id, cookie)];
      return this.#complete(answer, exchange);
    });
  }

  #newId(request: EngineRequest): string | Promise<string | Refusal> {
    return this.engine.generateId ? this.#generateId(request) : randomId();
  }

  async #generateId(request: EngineRequest): Promise<string | Refusal> {
    try {
      return (await this.engine.generateId?.(request)) ?? randomId();
    } catch (error) {
      return Refusal.badRequest("ID_GENERATION_ERROR", { error });
    }
  }

  /** Answers a handshake with what stands for the 101, until the launcher makes the handshake. */
  #letThrough(exchange: Exchange<Env>, upgrade: Upgrade): Answer {
    exchange.env.upgrade = upgrade;
    const headers = {};
    this.#emitHeaders(headers, exchange);
    return { status: 200, headers };
  }

  /** A WebSocket handshake is refused in plain words, a polling request in JSON, as by engine.io. */
  #refuse(refusal: Refusal, { request, isHandshake }: Exchange<Env>): Answer {
    const { code, message, context, reason, status } = refusal;
    this.engine.emit("connection_error", { req: request, code, message, context });
    return isHandshake
      ? { status: 400, headers: { "Content-Type": "text/html" }, body: reason }
      : {
          status,
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ code, message: reason }),
        };
  }

  /** Lets listeners edit the headers of an answer, and compresses it. */
  #complete(answer: Answer, exchange: Exchange<Env>): Answer {
    if (answer.status !== 200) return answer;
    this.#emitHeaders(answer.headers, exchange);
    const { httpCompression } = this.options;
    const { "Content-Length": length } = answer.headers;
    if (!httpCompression || !answer.compress || Number(length) < httpCompression.threshold) return answer;
    const compressed = compress(answer.body, exchange.header("accept-encoding"));
    if (!compressed) return answer;
    const { "Content-Length": _, ...headers } = answer.headers;
    return {
      status: 200,
      headers: { ...headers, "Content-Encoding": compressed.encoding },
      body: compressed.stream,
    };
  }

  #emitHeaders(headers: Answer["headers"], exchange: Exchange<Env>): void {
    const { engine } = this;
    if (!exchange.query["sid"] && engine.listenerCount("initial_headers") > 0)
      engine.emit("initial_headers", headers, exchange.request);
    if (engine.listenerCount("headers") > 0) engine.emit("headers", headers, exchange.request);
  }
}

/** Goes on with a value that may have to be waited for; at once where it is there. */
const andThen = <Value, Result>(
  value: Value | Promise<Value>,
  then: (value: Value) => Result | Promise<Result>,
): Result | Promise<Result> => (value instanceof Promise ? value.then(then) : then(value));

const ID_SIZE = 15;

/** Drawn for 64 ids at a time. */
const random = Buffer.alloc(64 * ID_SIZE);
let used = random.length;

/** 120 random bits. */
function randomId(): string {
  if (used === random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  used += ID_SIZE;
  return random.toString("base64url", used - ID_SIZE, used);
}
