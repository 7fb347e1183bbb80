/**
 * The engine: opens a session for each client that the pipeline admits, and gives it its transports.
 * WebSocket handshakes are made by the driver of a runtime, which puts a `Peer` under the session.
 * @see https://socket.io/docs/v4/engine-io-protocol/
 */
import type { Context } from "hono";
import { readText } from "./body.ts";
import type { Peer, PeerListener } from "./peer.ts";
import { type Opening, Pipeline } from "./pipeline.ts";
import { type Answer, Polling } from "./polling.ts";
import { Socket } from "./socket.ts";
import type { Transport } from "./transport.ts";
import { WebSocketTransport } from "./websocket.ts";

/** A WebSocket handshake that the engine has let through. */
export interface Upgrade {
  /** Puts the open WebSocket under its session. */
  connect(peer: Peer): PeerListener;
}

export class NativeEngine extends Pipeline<Socket, Upgrade> {
  readonly #sessions = new Map<string, Socket>();
  #isClosed = false;

  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions.values()) session.close(true);
  }

  protected find(sid: string): Socket | undefined {
    return this.#sessions.get(sid);
  }

  protected async open(c: Context, opening: Opening): Promise<Answer> {
    const transport = new Polling();
    const session = this.#create(opening, transport);
    const answer = await transport.poll(c.req.raw);
    this.engine.open(session, opening.handshake);
    return answer;
  }

  #create({ id, request }: Opening, transport: Transport): Socket {
    const session = new Socket(id, transport, { request, server: this.engine, options: this.options });
    this.#sessions.set(id, session);
    session.once("close", () => this.#sessions.delete(id));
    return session;
  }

  protected pass(c: Context, { transport }: Socket): Answer | Promise<Answer> {
    if (!(transport instanceof Polling)) return { status: 400, headers: {} };
    if (c.req.method === "GET") return transport.poll(c.req.raw);
    if (c.req.method !== "POST") return { status: 500, headers: {} };
    const text = () => readText(c.req, this.options.maxHttpBufferSize);
    return transport.receive({ type: c.req.header("content-type"), text });
  }

  protected opener(opening: Opening): Upgrade {
    return this.#upgrade((transport) =>
      this.engine.open(this.#create(opening, transport), opening.handshake),
    );
  }

  protected upgrader(session: Socket): Upgrade {
    return this.#upgrade((transport) => {
      // A session that was upgraded or closed meanwhile, or is being upgraded, takes no other transport.
      if (session.upgradable) session.upgrade(transport);
      else transport.abandon();
    });
  }

  #upgrade(use: (transport: Transport) => void): Upgrade {
    return {
      connect: (peer) => {
        const transport = new WebSocketTransport(peer, this.options.maxHttpBufferSize);
        if (this.#isClosed) transport.abandon();
        else use(transport);
        return transport;
      },
    };
  }
}
