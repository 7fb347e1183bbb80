/**
 * What an engine does for a request before and after its session handles it: middlewares, CORS, verification, the
 * cookie, the events that edit headers, compression. A subclass says how sessions are made and what transports they
 * get.
 */
import cors from "cors";
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import { andThen } from "./and-then.ts";
import { type Answer, emptyAnswer, notServedAnswer, toResponse } from "./answer.ts";
import { compressBody } from "./body.ts";
import { viewAsRecord } from "./clients.ts";
import type { BacklogJudge, EngineDriver, EngineMiddleware, Opener, Session, UpgradeEnv } from "./driver.ts";
import type { Engine } from "./engine.ts";
import { Exchange } from "./exchange.ts";
import { isWellFormed, malformedAnswer } from "./handshake.ts";
import { KeptResponse, type Middleware, runMiddlewares } from "./middleware.ts";
import type { EngineOptions } from "./options.ts";
import type { Packet } from "./parser.ts";
import type { Upgrade } from "./peer.ts";
import type { EngineRequest } from "./request.ts";
import { createId } from "./session-id.ts";
import { SilenceWatch } from "./silence.ts";
import { askAuthor, Refusal, type Verifiable, verify, verifyProtocol } from "./verification.ts";

/** What the pipeline needs of a session, whatever engine has made it. */
export interface PipelineSession extends Verifiable, Session {
  readonly id: string;
  readonly transport: Verifiable["transport"] & Session["transport"];
  /** The packets that no transport has taken yet. */
  readonly writeBuffer: readonly Packet[];
  /** Ends the session at once, with the reason "transport error", and drops its connection and what waits for it. */
  cutOff(description: Error): void;
  on(event: "close", listener: (this: this) => void): unknown;
  /** @param discard closes at once, and drops what is still to be sent */
  close(discard?: boolean): unknown;
}

/** A session that is about to be opened, for a request that was accepted. */
export interface Opening {
  readonly id: string;
  readonly request: EngineRequest;
  readonly opener: Opener;
}

