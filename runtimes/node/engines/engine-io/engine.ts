/**
 * engine.io as a route of the Hono app. engine.io answers a polling request into a captured response, which goes back
 * through the Hono chain, and makes a WebSocket handshake when the chain has let it through.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ErrorCallback, Server, type Socket, type Transport } from "engine.io";
import type { Context } from "hono";
import { type WebSocket, WebSocketServer } from "ws";
import { andThen } from "../../../../src/engine/and-then.ts";
import { type Answer, emptyAnswer, notServedAnswer, toResponse } from "../../../../src/engine/answer.ts";
import type { Publisher } from "../../../../src/engine/channel.ts";
import { afterDispatch } from "../../../../src/engine/dispatch.ts";
import type { BacklogJudge, Opener, WaitingPacket } from "../../../../src/engine/driver.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import { corsOfAccepted, type Guard } from "../../../../src/engine/options.ts";
import { exceedsPackets } from "../../../../src/engine/parser.ts";
import { createId } from "../../../../src/engine/session-id.ts";
import { readQuery } from "../../../../src/engine/url.ts";
import { callAllowRequest, Refusal, verifyProtocol } from "../../../../src/engine/verification.ts";
import type { Mounted } from "../../../../src/runtime.ts";
import type { Settings, SocketIoOptions } from "../../../../src/settings.ts";
import { writeResponse } from "../../answer.ts";
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
  /** Who makes the request; undefined again when its session is open, or when the request is refused. */
  opener: Opener | undefined;
  /** Whether a handshake was verified before engine.io makes it. */
  isVerified?: boolean;
  /** The id of the session that a verified handshake opens. */
  sessionId?: string;
}

const prepareRequest = (incoming: IncomingMessage, opener: Opener): PreparedRequest =>
  Object.assign(incoming, { _query: readQuery(incoming.url ?? ""), opener });

const isPrepared = (incoming: IncomingMessage): incoming is PreparedRequest => "opener" in incoming;

type VerifyArgs = [request: PreparedRequest, isUpgrade: boolean, decide: ErrorCallback];

const FORWARDED_EVENTS = ["connection_error", "initial_headers", "headers"] as const;

/**
 * Answers the pending poll as soon as the probe of an upgrade has come, because the client waits for that before it
 * upgrades. engine.io itself looks for a pending poll only every 100 ms.
 */
function endPoll(this: Socket): void {
  const { transport } = this;
  if (transport.name === "polling" && transport.writable) transport.send([{ type: "noop" }]);
}

/**
 * Has a session that polls end only when Socket.IO has passed on the events that came in one POST with the close
 * packet. engine.io ends it while it reads the POST, and Socket.IO drops the events of a session that has ended
 * (https://github.com/socketio/socket.io/blob/4.8.4/packages/engine.io/lib/transports/polling.ts, `onData()`).
 */
function closeAfterDispatch(session: Socket): void {
  const { transport } = session;
  const listeners = transport.listeners("close");
  const close = (...args: unknown[]) => {
    if (session.transport !== transport) return; // the session has been upgraded
    for (const listener of listeners) Reflect.apply(listener, transport, args);
  };
  transport.removeAllListeners("close");
  transport.once("close", (...args) => afterDispatch(() => close(...args)));
}

/**
 * Ends a transport that waits for a poll to answer with the close packet. engine.io waits for 30 seconds, also when the
 * session has ended and the client has no use for the packet, and keeps the process running for as long.
 */
function stopAwaitingPoll(transport: Transport): void {
  if ("shouldClose" in transport && typeof transport.shouldClose === "function") transport.shouldClose();
}

