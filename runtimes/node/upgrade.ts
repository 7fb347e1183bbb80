/**
 * Makes WebSocket handshakes on Node.
 *
 * A WebSocket handshake runs through the Hono chain like any other request. If a route lets it through and the chain's
 * answer is a success, ws makes the handshake and sends the headers of that answer with the 101. Otherwise the client
 * gets the chain's answer.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { isWellFormed } from "../../src/engine/handshake.ts";
import { readMaxSize } from "../../src/engine/options.ts";
import type { Upgrade } from "../../src/engine/peer.ts";
import type { Mounted } from "../../src/runtime.ts";
import { writeResponse } from "./answer.ts";
import type { NodeServer } from "./connections.ts";
import type { NodeEngine, Wire } from "./engine.ts";
import { setChainHeaders, withChainHeaders } from "./handshake-headers.ts";
import { leaveHostToGuard } from "./host.ts";
import { NodePeer } from "./peer.ts";
import { type NodeEnv, NodeVisitor, schemeOf } from "./visitor.ts";
import { DirectWebSocketServer } from "./websocket/index.ts";

const ignoreError = () => {};

/** Answers the WebSocket handshakes of a server. */
export function answerHandshakes(server: NodeServer, service: Mounted, engine: NodeEngine): void {
  const { settings } = service;
  const HandshakeServer = withChainHeaders(settings.fastPaths ? DirectWebSocketServer : WebSocketServer);
  const sockets = new HandshakeServer({
    noServer: true,
    clientTracking: false,
    // The engine and the author's routes check the size of a message too, but ws refuses a message that is too large
    // before all of it has come.
    maxPayload: readMaxSize(settings.socketio),
  });

  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const wire = { incoming, socket, head };
    // Node has removed its own "error" listener. Without any, a client that resets its connection would end the
    // process.
    socket.on("error", ignoreError);
    incoming.headers.upgrade = "websocket"; // a client may offer other protocols too, but ws takes no list
    const visitor = new NodeVisitor(incoming);
    const isDirect = engine.upgradeDirectly && isWellFormed((name) => visitor.header(name));
    const opener = isDirect ? service.admitDirectly("GET", incoming.url ?? "", visitor) : undefined;
    if (opener && engine.upgradeDirectly?.(wire, opener)) return;
    answerHandshake(wire).catch((error: unknown) => {
      // An error that Hono's error handler did not catch ends this connection, and not the process.
      settings.logger.error(error);
      socket.destroy();
    });
  });

  async function answerHandshake(wire: Wire): Promise<void> {
    const { incoming, socket } = wire;
    leaveHostToGuard(incoming);
    const env: NodeEnv = { incoming, outgoing: undefined, hinoko: service.binding };
    const departure = new AbortController();
    const abort = () => departure.abort();
    socket.once("close", abort);
    const request = createRequest(wire, departure.signal);
    if (!request) return writeResponse(socket, new Response("Bad Request", { status: 400 }));
    const answer = await service.fetch(request, env);
    if (socket.destroyed) return answer.body?.cancel();
    if (answer.ok && env.upgrade) makeHandshake(wire, answer.headers, env.upgrade);
    else if (!answer.ok || !engine.makeHandshake?.(wire, answer.headers))
      return writeResponse(socket, answer);
    socket.off("close", abort); // the WebSocket would keep the Request for as long as it lasts
  }

  function makeHandshake({ incoming, socket, head }: Wire, headers: Headers, upgrade: Upgrade): void {
    setChainHeaders(incoming, headers);
    sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
      const peer = new NodePeer(webSocket);
      peer.attachListener(upgrade.connect(peer), socket);
    });
  }
}

/**
 * Makes the Request of a handshake.
 * @param signal is aborted when the client leaves before the handshake is answered
 * @returns undefined for a target that is part of no URL ("*")
 */
function createRequest({ incoming }: Wire, signal: AbortSignal): Request | undefined {
  const {
    url = "/",
    headers: { host = "localhost" },
    rawHeaders,
  } = incoming;
  const target = url.startsWith("/") ? `${schemeOf(incoming)}://${host}${url}` : url;
  if (!URL.canParse(target)) return undefined;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  return new Request(target, { headers, signal });
}
