/**
 * Hinoko's own Engine.IO server: it opens a session for each client that the pipeline lets in, and gives it its
 * transports. The launcher of a runtime makes the WebSocket handshakes and puts a `Peer` under the session.
 * @see https://socket.io/docs/v4/engine-io-protocol/
 */
import { type Answer, emptyAnswer } from "./answer.ts";
import { readText } from "./body.ts";
import { type Members, OutletChannel, type Publisher } from "./channel.ts";
import type { UpgradeEnv } from "./driver.ts";
import type { Exchange } from "./exchange.ts";
import { type Peer, PeerLoop, type Upgrade } from "./peer.ts";
import { type Opening, Pipeline } from "./pipeline.ts";
import { Polling } from "./polling.ts";
import { Socket } from "./socket.ts";
import type { Transport } from "./transport.ts";
import { WebSocketTransport } from "./websocket.ts";

const outletOf = (session: object): Socket | undefined => (session instanceof Socket ? session : undefined);

export class NativeEngine<Env extends UpgradeEnv = UpgradeEnv> extends Pipeline<Socket, Env> {
  readonly publisher: Publisher = {
    openChannel: () => new OutletChannel(this.createMembers(), outletOf),
  };

  /** The members of a new channel. A runtime with topics of its own overrides it. */
  protected createMembers(): Members<Peer> {
    return new PeerLoop();
  }

  protected open({ raw }: Exchange<Env>, opening: Opening): Answer | Promise<Answer> {
    const transport = new Polling();
    const session = this.#create(opening, transport);
    const answer = transport.poll(raw); // answered at once: the open packet waits for it
    this.engine.open(session, opening.opener);
    return answer;
  }

  #create({ id, request }: Opening, transport: Transport): Socket {
    const session = new Socket(id, transport, { request, server: this.engine, options: this.options });
    this.keep(session);
    return session;
  }

  protected pass(exchange: Exchange<Env>, { transport }: Socket): Answer | Promise<Answer> {
    if (!(transport instanceof Polling)) return emptyAnswer(400);
    if (exchange.method === "GET") return transport.poll(exchange.raw);
    if (exchange.method !== "POST") return emptyAnswer(500);
    const text = () => readText(exchange.body, this.options.maxHttpBufferSize);
    return transport.receive({ type: exchange.header("content-type"), text });
  }

  protected openOver(opening: Opening): Upgrade {
    return this.#takePeer((transport) => this.engine.open(this.#create(opening, transport), opening.opener));
  }

  protected upgrade(session: Socket): Upgrade {
    return this.#takePeer((transport) => {
      // A session that was upgraded or closed meanwhile, or is being upgraded, takes no other transport.
      if (session.canUpgrade) session.upgrade(transport);
      else transport.abandon();
    });
  }

  #takePeer(use: (transport: Transport) => void): Upgrade {
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
