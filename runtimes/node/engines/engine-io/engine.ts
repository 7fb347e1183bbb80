/**
 * engine.io as a route of the Hono app. engine.io answers a polling request into a captured response, which goes back
 * through the Hono chain, and makes a WebSocket handshake when the chain has let it through.
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
import { exceedsPackets } from "../../../../src/engine/parser.ts";
import { readQuery } from "../../../../src/engine/url.ts";
import { callAllowRequest } from "../../../../src/engine/verification.ts";
import type { Mounted } from "../../../../src/runtime.ts";
import type { Settings, SocketIoOptions } from "../../../../src/settings.ts";
import type { NodeEngine, Wire } from "../../engine.ts";
import { setChainHeaders, withChainHeaders } from "../../handshake-headers.ts";
import type { NodeEnv } from "../../visitor.ts";
import { DirectWebSocket, DirectWebSocketServer } from "../../websocket/index.ts";
import { CapturedResponse } from "./captured-response.ts";
import { openTransportChannel } from "./channel.ts";
import { replayRequest } from "./replay.ts";
import { DirectTransport } from "./transport.ts";

type TransportName = "polling" | "websocket" | "webtransport";

/** A request that is ready for engine.io. */
interface PreparedRequest extends IncomingMessage {
  /**
   * The parameters of the URL. engine.io reads them itself only if they are missing, with a `new URL()` that costs
   * more.
   */
  _query: Record<string, string>;
  /** Set by engine.io when it has made the handshake. */
  websocket?: WebSocket;
  /** Who makes the request; undefined again when its session is open. */
  opener: Opener | undefined;
}

const prepareRequest = (incoming: IncomingMessage, opener: Opener): PreparedRequest =>
  Object.assign(incoming, { _query: readQuery(incoming.url ?? ""), opener });

const isPrepared = (incoming: IncomingMessage): incoming is PreparedRequest => "opener" in incoming;

const FORWARDED_EVENTS = ["connection_error", "initial_headers", "headers"] as const;

/**
 * Answers the pending poll as soon as the probe of an upgrade has come, because the client waits for that before it
 * upgrades. engine.io itself looks for a pending poll only every 100 ms.
 */
function endPoll(this: Socket): void {
  const { transport } = this;
  if (transport.name === "polling" && transport.writable) transport.send([{ type: "noop" }]);
}

/** engine.io-parser, as a transport holds it. */
type Parser = Transport["parser"];

/**
 * Makes a parser that takes the body of a POST for a malformed one when it has too many packets. engine.io limits only
 * its bytes, and does not export its polling transport. The parser for clients of Engine.IO 3 (`allowEIO3`) reads
 * packets one by one: it is returned as it is.
 */
function limitPackets(parser: Parser, maxPackets: number): Parser {
  if (!("createPacketDecoderStream" in parser)) return parser;
  const decodePayload: typeof parser.decodePayload = (payload, binaryType) =>
    exceedsPackets(payload, maxPackets)
      ? [{ type: "error", data: "parser error" }]
      : parser.decodePayload(payload, binaryType);
  return { ...parser, decodePayload };
}

class EngineIo extends Server implements NodeEngine {
  readonly #engine: Engine;
  readonly publisher: Publisher | undefined;

  readonly #maxPackets: number;
  /** The parser of all polling transports. */
  #pollingParser: Parser | undefined;

  constructor(engine: Engine, { socketio: options, fastPaths, maxPackets }: Settings) {
    const { cors, allowRequest, wsEngine, perMessageDeflate } = options;
    super({
      ...options,
      ...(typeof cors === "object" && { cors: corsOfAccepted(cors) }),
      ...(allowRequest && { allowRequest: withCallback({ allowRequest }) }),
      // The option with which engine.io documents how to use another WebSocket server.
      wsEngine: withChainHeaders(wsEngine ?? (fastPaths ? DirectWebSocketServer : WebSocketServer)),
    });
    this.#engine = engine;
    this.#maxPackets = maxPackets;
    // Channels need a DirectWebSocket. With other WebSockets, Socket.IO's own adapter encodes a broadcast once for all.
    const hasChannels = fastPaths && !wsEngine && !perMessageDeflate;
    this.publisher = hasChannels ? { openChannel: openTransportChannel } : undefined;
    this.on("connection", (session) => {
      if (fastPaths && session.transport.name === "polling") session.on("upgrading", endPoll);
      this.#openSession(session);
    });
    for (const event of FORWARDED_EVENTS) this.on(event, (...args) => engine.emit(event, ...args));
  }

