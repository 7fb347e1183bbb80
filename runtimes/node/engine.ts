/**
 * engine.io as a route of the Hono app: polling requests are answered into a captured response, which goes back
 * through the Hono chain; a WebSocket handshake is made when the chain has let it through.
 */
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { HttpBindings } from "@hono/node-server";
import { Server, type Socket, type Transport } from "engine.io";
import type { Context } from "hono";
import { type WebSocket, WebSocketServer } from "ws";
import { corsOfAccepted, type Guard } from "../../src/engine/options.ts";
import { type Answer, empty } from "../../src/engine/polling.ts";
import { ask } from "../../src/engine/request.ts";
import { readQuery } from "../../src/engine/url.ts";
import type { Engine, EngineDriver, Handshake } from "../../src/realtime/engine.ts";
import type { Publisher } from "../../src/realtime/publisher.ts";
import type { Mounted } from "../../src/runtime.ts";
import type { SocketIoOptions } from "../../src/settings.ts";
import { CapturedResponse } from "./captured-response.ts";
import { setChainHeaders, withChainHeaders } from "./chain-headers.ts";
import type { EngineBinding, StraightEngine } from "./listen.ts";
import { EnginePublisher } from "./publisher.ts";
import { replay } from "./replay.ts";
import { FastTransport } from "./transport.ts";
import { FastWebSocket, FastWebSocketServer } from "./websocket/fast.ts";

/** A handshake has no `outgoing`: Node gives its raw socket instead. */
type NodeContext = Context<{ Bindings: Partial<HttpBindings> }>;

type TransportName = "polling" | "websocket" | "webtransport";

/** A request as engine.io completes it. */
interface EngineRequest extends IncomingMessage {
  _query: Record<string, string>;
  websocket?: WebSocket;
}

const EVENTS = ["connection_error", "initial_headers", "headers"] as const;

/** Ends a pending poll as soon as a probe has come, for a client that waits to leave polling: engine.io does 100 ms later. */
function endPoll(this: Socket): void {
  const { transport } = this;
  if (transport.name === "polling" && transport.writable) transport.send([{ type: "noop" }]);
}

class NodeEngine extends Server implements EngineDriver, StraightEngine {
  readonly #engine: Engine;
  readonly #handshakes = new WeakMap<IncomingMessage, Handshake>();
  readonly #claimed = new WeakSet<IncomingMessage>();
  readonly publisher: Publisher | undefined;
  /** How many listeners the end of a connection had before its handshake. */
  #closeListeners = 0;

  constructor(engine: Engine, options: SocketIoOptions, fastPaths: boolean) {
    super({
      ...options,
      ...(typeof options.cors === "object" && { cors: corsOfAccepted(options.cors) }),
      ...(options.allowRequest && { allowRequest: asCallback({ allowRequest: options.allowRequest }) }),
      // Engine.IO's official place for a WebSocket server of one's own
      wsEngine: withChainHeaders(options.wsEngine ?? (fastPaths ? FastWebSocketServer : WebSocketServer)),
    });
    this.#engine = engine;
    // Other WebSockets than the fast ones share the frame that Socket.IO's own adapter makes of a broadcast.
    const isFast = fastPaths && !options.wsEngine && !options.perMessageDeflate;
    this.publisher = isFast ? new EnginePublisher() : undefined;
    this.on("connection", (session) => {
      const handshake = this.#handshakes.get(session.request);
      this.#handshakes.delete(session.request);
      if (fastPaths && session.transport.name === "polling") session.on("upgrading", endPoll);
      if (handshake) engine.open(session, handshake);
    });
    for (const event of EVENTS) this.on(event, (...args) => engine.emit(event, ...args));
  }

  protected override createTransport(name: TransportName, request: EngineRequest): Transport {
    const { websocket } = request;
    return websocket instanceof FastWebSocket
      ? new FastTransport(request, websocket)
      : super.createTransport(name, request);
  }

