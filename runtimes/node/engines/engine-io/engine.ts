/**
 * engine.io as a route of the Hono app: polling requests are answered into a captured response, which goes back through
 * the Hono chain; a WebSocket handshake is made when the chain has let it through.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Server, type Socket, type Transport } from "engine.io";
import type { Context } from "hono";
import { type WebSocket, WebSocketServer } from "ws";
import { type Answer, emptyAnswer } from "../../../../src/engine/answer.ts";
import type { Publisher } from "../../../../src/engine/channel.ts";
import type { Opener } from "../../../../src/engine/driver.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { corsOfAccepted, type Guard } from "../../../../src/engine/options.ts";
import { readQuery } from "../../../../src/engine/url.ts";
import { callAllowRequest } from "../../../../src/engine/verification.ts";
import type { Mounted } from "../../../../src/runtime.ts";
import type { SocketIoOptions } from "../../../../src/settings.ts";
import type { NodeEngine, Wire } from "../../engine.ts";
import { setChainHeaders, withChainHeaders } from "../../handshake-headers.ts";
import type { NodeEnv } from "../../visitor.ts";
import { DirectWebSocket, DirectWebSocketServer } from "../../websocket/index.ts";
import { CapturedResponse } from "./captured-response.ts";
import { openTransportChannel } from "./channel.ts";
import { replay } from "./replay.ts";
import { DirectTransport } from "./transport.ts";

type TransportName = "polling" | "websocket" | "webtransport";

/** A request as engine.io completes it, and who makes it. */
interface AdmittedRequest extends IncomingMessage {
  /** engine.io would make a URL to read the parameters. */
  _query: Record<string, string>;
  websocket?: WebSocket;
  /** Until the session is open. */
  opener: Opener | undefined;
}

const admit = (incoming: IncomingMessage, opener: Opener): AdmittedRequest =>
  Object.assign(incoming, { _query: readQuery(incoming.url ?? ""), opener });

const isAdmitted = (incoming: IncomingMessage): incoming is AdmittedRequest => "opener" in incoming;

const FORWARDED_EVENTS = ["connection_error", "initial_headers", "headers"] as const;

/**
 * Ends a pending poll as soon as the probe has come: a client that upgrades waits for that. engine.io looks only every
 * 100 ms.
 */
function endPoll(this: Socket): void {
  const { transport } = this;
  if (transport.name === "polling" && transport.writable) transport.send([{ type: "noop" }]);
}

class EngineIo extends Server implements NodeEngine {
  readonly #engine: Engine;
  readonly publisher: Publisher | undefined;

  constructor(engine: Engine, options: SocketIoOptions, fastPaths: boolean) {
    const { cors, allowRequest, wsEngine, perMessageDeflate } = options;
    super({
      ...options,
      ...(typeof cors === "object" && { cors: corsOfAccepted(cors) }),
      ...(allowRequest && { allowRequest: withCallback({ allowRequest }) }),
      // Engine.IO's official place for a WebSocket server of one's own
      wsEngine: withChainHeaders(wsEngine ?? (fastPaths ? DirectWebSocketServer : WebSocketServer)),
    });
    this.#engine = engine;
    // Other WebSockets than ours share the frame that Socket.IO's own adapter makes of a broadcast.
    const hasChannels = fastPaths && !wsEngine && !perMessageDeflate;
    this.publisher = hasChannels ? { openChannel: openTransportChannel } : undefined;
    this.on("connection", (session) => {
      if (fastPaths && session.transport.name === "polling") session.on("upgrading", endPoll);
      this.#hand(session);
    });
    for (const event of FORWARDED_EVENTS) this.on(event, (...args) => engine.emit(event, ...args));
  }

  /** Hands a session to `io.engine`. */
  #hand(session: Socket): void {
    const { request } = session;
    if (!isAdmitted(request) || !request.opener) return;
    const { opener } = request;
    request.opener = undefined; // the request lives as long as its session
    this.#engine.open(session, opener);
  }

  protected override createTransport(name: TransportName, request: AdmittedRequest): Transport {
    const { websocket } = request;
    return websocket instanceof DirectWebSocket
      ? new DirectTransport(request, websocket)
      : super.createTransport(name, request);
  }

  override generateId(request: IncomingMessage): string | PromiseLike<string> {
    return this.#engine.generateId?.(request) ?? super.generateId(request);
  }

  get sessions(): Socket[] {
    return Object.values(this.clients);
  }

  async handle(c: Context<{ Bindings: Partial<NodeEnv> }>, opener: Opener): Promise<Answer> {
    const { incoming, outgoing } = c.env;
    if (!incoming)
      throw new TypeError("The Socket.IO route needs the bindings of @hono/node-server in c.env");
    if (!outgoing) return this.#letThrough(admit(incoming, opener));
    // The client left while middleware was awaited: nobody would read what engine.io answered.
    if (outgoing.closed) return emptyAnswer(400);
    // A middleware may have read the body already; Hono keeps what it read.
    const request = incoming.readableDidRead ? replay(incoming, await c.req.arrayBuffer()) : incoming;
    const captured = new CapturedResponse(request);
    outgoing.once("close", () => captured.abandon());
    this.handleRequest(admit(request, opener), captured);
    return captured.answer;
  }

  /** Answers a handshake with what stands for the 101. */
  #letThrough(request: AdmittedRequest): Answer {
    if (this.#hasTransport(request)) return emptyAnswer(200);
    request.opener = undefined;
    const code = Server.errors.UNKNOWN_TRANSPORT;
    const message = Server.errorMessages[code];
    this.emit("connection_error", { req: request, code, message, context: request._query });
    return { status: 400, headers: { "Content-Type": "text/html" }, body: message }; // as engine.io refuses a handshake
  }

  /** engine.io has no WebSocket server unless the transport is offered, and would use it all the same. */
  #hasTransport({ _query }: AdmittedRequest): boolean {
    return _query["transport"] === "websocket" && this.opts.transports?.includes("websocket") === true;
  }

  makeHandshake({ incoming, socket, head }: Wire, headers: Headers): boolean {
    if (!isAdmitted(incoming) || !incoming.opener) return false;
    setChainHeaders(incoming, headers);
    this.handleUpgrade(incoming, socket, head);
    return true;
  }

  serveDirectly(incoming: IncomingMessage, outgoing: ServerResponse, opener: Opener): void {
    this.handleRequest(admit(incoming, opener), outgoing);
  }

  upgradeDirectly({ incoming, socket, head }: Wire, opener: Opener): boolean {
    const request = admit(incoming, opener);
    if (!this.#hasTransport(request)) return false;
    this.handleUpgrade(request, socket, head);
    return true;
  }
}

/** Makes the engine of a service. */
export const createEngineIo = ({ engine, settings }: Mounted): NodeEngine =>
  new EngineIo(engine, settings.socketio, settings.fastPaths);

/** engine.io takes the callback alone: it would wait for a promise for ever, and end the process for what is thrown. */
const withCallback =
  (guard: Guard): NonNullable<SocketIoOptions["allowRequest"]> =>
  (request, decide) =>
    void callAllowRequest(request, guard).then((refusal) => {
      const message = refusal?.["message"];
      decide(typeof message === "string" ? message : null, refusal === undefined);
    });