  /** Hands a session to `io.engine`, which opens it for Socket.IO. */
  #openSession(session: Socket): void {
    const { request } = session;
    if (!isPrepared(request) || !request.opener) return;
    const { opener } = request;
    request.opener = undefined; // the session keeps its request, and would keep the opener with it
    this.#engine.open(session, opener);
  }

  protected override createTransport(name: TransportName, request: PreparedRequest): Transport {
    const { websocket } = request;
    if (websocket instanceof DirectWebSocket) return new DirectTransport(request, websocket);
    const transport = super.createTransport(name, request);
    if (name === "polling" && transport.protocol === 4)
      transport["parser"] = this.#pollingParser ??= limitPackets(transport["parser"], this.#maxPackets);
    return transport;
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
    if (!outgoing) return this.#answerHandshake(prepareRequest(incoming, opener));
    // The client has left while middleware was awaited. Answering an abandoned poll would lose its messages.
    if (outgoing.closed) return emptyAnswer(400);
    // engine.io reads the body as a stream. If a middleware has read it already, Hono has kept it.
    const request = incoming.readableDidRead ? replayRequest(incoming, await c.req.arrayBuffer()) : incoming;
    const captured = new CapturedResponse(request);
    outgoing.once("close", () => captured.abandon());
    this.handleRequest(prepareRequest(request, opener), captured);
    return captured.answer;
  }

  /** Answers a handshake with an empty 200, which stands for the 101, or refuses it. */
  #answerHandshake(request: PreparedRequest): Answer {
    if (this.#hasTransport(request)) return emptyAnswer(200);
    request.opener = undefined;
    const code = Server.errors.UNKNOWN_TRANSPORT;
    const message = Server.errorMessages[code];
    this.emit("connection_error", { req: request, code, message, context: request._query });
    return { status: 400, headers: { "Content-Type": "text/html" }, body: message }; // as engine.io refuses a handshake
  }

  /**
   * Whether a handshake names the "websocket" transport and that is offered. If it is not, engine.io has no WebSocket
   * server, but would call it all the same.
   */
  #hasTransport({ _query }: PreparedRequest): boolean {
    return _query["transport"] === "websocket" && this.opts.transports?.includes("websocket") === true;
  }

  makeHandshake({ incoming, socket, head }: Wire, headers: Headers): boolean {
    if (!isPrepared(incoming) || !incoming.opener) return false;
    setChainHeaders(incoming, headers);
    this.handleUpgrade(incoming, socket, head);
    return true;
  }

  serveDirectly(incoming: IncomingMessage, outgoing: ServerResponse, opener: Opener): void {
    this.handleRequest(prepareRequest(incoming, opener), outgoing);
  }

  upgradeDirectly({ incoming, socket, head }: Wire, opener: Opener): boolean {
    const request = prepareRequest(incoming, opener);
    if (!this.#hasTransport(request)) return false;
    this.handleUpgrade(request, socket, head);
    return true;
  }
}

/** Makes the engine of a service. */
export const createEngineIo = ({ engine, settings }: Mounted): NodeEngine => new EngineIo(engine, settings);

/**
 * Gives `allowRequest` the form that engine.io takes: only the callback counts. It would wait for ever for an author's
 * promise, and an author's exception would end the process.
 */
const withCallback =
  (guard: Guard): NonNullable<SocketIoOptions["allowRequest"]> =>
  (request, decide) =>
    void callAllowRequest(request, guard).then((refusal) => {
      const message = refusal?.["message"];
      decide(typeof message === "string" ? message : null, refusal === undefined);
    });
