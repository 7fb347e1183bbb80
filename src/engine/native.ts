/**
 * Hinoko's own Engine.IO server. The pipeline decides which requests are accepted; this class opens the sessions and
 * gives them their transports. The launcher of a runtime makes the WebSocket handshakes, and hands over each WebSocket
 * as a `Peer`.
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

  /** Makes the members of a new channel. A runtime whose WebSockets have topics overrides it. */
  protected createMembers(): Members<Peer> {
    return new PeerLoop();
  }

  protected openOverPolling({ raw }: Exchange<Env>, opening: Opening): Answer | Promise<Answer> {
    const transport = new Polling(this.options.maxPackets);
    const session = this.#create(opening, transport);
    // The session has put its open packet into the write buffer, so the poll is answered at once.
    const answer = transport.poll(raw);
    this.engine.open(session, opening.opener);
    return answer;
  }

  #create({ id, request }: Opening, transport: Transport): Socket {
    const session = new Socket(id, transport, { request, server: this.engine, options: this.options });
    this.trackSession(session);
    return session;
  }

  protected answerPolling(exchange: Exchange<Env>, { transport }: Socket): Answer | Promise<Answer> {
    if (!(transport instanceof Polling)) return emptyAnswer(400);
    if (exchange.method === "GET") return transport.poll(exchange.raw);
    if (exchange.method !== "POST") return emptyAnswer(500);
    const text = () => readText(exchange.body, this.options.maxHttpBufferSize, this.silence);
    return transport.receive({ type: exchange.header("content-type"), text });
  }

  protected openOverWebSocket(opening: Opening): Upgrade {
    return this.#takePeer((transport) => this.engine.open(this.#create(opening, transport), opening.opener));
  }

  protected prepareUpgrade(session: Socket): Upgrade {
    return this.#takePeer((transport) => {
      // While the handshake was made, the session may have been closed, or upgraded by another handshake.
      if (session.canUpgrade) session.upgrade(transport);
      else transport.abandon();
    });
  }

  /** Makes a transport of the peer, once there is one. @param use gives it to its session */
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