  override handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#closeListeners = socket.listenerCount("close");
    super.handleUpgrade(request, socket, head);
  }

  protected override _applyMiddlewares(...args: Parameters<Server["_applyMiddlewares"]>): void {
    if (this.middlewares.length === 0) forgetResponse(args[1], this.#closeListeners);
    super._applyMiddlewares(...args);
  }

  override generateId(request: IncomingMessage): string | PromiseLike<string> {
    return this.#engine.generateId?.(request) ?? super.generateId(request);
  }

  get sessions(): Socket[] {
    return Object.values(this.clients);
  }

  async handle(c: NodeContext, handshake: Handshake): Promise<Answer> {
    const { incoming, outgoing } = c.env;
    if (!incoming)
      throw new TypeError("The Socket.IO route needs the bindings of @hono/node-server in c.env");
    if (!outgoing) {
      if (!this.#takesHandshake(c.req.query("transport"))) return this.#refuse(c, incoming);
      this.#handshakes.set(incoming, handshake);
      this.#claimed.add(incoming);
      return empty(200);
    }
    // The client left while middleware was awaited: nobody would read what engine.io answered.
    if (outgoing.closed) return empty(400);
    // A middleware may have read the body already; Hono keeps what it read.
    const request = incoming.readableDidRead ? replay(incoming, await c.req.arrayBuffer()) : incoming;
    this.#handshakes.set(request, handshake);
    const captured = new CapturedResponse(request);
    outgoing.once("close", () => captured.abandon());
    this.handleRequest(withQuery(request), captured);
    return captured.answer;
  }

  /** engine.io has no WebSocket server without the transport, and would look for it all the same. */
  #takesHandshake(transport: string | undefined): boolean {
    return transport === "websocket" && this.opts.transports?.includes(transport) === true;
  }

  #refuse(c: NodeContext, request: IncomingMessage): Answer {
    const code = Server.errors.UNKNOWN_TRANSPORT;
    const message = Server.errorMessages[code];
    this.emit("connection_error", { req: request, code, message, context: c.req.query() });
    return { status: 400, headers: { "Content-Type": "text/html" }, body: message }; // as engine.io refuses a handshake
  }

  /** Answers a request that goes straight to the engine. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse, handshake: Handshake): void {
    const request = withQuery(incoming);
    if (!request._query["sid"]) this.#handshakes.set(incoming, handshake); // it may open a session
    this.handleRequest(request, outgoing);
  }

  /** Makes a handshake that goes straight to the engine. */
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, handshake: Handshake): boolean {
    const request = withQuery(incoming);
    if (!this.#takesHandshake(request._query["transport"])) return false;
    this.#handshakes.set(incoming, handshake);
    this.handleUpgrade(request, socket, head);
    return true;
  }

  /** Whether the Socket.IO route let this handshake through. */
  claims(incoming: IncomingMessage): boolean {
    return this.#claimed.has(incoming);
  }

  /** Makes a handshake that was let through, with the headers that the Hono chain set. */
  makeHandshake(incoming: IncomingMessage, socket: Duplex, head: Buffer, headers: Headers): void {
    setChainHeaders(incoming, headers);
    this.handleUpgrade(withQuery(incoming), socket, head);
  }
}

/** A request with the parameters that engine.io would make a URL to read. */
const withQuery = (incoming: IncomingMessage): Pick<EngineRequest, "_query"> & IncomingMessage =>
  Object.assign(incoming, { _query: readQuery(incoming.url ?? "") });

/**
 * engine.io has a response for each handshake hear the end of its connection, for middlewares that wait for it
 * (https://github.com/socketio/socket.io/blob/main/packages/engine.io/lib/server.ts, WebSocketResponse): some 600 bytes
 * for as long as the connection lasts. Without middlewares nobody sees the response.
 */
function forgetResponse(response: { readonly socket: Duplex | null }, closeListeners: number): void {
  if (response instanceof ServerResponse) return; // a polling request's
  const { socket } = response;
  const [added] = socket?.rawListeners("close").slice(closeListeners) ?? [];
  if (added && "listener" in added) socket?.off("close", added);
}

/** Makes the engine of a service. */
export function bindEngineIo({ engine, settings }: Mounted): EngineBinding {
  const driver = new NodeEngine(engine, settings.socketio, settings.fastPaths);
  return {
    driver,
    straight: driver,
    handshakeOf: (incoming) =>
      driver.claims(incoming)
        ? (socket, head, headers) => driver.makeHandshake(incoming, socket, head, headers)
        : undefined,
  };
}

type AllowRequest = NonNullable<SocketIoOptions["allowRequest"]>;

/** engine.io takes the callback alone: it would wait for a promise for ever, and end the process for what is thrown. */
const asCallback =
  (guard: Guard): AllowRequest =>
  (request, decide) =>
    void ask(request, guard).then((refusal) => {
      const message = refusal?.["message"];
      decide(typeof message === "string" ? message : null, refusal === undefined);
    });
