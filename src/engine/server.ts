/**
 * The engine: takes the requests that reach the Socket.IO route, and opens a session for each client it admits.
 * WebSocket handshakes are made by the driver of a runtime, which puts a `Peer` under the session.
 * @see https://socket.io/docs/v4/engine-io-protocol/
 */
import { Buffer } from "node:buffer";
import cors from "cors";
import type { Context } from "hono";
import { serialize } from "hono/utils/cookie";
import type { Engine, EngineDriver, EngineMiddleware, Handshake } from "../realtime/engine.ts";
import { compress, readText } from "./body.ts";
import { KeptResponse, type Middleware, runMiddlewares } from "./middleware.ts";
import type { EngineOptions } from "./options.ts";
import type { Peer, PeerListener } from "./peer.ts";
import { type Answer, Polling } from "./polling.ts";
import { admit, describe, type EngineRequest, Refusal, verify } from "./request.ts";
import { Socket } from "./socket.ts";
import type { Transport } from "./transport.ts";
import { WebSocketTransport } from "./websocket.ts";

/** A WebSocket handshake that the engine has let through. */
export interface Upgrade {
  /** Puts the open WebSocket under its session. */
  connect(peer: Peer): PeerListener;
}

export class NativeEngine implements EngineDriver {
  readonly #engine: Engine;
  readonly #options: EngineOptions;
  readonly #sessions = new Map<string, Socket>();
  readonly #middlewares: Middleware[] = [];
  readonly #upgrades = new WeakMap<object, Upgrade>();
  #isClosed = false;

  constructor(engine: Engine, options: EngineOptions) {
    this.#engine = engine;
    this.#options = options;
    if (options.cors) this.#middlewares.push({ run: cors(options.cors) });
  }

  use(middleware: EngineMiddleware): void {
    this.#middlewares.push({ run: middleware });
  }

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.values()) session.close(true);
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
    const session = sid ? this.#sessions.get(sid) : undefined;
    const refusal =
      verify(request, isHandshake(request), session, this.#options) ??
      (session ? undefined : await admit(request, this.#options));
    if (refusal) return this.#refuse(refusal, request);

    if (session && isHandshake(request))
      return this.#letThrough(c, request, (transport) => resume(session, transport));
    if (session) return this.#complete(await this.#pass(c, session), request);

    const id = await this.#newId(request);
    if (id instanceof Refusal) return this.#refuse(id, request);
    if (isHandshake(request)) {
      return this.#letThrough(c, request, (transport) =>
        this.#engine.open(this.#open(id, transport, request), handshake),
      );
    }
    const transport = new Polling();
    const opened = this.#open(id, transport, request);
    const answer = await transport.poll(c.req.raw);
    this.#engine.open(opened, handshake);
    const { cookie } = this.#options;
    if (cookie) answer.headers["Set-Cookie"] = [serialize(cookie.name, id, cookie)];
    return this.#complete(answer, request);
  }

  #open(id: string, transport: Transport, request: EngineRequest): Socket {
    const session = new Socket(id, transport, { request, server: this.#engine, options: this.#options });
    this.#sessions.set(id, session);
    session.once("close", () => this.#sessions.delete(id));
    return session;
  }

  async #newId(request: EngineRequest): Promise<string | Refusal> {
    try {
      return (await this.#engine.generateId?.(request)) ?? randomId();
    } catch (error) {
      return Refusal.badRequest("ID_GENERATION_ERROR", { error });
    }
  }

  /** Passes a polling request to its session. */
  #pass(c: Context, { transport }: Socket): Answer | Promise<Answer> {
    if (!(transport instanceof Polling)) return { status: 400, headers: {} };
    if (c.req.method === "GET") return transport.poll(c.req.raw);
    if (c.req.method !== "POST") return { status: 500, headers: {} };
    const text = () => readText(c.req, this.#options.maxHttpBufferSize);
    return transport.receive({ type: c.req.header("content-type"), text });
  }

  /** Answers a handshake with what stands for the 101, until the driver has made it. */
  #letThrough(c: Context, request: EngineRequest, use: (transport: Transport) => void): Answer {
    this.#upgrades.set(c.env, {
      connect: (peer) => {
        const transport = new WebSocketTransport(peer, this.#options.maxHttpBufferSize);
        if (this.#isClosed) transport.abandon();
        else use(transport);
        return transport;
      },
    });
    const headers = {};
    this.#emitHeaders(headers, request);
    return { status: 200, headers };
  }

  /** A WebSocket handshake is refused in plain words, a polling request in JSON, as by engine.io. */
  #refuse(refusal: Refusal, request: EngineRequest): Answer {
    const { code, message, context, reason, status } = refusal;
    this.#engine.emit("connection_error", { req: request, code, message, context });
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
    const { httpCompression } = this.#options;
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
    if (!request._query["sid"]) this.#engine.emit("initial_headers", headers, request);
    this.#engine.emit("headers", headers, request);
  }
}

const isHandshake = ({ headers }: EngineRequest): boolean => headers.upgrade?.toLowerCase() === "websocket";

/** A session that was upgraded or closed meanwhile, or is being upgraded, takes no other transport. */
function resume(session: Socket, transport: Transport): void {
  if (session.upgradable) session.upgrade(transport);
  else transport.abandon();
}

/** 120 random bits. */
const randomId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(15))).toString("base64url");

function toResponse({ status, headers, body }: Answer): Response {
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) fields.append(name, one);
  }
  return new Response(body || null, { status, headers: fields });
}
