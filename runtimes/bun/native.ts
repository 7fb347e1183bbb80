/**
 * Hinoko's own engine on Bun.serve, in place of @socket.io/bun-engine: ENGINE=native.
 */
import { websocket as authorEvents, type BunWebSocketData } from "hono/bun";
import { readOptions } from "../../src/engine/options.ts";
import { HIGH_WATER_MARK, type Peer, type PeerListener } from "../../src/engine/peer.ts";
import { NativeEngine, type Upgrade } from "../../src/engine/server.ts";
import { isLarger, TOO_BIG } from "../../src/engine/websocket.ts";
import type { Address, Listener, Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { NO_STATUS } from "./link.ts";

interface EngineData {
  readonly upgrade: Upgrade;
  listener?: PeerListener;
}
type Data = EngineData | BunWebSocketData;
type Socket<Data> = Bun.ServerWebSocket<Data>;

const isEngines = (socket: Socket<Data>): socket is Socket<EngineData> => "upgrade" in socket.data;
const isAuthors = (socket: Socket<Data>): socket is Socket<BunWebSocketData> => "events" in socket.data;

/** Bun's WebSocket as a peer of the engine. */
class BunPeer implements Peer {
  readonly #socket: Socket<EngineData>;

  constructor(socket: Socket<EngineData>) {
    this.#socket = socket;
  }

  get bufferedAmount(): number {
    return this.#socket.getBufferedAmount();
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(frame);
  }

  close(code = NO_STATUS, reason?: string): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

export async function listen(service: Mounted, { port, hostname, tls }: Address): Promise<Listener> {
  const { logger, socketio } = service.settings;
  const options = readOptions(socketio, commands.bun.name);
  const engine = new NativeEngine(service.engine, options);
  service.engine.attach(engine);
  const authorSockets = new Set<Socket<Data>>();

  const server = Bun.serve<Data>({
    port,
    hostname,
    ...(tls && { tls }),
    idleTimeout: 255,
    async fetch(request, server) {
      const env = { server, ...service.bindings };
      if (request.method === "GET") server.timeout(request, 0); // a long poll is silent for longer than Bun waits
      const answer = await service.fetch(request, env);
      const upgrade = answer?.ok ? engine.upgradeOf(env) : undefined;
      if (!upgrade) return answer;
      const { headers } = answer;
      const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
      if (protocol) headers.set("Sec-WebSocket-Protocol", protocol);
      return server.upgrade(request, { data: { upgrade }, headers })
        ? undefined
        : new Response("Bad Request: not a WebSocket handshake", { status: 400 });
    },
    error(error) {
      logger.error(error);
      return new Response("Internal Server Error", { status: 500 });
    },
    websocket: {
      maxPayloadLength: options.maxHttpBufferSize * 2, // a bound: the engine tells its session what is too large
      idleTimeout: 0,
      backpressureLimit: 0, // none: the engine minds `bufferedAmount`
      open(socket) {
        if (isEngines(socket)) {
          socket.data.listener = socket.data.upgrade.connect(new BunPeer(socket));
          return;
        }
        authorSockets.add(socket);
        if (isAuthors(socket)) authorEvents.open(socket);
      },
      message(socket, message) {
        if (isEngines(socket)) socket.data.listener?.received(message);
        else if (isLarger(message, options.maxHttpBufferSize)) socket.close(TOO_BIG);
        else if (isAuthors(socket)) authorEvents.message(socket, message);
      },
      drain(socket) {
        if (isEngines(socket) && socket.getBufferedAmount() < HIGH_WATER_MARK)
          socket.data.listener?.drained();
      },
      close(socket, code, reason) {
        if (isEngines(socket)) {
          // Bun says so in the reason when it was the client's frames that it could not take.
          if (code === 1006 && reason.startsWith("Received "))
            socket.data.listener?.failed(new Error(reason));
          socket.data.listener?.closed();
          return;
        }
        authorSockets.delete(socket);
        if (isAuthors(socket)) authorEvents.close(socket, code, reason);
      },
    },
  });
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