/** The base of an engine whose sessions are of the class `Session`. `Env` is what the launcher puts into `c.env`. */
export abstract class Pipeline<Session extends PipelineSession, Env extends UpgradeEnv = UpgradeEnv>
  implements EngineDriver
{
  protected readonly engine: Engine;
  protected readonly options: EngineOptions;
  /** Ends the reading of bodies whose clients have stopped in the middle. */
  protected readonly silence: SilenceWatch;
  /** Whether the engine was closed: a handshake that is made after that must open no session. */
  protected isClosed = false;
  readonly #middlewares: Middleware[] = [];
  readonly #sessions = new Map<string, Session>();
  readonly clients = viewAsRecord(this.#sessions);
  /** The listener of "close", one function for all sessions. A closure for each would take memory. */
  readonly #forget: (this: Session) => void;

  constructor(engine: Engine, options: EngineOptions) {
    this.engine = engine;
    this.options = options;
    this.silence = new SilenceWatch(options.bodyTimeout);
    const sessions = this.#sessions;
    this.#forget = function () {
      if (sessions.get(this.id) === this) sessions.delete(this.id); // an author's ids may not be unique
    };
    if (options.cors) this.#middlewares.push({ run: cors(options.cors) });
  }

  get clientsCount(): number {
    return this.#sessions.size;
  }

  close(): void {
    this.isClosed = true;
    for (const session of this.#sessions.values()) session.close(true);
  }

  judgeBacklogs(judge: BacklogJudge): void {
    for (const session of this.#sessions.values()) {
      const { writeBuffer } = session;
      const error = writeBuffer.length > 0 ? judge(session, writeBuffer) : undefined;
      if (error) session.cutOff(error);
    }
  }

  /** Registers a session until it is closed: requests with its id find it, and `clientsCount` counts it. */
  protected trackSession(session: Session): void {
    this.#sessions.set(session.id, session);
    session.on("close", this.#forget);
  }

  /** Opens a session over polling. The answer has its first packets. */
  protected abstract openOverPolling(exchange: Exchange<Env>, opening: Opening): Answer | Promise<Answer>;

  /** Passes a polling request, GET or POST, to its session, which answers it. */
  protected abstract answerPolling(exchange: Exchange<Env>, session: Session): Answer | Promise<Answer>;

  /** Says what is done with the WebSocket of an accepted handshake: it opens a session. */
  protected abstract openOverWebSocket(opening: Opening): Upgrade;

  /**
   * Says what is done with the WebSocket of an accepted handshake for an open session: it becomes the session's next
   * transport, unless the session cannot be upgraded any more when the handshake is made.
   */
  protected abstract prepareUpgrade(session: Session): Upgrade;

  use(middleware: EngineMiddleware): void {
    this.#middlewares.push({ run: middleware });
  }

  handle(c: Context, opener: Opener): Answer | Promise<Answer> {
    // The client has gone while middleware was running. Answering an abandoned poll would lose its messages.
    if (c.req.raw.signal.aborted) return emptyAnswer(400);
    return this.#process(new Exchange(c.req, c.env, opener));
  }

  /** Answers a request that bypasses the Hono chain. @param env what would be its `c.env` */
  answerDirectly(request: Request, env: Env, opener: Opener): Response | Promise<Response> {
    const body = { raw: request, arrayBuffer: () => request.arrayBuffer() };
    const exchange = new Exchange(body, env, opener);
    // On the Hono chain, the Socket.IO route sees to that.
    if (exchange.isHandshake && !isWellFormed((name) => exchange.header(name)))
      return toResponse(malformedAnswer());
    return andThen(this.#process(exchange), toResponse);
  }

  #process(exchange: Exchange<Env>): Answer | Promise<Answer> {
    return this.#middlewares.length === 0 ? this.#answer(exchange) : this.#runMiddlewares(exchange);
  }

  async #runMiddlewares(exchange: Exchange<Env>): Promise<Answer> {
    const kept = new KeptResponse();
    const isPassedOn = await runMiddlewares(this.#middlewares, exchange.request, kept).catch(() => undefined);
    if (isPassedOn === false) return { ...kept.head(), body: kept.body };
    const answer = isPassedOn
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
    if (exchange.isHandshake) return this.#acceptHandshake(exchange, this.prepareUpgrade(session));
    return andThen(this.answerPolling(exchange, session), (answer) => this.#complete(answer, exchange));
  }

  #open(exchange: Exchange<Env>): Answer | Promise<Answer> {
    // Made now, for authors who read `socket.request` later: some runtimes cannot read a request that was answered.
    const { request } = exchange;
    const { guard } = this.options;
    const refusal = guard.allowRequest ? askAuthor(request, guard) : undefined;
    return andThen(refusal, (refusal = verifyProtocol(exchange)) =>
      refusal
        ? this.#refuse(refusal, exchange)
        : andThen(createId(this.engine, request), (id) => this.#openAs(id, exchange)),
    );
  }

  #openAs(id: string | Refusal, exchange: Exchange<Env>): Answer | Promise<Answer> {
    if (id instanceof Refusal) return this.#refuse(id, exchange);
    const { request, opener } = exchange;
    const opening = { id, request, opener };
    if (exchange.isHandshake) return this.#acceptHandshake(exchange, this.openOverWebSocket(opening));
    return andThen(this.openOverPolling(exchange, opening), (answer) => {
      const { cookie } = this.options;
      if (cookie) answer.headers["Set-Cookie"] = [serialize(cookie.name, id, cookie)];
      return this.#complete(answer, exchange);
    });
  }

  /** Accepts a handshake with an empty 200, which stands for the 101 until the launcher makes the handshake. */
  #acceptHandshake(exchange: Exchange<Env>, upgrade: Upgrade): Answer {
    if (this.isClosed) return notServedAnswer();
    exchange.env.upgrade = upgrade;
    const headers = {};
    this.#emitHeaders(headers, exchange);
    return { status: 200, headers };
  }

  /** Refuses a WebSocket handshake with a text, and a polling request with JSON, as engine.io does. */
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
    if (!httpCompression || !answer.canCompress || Number(length) < httpCompression.threshold) return answer;
    const compressed = compressBody(answer.body, exchange.header("accept-encoding"));
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
