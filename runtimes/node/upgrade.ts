/**
 * Makes WebSocket handshakes on Node. A handshake runs through the Hono chain as a Request like any other; then the route
 * that let it through gets the WebSocket, or the chain's answer is written to the connection.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import type { Upgrade } from "../../src/engine/peer.ts";
import type { Mounted } from "../../src/runtime.ts";
import { writeResponse } from "./answer.ts";
import type { NodeServer } from "./connections.ts";
import type { NodeEngine, Wire } from "./engine.ts";
import { setChainHeaders, withChainHeaders } from "./handshake-headers.ts";
import { leaveHostToGuard } from "./host.ts";
import { NodePeer } from "./peer.ts";
import { type NodeEnv, NodeVisitor } from "./visitor.ts";
import { DirectWebSocketServer } from "./websocket/index.ts";

const ignoreError = () => {};

/** Answers the WebSocket handshakes of a server. */
export function answerHandshakes(server: NodeServer, service: Mounted, engine: NodeEngine): void {
  const { settings } = service;
  const HandshakeServer = withChainHeaders(settings.fastPaths ? DirectWebSocketServer : WebSocketServer);
  const sockets = new HandshakeServer({
    noServer: true,
    clientTracking: false,
    // Who uses the WebSocket finds what is too large, too; ws does before it has received all of it.
    maxPayload: settings.socketio.maxHttpBufferSize ?? 1_000_000,
  });

  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    const wire = { incoming, socket, head };
    // Node has taken its own listener off. Without one, a client that resets its connection would end the process.
    socket.on("error", ignoreError);
    const opener = engine.upgradeDirectly
      ? service.admitDirectly("GET", incoming.url ?? "", new NodeVisitor(incoming))
      : undefined;
    if (opener && engine.upgradeDirectly?.(wire, opener)) return;
    answerHandshake(wire).catch((error: unknown) => {
      // What failed where no error handler of Hono's is: the connection ends, the listener does not.
      settings.logger.error(error);
      socket.destroy();
    });
  });

  async function answerHandshake(wire: Wire): Promise<void> {
    const { incoming, socket } = wire;
    leaveHostToGuard(incoming);
    const env: NodeEnv = { incoming, outgoing: undefined, hinoko: service.binding };
    const answer = await service.fetch(createRequest(wire), env);
    if (socket.destroyed) return;
    if (answer.ok && env.upgrade) makeHandshake(wire, answer.headers, env.upgrade);
    else if (!answer.ok || !engine.makeHandshake?.(wire, answer.headers)) await writeResponse(socket, answer);
  }

  function makeHandshake({ incoming, socket, head }: Wire, headers: Headers, upgrade: Upgrade): void {
    setChainHeaders(incoming, headers);
    sockets.handleUpgrade(incoming, socket, head, (webSocket) => {
      const peer = new NodePeer(webSocket);
      peer.listen(upgrade.connect(peer), socket);
    });
  }
}

/** The Request of a handshake. It is aborted when the client leaves before it is answered. */
function createRequest({ incoming, socket }: Wire): Request {
  const {
    url = "/",
    headers: { host = "localhost" },
    rawHeaders,
  } = incoming;
  const scheme = incoming.socket instanceof TLSSocket ? "https" : "http";
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
  const left = new AbortController();
  socket.once("close", () => left.abort());
  const target = url.startsWith("/") ? `${scheme}://${host}${url}` : url;
  return new Request(target, { headers, signal: left.signal });
}
