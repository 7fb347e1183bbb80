/**
 * The engine: opens a session for each client that the pipeline admits, and gives it its transports.
 * WebSocket handshakes are made by the driver of a runtime, which puts a `Peer` under the session.
 * @see https://socket.io/docs/v4/engine-io-protocol/
 */
import { readText } from "./body.ts";
import type { Exchange } from "./exchange.ts";
import type { Peer, PeerListener } from "./peer.ts";
import { type Opening, Pipeline } from "./pipeline.ts";
import { type Answer, empty, Polling } from "./polling.ts";
import { Socket } from "./socket.ts";
import type { Transport } from "./transport.ts";
import { WebSocketTransport } from "./websocket.ts";

/** A WebSocket handshake that the engine has let through. */
export interface Upgrade {
  /** Puts the open WebSocket under its session. */
  connect(peer: Peer): PeerListener;
}

export class NativeEngine<Env extends object = object> extends Pipeline<Socket, Upgrade, Env> {
  protected open({ raw }: Exchange<Env>, opening: Opening): Answer | Promise<Answer> {
    const transport = new Polling();
    const session = this.#create(opening, transport);
    const answer = transport.poll(raw); // there already: the first packet waits for it
    this.engine.open(session, opening.handshake);
    return answer;
  }

  #create({ id, request }: Opening, transport: Transport): Socket {
    const session = new Socket(id, transport, { request, server: this.engine, options: this.options });
    this.keep(session);
    return session;
  }

  protected pass(exchange: Exchange<Env>, { transport }: Socket): Answer | Promise<Answer> {
    if (!(transport instanceof Polling)) return empty(400);
    if (exchange.method === "GET") return transport.poll(exchange.raw);
    if (exchange.method !== "POST") return empty(500);
    const text = () => readText(exchange.body, this.options.maxHttpBufferSize);
    return transport.receive({ type: exchange.header("content-type"), text });
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
        if (this.isClosed) transport.abandon();
        else use(transport);
        return transport;
      },
    };
  }
}