function onSessionClose(this: Socket): void {
  stopAwaitingPoll(this.transport);
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
  /** engine.io's own, which it does not declare as public. */
  declare readonly clients: Record<string, Socket>;
  readonly #engine: Engine;
  #isClosed = false;
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
      if (session.transport.name === "polling") {
        closeAfterDispatch(session);
        session.on("close", onSessionClose);
        if (fastPaths) session.on("upgrading", endPoll);
      }
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

  override generateId(request: PreparedRequest): string | PromiseLike<string> {
    return request.sessionId ?? this.#engine.generateId(request);
  }

  protected override cleanup(): void {
    super.cleanup();
    this.#isClosed = true;
    for (const { transport } of Object.values(this.clients)) stopAwaitingPoll(transport);
  }

  judgeBacklogs(judge: BacklogJudge): void {
    for (const session of Object.values(this.clients)) {
      const writeBuffer: readonly WaitingPacket[] = session["writeBuffer"];
      const error = writeBuffer.length > 0 ? judge(session, writeBuffer) : undefined;
      if (!error) continue;
      const { transport } = session;
      transport.discard(); // otherwise it would wait 30 seconds for a poll
      session["onError"](error);
      terminate(transport);
    }
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

  /**
   * Answers a handshake with an empty 200, which stands for the 101, or refuses it. This is done before engine.io makes
   * the handshake: by itself it refuses some only behind the 101, and leaves those without an answer that a middleware
   * ends.
   */
  async #answerHandshake(request: PreparedRequest): Promise<Answer> {
    const response = new CapturedResponse(request);
    const abandon = () => response.abandon();
    request.socket.once("close", abandon);
    this._applyMiddlewares(request, response, (error) => {
      const finish = ({ status, headers, body }: Answer) => response.writeHead(status, headers).end(body);
      if (error) finish(this.#refuse(request, Refusal.badRequest("MIDDLEWARE_FAILURE")));
      else this.#verifyHandshake(request, finish);
    });
    const answer = await response.answer;
    request.socket.off("close", abandon); // a WebSocket would keep the response for as long as it lasts
    if (!request.isVerified) request.opener = undefined;
    return answer;
  }

  /** @param finish gets the answer, at once unless a function of the author's takes its time */
  #verifyHandshake(request: PreparedRequest, finish: (answer: Answer) => void): void {
    const { sid, transport } = request._query;
    const refuse = (refusal: Refusal) => finish(this.#refuse(request, refusal));
    const accept = (id?: string | Refusal) => {
      if (id instanceof Refusal) return refuse(id);
      if (this.#isClosed) return finish(notServedAnswer());
      if (id !== undefined) request.sessionId = id;
      request.isVerified = true;
      return finish(emptyAnswer(200));
    };
    this.verify(request, true, (code, context) => {
      if (code !== undefined) return refuse(new Refusal(code, context));
      if (transport !== "websocket") return refuse(Refusal.badRequest("TRANSPORT_HANDSHAKE_ERROR"));
      if (sid) return accept();
      const refusal = this.opts.allowEIO3 ? undefined : verifyProtocol({ query: request._query });
      if (refusal) return refuse(refusal);
      void andThen(createId(this.#engine, request), accept);
    });
  }

  /** Refuses a handshake as engine.io does, with a text. */
  #refuse(request: PreparedRequest, { code, message, context, reason }: Refusal): Answer {
    this.emit("connection_error", { req: request, code, message, context });
    return { status: 400, headers: { "Content-Type": "text/html" }, body: reason };
  }

  protected override _applyMiddlewares(
    request: PreparedRequest,
    response: ServerResponse,
    callback: (error?: unknown) => void,
  ): void {
    if (request.isVerified) callback();
    else super._applyMiddlewares(request, response, callback);
  }

  protected override verify(...[request, isUpgrade, decide]: VerifyArgs): void {
    if (request.isVerified) decide();
    else super.verify(request, isUpgrade, decide);
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
    if (this.middlewares.length > 0) return false;
    const request = prepareRequest(incoming, opener);
    this.#verifyHandshake(request, (answer) => {
      if (request.isVerified) this.handleUpgrade(request, socket, head);
      else void writeResponse(socket, toResponse(answer));
    });
    return true;
  }
}

/** Drops the connection of a transport over WebSocket. engine.io itself would wait for a client that does not read. */
function terminate(transport: Transport): void {
  const socket = "socket" in transport ? transport.socket : undefined;
  const canTerminate = typeof socket === "object" && socket !== null && "terminate" in socket;
  if (canTerminate && typeof socket.terminate === "function") socket.terminate();
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
