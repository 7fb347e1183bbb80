/**
 * What concerns a request rather than the session it is for: middlewares, CORS, verification, the cookie, the events
 * that edit headers, compression. An engine says how sessions are kept.
 */
import { Buffer } from "node:buffer";
import cors from "cors";
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import type { Engine, EngineDriver, EngineMiddleware, Handshake } from "../realtime/engine.ts";
import { compress } from "./body.ts";
import { KeptResponse, type Middleware, runMiddlewares } from "./middleware.ts";
import type { EngineOptions } from "./options.ts";
import type { Answer } from "./polling.ts";
import { admit, describe, type EngineRequest, Refusal, type Verifiable, verify } from "./request.ts";

/** A session that is to be opened. */
export interface Opening {
  readonly id: string;
  readonly request: EngineRequest;
  readonly handshake: Handshake;
}

/**
 * An engine whose sessions are of type `Session`.
 * `Upgrade` is what the driver of the runtime gets to make a WebSocket handshake that was let through.
 */
export abstract class Pipeline<Session extends Verifiable, Upgrade> implements EngineDriver {
  protected readonly engine: Engine;
  protected readonly options: EngineOptions;
  readonly #middlewares: Middleware[] = [];
  readonly #upgrades = new WeakMap<object, Upgrade>();

  constructor(engine: Engine, options: EngineOptions) {
    this.engine = engine;
    this.options = options;
    if (options.cors) this.#middlewares.push({ run: cors(options.cors) });
  }

  /** Closes every session and takes no new one. */
  abstract close(): void;

  protected abstract find(sid: string): Session | undefined;

  /** Opens a session over polling, and answers with its first packets. */
  protected abstract open(c: Context, opening: Opening): Answer | Promise<Answer>;

  /** Passes a polling request to its session. */
  protected abstract pass(c: Context, session: Session): Answer | Promise<Answer>;

  /** Lets a WebSocket open a session. */
  protected abstract opener(opening: Opening): Upgrade;

  /** Lets a WebSocket be the next transport of a session, as far as that may be upgraded when it is there. */
  protected abstract upgrader(session: Session): Upgrade;

  use(middleware: EngineMiddleware): void {
    this.#middlewares.push({ run: middleware });
  }

  /** The upgrade that the answer to this context's request stands for. @param env the `env` of the request */
  upgradeOf(env: object): Upgrade | undefined {
    return this.#upgrades.get(env);
  }

  async handle(c: Context, handshake: Handshake): Promise<Response> {
    // The client left while middleware was awaited: a poll of its would take messages to nobody.
    if (c.req.raw.signal.aborted) return toResponse({ status: 400, headers: {} });
    const request = describe(c.req.raw, handshake.address);
    if (this.#middlewares.length === 0) return toResponse(await this.#answer(c, request, handshake));

    const kept = new KeptResponse();
    const isPassed = await runMiddlewares(this.#middlewares, request, kept).catch(() => undefined);
    if (isPassed === false) return toResponse({ ...kept.head(), body: kept.body });
    const answer = isPassed
      ? await this.#answer(c, request, handshake)
      : this.#refuse(Refusal.badRequest("MIDDLEWARE_FAILURE"), request);
    kept.writeHead(answer.status, answer.headers).end();
    await kept.ended();
    return toResponse({ ...answer, ...kept.head() });
  }

  async #answer(c: Context, request: EngineRequest, handshake: Handshake): Promise<Answer> {
    const { sid } = request._query;
    const session = sid ? this.find(sid) : undefined;
    const refusal =
      verify(request, isHandshake(request), session, this.options) ??
      (session ? undefined : await admit(request, this.options));
    if (refusal) return this.#refuse(refusal, request);

    if (session && isHandshake(request)) return this.#letThrough(c, request, this.upgrader(session));
    if (session) return this.#complete(await this.pass(c, session), request);

    const id = await this.#newId(request);
    if (id instanceof Refusal) return this.#refuse(id, request);
    const opening = { id, request, handshake };
    if (isHandshake(request)) return this.#letThrough(c, request, this.opener(opening));
    const answer = await this.open(c, opening);
    const { cookie } = this.options;
    if (cookie) answer.headers["Set-Cookie"] = [serialize(cookie.name, id, cookie)];
    return this.#complete(answer, request);
  }

  async #newId(request: EngineRequest): Promise<string | Refusal> {
    try {
      return (await this.engine.generateId?.(request)) ?? randomId();
    } catch (error) {
      return Refusal.badRequest("ID_GENERATION_ERROR", { error });
    }
  }

  /** Answers a handshake with what stands for the 101, until the driver has made it. */
  #letThrough(c: Context, request: EngineRequest, upgrade: Upgrade): Answer {
    this.#upgrades.set(c.env, upgrade);
    const headers = {};
    this.#emitHeaders(headers, request);
    return { status: 200, headers };
  }

  /** A WebSocket handshake is refused in plain words, a polling request in JSON, as by engine.io. */
  #refuse(refusal: Refusal, request: EngineRequest): Answer {
    const { code, message, context, reason, status } = refusal;
    this.engine.emit("connection_error", { req: request, code, message, context });
    return isHandshake(request)
      ? { status: 400, headers: { "Content-Type": "text/html" }, body: reason }
      : {
          status,
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ code, message: reason }),
        };
  }

  /** Lets listeners edit the headers of an answer, and compresses it. */
  #complete(answer: Answer, request: EngineRequest): Answer {
    if (answer.status !== 200) return answer;
    this.#emitHeaders(answer.headers, request);
    const { httpCompression } = this.options;
    const { "Content-Length": length, ...headers } = answer.headers;
    if (!httpCompression || !answer.compress || Number(length) < httpCompression.threshold) return answer;
    const compressed = compress(answer.body, request.headers["accept-encoding"]);
    if (!compressed) return answer;
    return {
      status: 200,
      headers: { ...headers, "Content-Encoding": compressed.encoding },
      body: compressed.stream,
    };
  }

  #emitHeaders(headers: Answer["headers"], request: EngineRequest): void {
    if (!request._query["sid"]) this.engine.emit("initial_headers", headers, request);
    this.engine.emit("headers", headers, request);
  }
}

const isHandshake = ({ headers }: EngineRequest): boolean => headers.upgrade?.toLowerCase() === "websocket";

/** 120 random bits. */
const randomId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString("base64url");

function toResponse({ status, headers, body }: Answer): Response {
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) fields.append(name, one);
  }
  return new Response(body || null, { status, headers: fields });
}
