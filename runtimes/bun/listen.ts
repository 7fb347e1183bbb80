/**
 * Listens with Bun.serve. A WebSocket handshake runs through the Hono chain like any request; then the engine makes
 * it, unless the author's own WebSocket route has.
 */
import { websocket as authorEvents, type BunWebSocketData } from "hono/bun";
import { targetOf } from "../../src/engine/url.ts";
import { secure } from "../../src/http/pages.ts";
import type { EngineDriver, Handshake } from "../../src/realtime/engine.ts";
import type { Publisher } from "../../src/realtime/publisher.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { type BunEnv, visitor } from "./route.ts";

/** What becomes of a WebSocket of the engine's. It is the data that the WebSocket carries in Bun. */
export interface SocketBinding {
  opened(socket: Bun.ServerWebSocket<SocketBinding>): void;
  received(message: string | Buffer<ArrayBuffer>): void;
  /** What was sent has left, or some of it. */
  drained(): void;
  closed(code: number, reason: string): void;
}

/**
 * Makes a handshake that the engine let through, with the headers of the answer that stands for it.
 * @returns whether it could be made
 */
export type MakeHandshake = (
  request: Request,
  server: Bun.Server<unknown>,
  headers: Headers,
) => boolean | Promise<boolean>;

/** An engine as it is bound to Bun. */
export interface EngineBinding {
  readonly driver: EngineDriver & {
    answer(request: Request, env: BunEnv, handshake: Handshake): Response | Promise<Response>;
  };
  /** The most bytes that a message, or the body of a polling request, may have. */
  readonly maxSize: number;
  /** What makes the handshake of this request, if the Socket.IO route let it through. @param env its `c.env` */
  handshakeOf(env: object): MakeHandshake | undefined;
}

type Data = SocketBinding | BunWebSocketData;
type WebSocket<Data> = Bun.ServerWebSocket<Data>;

const isEngines = (socket: WebSocket<Data>): socket is WebSocket<SocketBinding> => "drained" in socket.data;
const isAuthors = (socket: WebSocket<Data>): socket is WebSocket<BunWebSocketData> => "events" in socket.data;

/** Nothing for a request that has become a WebSocket. */
type Outcome = Response | undefined | Promise<Response | undefined>;

/** Bun's own limit for the bodies of requests, in bytes. */
const MAX_BODY_SIZE = 128 * 1024 * 1024;

export async function listen(
  service: Mounted,
  { port, hostname, tls }: Address,
  bind: (service: Mounted, publish: Publisher["publish"]) => EngineBinding,
): Promise<Listener> {
  const { logger } = service.settings;
  const engine = bind(service, (topic, frame) => server.publish(topic, frame) !== -1);
  service.engine.attach(engine.driver);
  const authorSockets = new Set<WebSocket<Data>>();

  const server = Bun.serve<Data>({
    port,
    hostname,
    ...(tls && { tls }),
    // The longest that Bun can wait for a connection that is silent; Node waits as long as it takes.
    idleTimeout: 255,
    // The author's routes keep Bun's limit; the engine has its own for the Socket.IO route.
    maxRequestBodySize: Math.max(MAX_BODY_SIZE, engine.maxSize),
    fetch(request, server) {
      const env = { server, hinoko: service.bindings.hinoko };
      const handshake = service.goesStraight(request.method, targetOf(request))
        ? service.admit(visitor(request, env))
        : undefined;
      if (handshake) {
        const answer = engine.driver.answer(request, env, handshake);
        return answer instanceof Promise
          ? answer.then((answer) => finish(request, env, answer))
          : finish(request, env, answer);
      }
      const answer = service.fetch(request, env);
      return answer instanceof Promise
        ? answer.then((answer) => answer && finish(request, env, secure(answer)))
        : secure(answer);
    },
    // What failed where no error handler of Hono's is; Bun's own answer would show the stack.
    error(error) {
      logger.error(error);
      return new Response("Internal Server Error", { status: 500 });
    },
    websocket: {
      maxPayloadLength: engine.maxSize,
      // The heartbeat of Socket.IO finds dead peers; the author's own routes have none, as on Node.
      idleTimeout: 0,
      // Nothing is dropped: the engine minds readers that do not keep up, as the author's own routes do on Node.
      backpressureLimit: 0,
      open(socket) {
        if (isEngines(socket)) return socket.data.opened(socket);
        authorSockets.add(socket);
        if (isAuthors(socket)) authorEvents.open(socket);
      },
      message(socket, message) {
        if (isEngines(socket)) socket.data.received(message);
        else if (isAuthors(socket)) authorEvents.message(socket, message);
      },
      drain(socket) {
        if (isEngines(socket)) socket.data.drained();
      },
      close(socket, code, reason) {
        if (isEngines(socket)) return socket.data.closed(code, reason);
        authorSockets.delete(socket);
        if (isAuthors(socket)) authorEvents.close(socket, code, reason);
      },
    },
  });

  /** Makes the handshake that an answer stands for, if it does. */
  function finish(request: Request, env: BunEnv, answer: Response): Outcome {
    const makeHandshake = answer.ok ? engine.handshakeOf(env) : undefined;
    if (!makeHandshake) return answer;
    const { headers } = answer;
    // As ws does on Node: a client that names protocols gives up when none is chosen.
    const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
    if (protocol) headers.set("Sec-WebSocket-Protocol", protocol);
    const isMade = makeHandshake(request, server, headers);
    return isMade instanceof Promise ? isMade.then(conclude) : conclude(isMade);
  }

  return {
    port: server.port ?? port,
    async close() {
      const stopped = server.stop();
      for (const socket of authorSockets) socket.close(1001);
      // Browsers open connections in advance, and Bun waits for one on which nothing was asked yet.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await stopped;
      clearInterval(sweep);
    },
    terminate: () => void server.stop(true),
  };
}

/** A handshake that could not be made is malformed (RFC 6455, 4.2.1). */
const conclude = (isMade: boolean): Response | undefined =>
  isMade
    ? undefined
    : new Response("Bad Request: not a WebSocket handshake", {
        status: 400,
        headers: { "Sec-WebSocket-Version": "13" },
      });
