/**
 * Listens with @hono/node-server. A request that asks for an upgrade runs through the Hono chain like any other;
 * then the engine makes the handshake, or the author's own WebSocket route does, or the chain's answer is written.
 */
import { once } from "node:events";
import { Server as HttpServer, IncomingMessage, type ServerResponse } from "node:http";
import { createServer, Server as HttpsServer } from "node:https";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { createAdaptorServer, type Http2Bindings, type HttpBindings } from "@hono/node-server";
import { WebSocketServer } from "ws";
import type { EngineDriver, Handshake } from "../../src/realtime/engine.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { Connections } from "./connections.ts";
import { leaveHostToGuard } from "./host.ts";
import { PageResponse } from "./page-response.ts";
import { cutWhenLeft, finish, writeResponse } from "./raw-response.ts";
import { NodeVisitor } from "./visitor.ts";

/** Makes a handshake that the engine let through, with the headers that the Hono chain set. */
export type MakeHandshake = (socket: Duplex, head: Buffer, headers: Headers) => void;

/** An engine that takes requests as Node has them, if the service lets them go straight to it. */
export interface StraightEngine {
  answer(incoming: IncomingMessage, outgoing: ServerResponse, handshake: Handshake): void;
  /** @returns false for a handshake that it leaves to the chain */
  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer, handshake: Handshake): boolean;
}

/** An engine as it is bound to Node. */
export interface EngineBinding {
  readonly driver: EngineDriver;
  readonly straight?: StraightEngine;
  /** What makes the handshake of this request, if the Socket.IO route let it through. @param env its `c.env` */
  handshakeOf(incoming: IncomingMessage, env: object): MakeHandshake | undefined;
}

/** The WebSockets of the author's own routes. Tells which requests became one. */
class AuthorSockets extends WebSocketServer {
  readonly upgraded = new WeakSet<IncomingMessage>();

  override handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
    this.upgraded.add(args[0]);
    super.handleUpgrade(...args);
  }
}

export async function listen(
  service: Mounted,
  { port, hostname, tls }: Address,
  bind: (service: Mounted) => EngineBinding,
): Promise<Listener> {
  const engine = bind(service);
  service.engine.attach(engine.driver);
  const maxPayload = service.settings.socketio.maxHttpBufferSize ?? 1e6; // as on the runtimes that have one for all
  const authorSockets = new AuthorSockets({ noServer: true, maxPayload });
  /** What the Hono chain answers to each handshake, and the `env` that it was given. */
  const handled = new WeakMap<IncomingMessage, { answer: Response | Promise<Response>; env: object }>();

  const { hinoko } = service.bindings;
  const fetch = (request: Request, env: HttpBindings | Http2Bindings) => {
    const { incoming, outgoing } = env;
    const bindings = { incoming, outgoing, hinoko };
    if (outgoing) return service.fetch(request, bindings);
    const answer = service.fetch(request, Object.assign(env, { hinoko })); // it has what the author's routes are made with
    if (incoming instanceof IncomingMessage) handled.set(incoming, { answer, env });
    return answer;
  };
  /** What the engine gets with a request that meets nothing else in the Hono chain. */
  const admit = (incoming: IncomingMessage): Handshake | undefined => {
    const { method = "", url = "" } = incoming;
    return engine.straight && service.goesStraight(method, url)
      ? service.admit(new NodeVisitor(incoming))
      : undefined;
  };
  const server = createAdaptorServer({
    fetch,
    websocket: { server: authorSockets },
    ...(tls
      ? { createServer, serverOptions: { ...tls, ServerResponse: PageResponse } }
      : { serverOptions: { ServerResponse: PageResponse } }),
  });
  if (!(server instanceof HttpServer || server instanceof HttpsServer))
    throw new TypeError("Hinoko needs an HTTP/1.1 server");

  // @hono/node-server's listeners, which start the Hono chain and take what the author's WebSocket routes claim
  const [chain, upgradeChain] = [takeListeners(server, "request"), takeListeners(server, "upgrade")];
  const connections = new Connections(server); // listens for upgrades, too: else @hono/node-server would refuse them itself
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    connections.heard(incoming);
    const handshake = admit(incoming);
    if (!handshake) {
      leaveHostToGuard(incoming);
      return chain(incoming, outgoing);
    }
    if (outgoing instanceof PageResponse) outgoing.mayBePage = false;
    engine.straight?.answer(incoming, outgoing, handshake);
  });

  const ignoreError = () => {};
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node has taken its own listener off; without one, a client that resets its connection would end the process.
    socket.on("error", ignoreError);
    const isWebSocket = incoming.headers.upgrade?.toLowerCase() === "websocket";
    const handshake = isWebSocket ? admit(incoming) : undefined;
    if (handshake && engine.straight?.upgrade(incoming, socket, head, handshake)) return;
    leaveHostToGuard(incoming);
    upgradeChain(incoming, socket, head);
    if (isWebSocket) onHandshake(incoming, socket, head).catch((error: unknown) => abort(socket, error));
    else serveWithoutUpgrade(server, incoming, socket);
  });

  /** The chain failed where no error handler of Hono's is: the connection ends, the listener does not. */
  function abort(socket: Duplex, error: unknown): void {
    service.settings.logger.error(error);
    socket.destroy();
  }

  async function onHandshake(incoming: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { answer: pending = new Response("Bad Request", { status: 400 }), env = {} } =
      handled.get(incoming) ?? {};
    const answer = await pending;
    const makeHandshake = answer.ok ? engine.handshakeOf(incoming, env) : undefined;
    if (makeHandshake) return makeHandshake(socket, head, answer.headers);
    await setImmediate();
    if (!authorSockets.upgraded.has(incoming)) await writeResponse(socket, answer);
  }

  server.listen(port, hostname);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    async close() {
      const closed = once(server, "close");
      server.close();
      connections.dropSilent();
      for (const socket of authorSockets.clients) socket.close(1001);
      // A connection that is kept alive becomes idle when its request is answered.
      const sweep = setInterval(() => server.closeIdleConnections(), 50);
      await closed;
      clearInterval(sweep);
    },
    terminate() {
      server.closeAllConnections();
      connections.dropUpgraded();
    },
  };
}

/** Takes the listeners of an event away, to call them for some requests only. */
function takeListeners(server: HttpServer | HttpsServer, event: string): (...args: unknown[]) => void {
  const listeners = server.listeners(event);
  server.removeAllListeners(event);
  return (...args) => {
    for (const listener of listeners) listener.apply(server, args);
  };
}

/** An upgrade to anything but WebSocket ("h2c") is declined by answering the request as it is (RFC 9110, 7.8). */
function serveWithoutUpgrade(
  server: HttpServer | HttpsServer,
  incoming: IncomingMessage,
  socket: Duplex,
): void {
  const outgoing = new PageResponse(incoming);
  outgoing.shouldKeepAlive = false;
  if (socket instanceof Socket) outgoing.assignSocket(socket);
  outgoing.once("finish", () => finish(socket));
  cutWhenLeft(socket);
  server.emit("request", incoming, outgoing);
}
