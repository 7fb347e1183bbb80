/**
 * @socket.io/bun-engine as a route of the Hono app: polling requests are answered through the Hono chain; a
 * WebSocket handshake is made when the chain has let it through.
 */
import { Server, type WebSocketData } from "@socket.io/bun-engine";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Engine, EngineDriver, Handshake } from "../../src/realtime/engine.ts";
import { SettingsError, type SocketIoOptions } from "../../src/settings.ts";
import { toEngineOptions } from "./options.ts";

type BunServer = Bun.Server<WebSocketData>;
type BunContext = Context<{ Bindings: { server: BunServer } }>;

const ALLOWED_ORIGIN = "Access-Control-Allow-Origin";

/** What the Hono chain set on the answer to each handshake that is being made. */
const chainHeaders = new WeakMap<Request, Headers>();

export class BunEngine extends Server implements EngineDriver {
  readonly #engine: Engine;
  readonly #handshakes = new WeakMap<Request, Handshake>();
  readonly #claimed = new WeakSet<Request>();
  readonly #options: SocketIoOptions;
  readonly #limit: ReturnType<typeof bodyLimit>;

  constructor(engine: Engine, options: SocketIoOptions) {
    super({
      ...toEngineOptions(options),
      editHandshakeHeaders: (headers, request) => emitHeaders(engine, "initial_headers", headers, request),
      editResponseHeaders: (headers, request) => {
        // bun-engine gives the origin back, which it takes for "null" where there is none
        if (!request.headers.has("origin") && headers.get(ALLOWED_ORIGIN) === "null")
          headers.delete(ALLOWED_ORIGIN);
        emitHeaders(engine, "headers", headers, request);
        const handshake = chainHeaders.get(request);
        if (!handshake) headers.set("Cache-Control", "no-store");
        for (const [name, value] of handshake ?? []) headers.append(name, value);
      },
    });
    if (engine.generateId) throw new SettingsError("io.engine.generateId is not available on Bun");
    this.#engine = engine;
    this.#options = options;
    this.#limit = bodyLimit({ maxSize: this.opts.maxHttpBufferSize, onError: (c) => c.body(null, 413) });
    this.on("connection", (session, request) => {
      const handshake = this.#handshakes.get(request);
      if (!handshake) return;
      Object.assign(session, { protocol: 4 });
      Object.assign(session.request, reference(request));
      engine.open(session, handshake);
    });
    this.on("connection_error", (error) => engine.emit("connection_error", error));
  }

  async handle(c: BunContext, handshake: Handshake): Promise<Response> {
    const isHandshake = c.req.header("upgrade")?.toLowerCase() === "websocket";
    const refusal = this.#refusal(c, isHandshake) ?? (await this.#limit(c, async () => {}));
    if (refusal) return refusal;

    const original = c.req.raw;
    // The client left while middleware was awaited: nobody would read what the engine answered.
    if (original.signal.aborted) return c.body(null, 400);
    if (isHandshake) {
      this.#handshakes.set(original, handshake);
      this.#claimed.add(original);
      return c.body(null);
    }
    c.env.server.timeout(original, 0); // a long poll is silent for longer than Bun waits
    const request = original.bodyUsed ? new Request(original, { body: await c.req.arrayBuffer() }) : original;
    request.headers.delete("upgrade"); // the engine takes any upgrade ("h2c") for WebSocket's
    this.#handshakes.set(request, handshake);
    const response = await this.handleRequest(request, c.env.server);
    // "text/html", as engine.io answers: browsers would offer text/plain as a download
    if (request.method === "POST" && response.ok) response.headers.set("Content-Type", "text/html");
    return this.#offersUpgrade() || c.req.query("sid") ? response : withoutUpgrades(response);
  }

  /** Whether the Socket.IO route let this handshake through. */
  claims(request: Request): boolean {
    return this.#claimed.has(request);
  }

  /** Makes a handshake that was let through, with the headers that the Hono chain set. */
  upgrade(request: Request, server: BunServer, headers: Headers): Promise<Response> {
    chainHeaders.set(request, headers);
    return this.handleRequest(request, server);
  }

  use(): never {
    throw new Error(
      "io.engine.use() is not available on Bun: use service.app.use(), which runs on every runtime",
    );
  }

  /** What engine.io refuses and bun-engine does not look at. */
  #refusal(c: BunContext, isHandshake: boolean): Response | undefined {
    const transport = c.req.query("transport") ?? "";
    if (!this.#options.transports?.some((name) => name === transport)) {
      return this.#refuse(c, 0, "Transport unknown", { transport });
    }
    if ((transport === "websocket") !== isHandshake) {
      return this.#refuse(c, 3, "Bad request", { name: "TRANSPORT_HANDSHAKE_ERROR" });
    }
    return undefined;
  }

  #refuse(c: BunContext, code: number, message: string, context: object): Response {
    this.#engine.emit("connection_error", { req: reference(c.req.raw), code, message, context });
    return c.json({ code, message }, 400);
  }

  #offersUpgrade(): boolean {
    const { transports, allowUpgrades = true } = this.#options;
    return allowUpgrades && transports?.includes("websocket") === true;
  }
}

/** bun-engine always offers an upgrade to WebSocket in its first packet; takes the offer back. */
async function withoutUpgrades(response: Response): Promise<Response> {
  const body = await response.text();
  return new Response(body.replace('"upgrades":["websocket"]', '"upgrades":[]'), response);
}

/** The request as engine.io describes it to Socket.IO and to listeners. */
function reference(request: Request) {
  const { protocol, pathname, search, searchParams } = new URL(request.url);
  return {
    method: request.method,
    url: pathname + search,
    headers: Object.fromEntries(request.headers),
    _query: Object.fromEntries(searchParams),
    connection: { encrypted: protocol === "https:" },
  };
}

/** engine.io's header events hand listeners a plain object to edit. */
function emitHeaders(engine: Engine, event: string, headers: Headers, request: Request): void {
  if (engine.listenerCount(event) === 0) return;
  const edited: Record<string, string | string[]> = {};
  engine.emit(event, edited, reference(request));
  for (const [name, value] of Object.entries(edited)) {
    headers.delete(name);
    for (const one of [value].flat()) headers.append(name, one);
  }
}
