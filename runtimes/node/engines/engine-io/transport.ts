/**
 * engine.io's WebSocket transport on a DirectWebSocket: it is told what comes by calls instead of events, keeps no
 * functions of its own, and is writable again as soon as a packet is sent, unless the client does not keep up.
 */
import { Transport } from "engine.io";
import type { Packet, RawData } from "engine.io-parser";
import { HIGH_WATER_MARK } from "../../../../src/engine/peer.ts";
import type { DirectWebSocket, WebSocketOwner } from "../../websocket/index.ts";

/** A packet, with its frame if it goes to many. */
type Encodable = Packet & { options?: { wsPreEncodedFrame?: readonly Uint8Array[] } };

/** The data that was encoded last: engine.io's parsers give it to a callback, at once. */
let encoded: RawData = "";
const keep = (data: RawData) => {
  encoded = data;
};

export class DirectTransport extends Transport implements WebSocketOwner {
  /** The WebSocket, where ws's users look for it. */
  readonly socket: DirectWebSocket;
  #isSettling = false;
  #isOwed = false;

  /** @param request the handshake, whose query tells the protocol */
  constructor(request: { _query: Record<string, string> }, socket: DirectWebSocket) {
    super(request);
    this.socket = socket;
    this.writable = true;
    socket.setOwner(this, HIGH_WATER_MARK);
    socket.removeAllListeners("error"); // that of engine.io, for the time until there is a transport
  }

  /** engine.io would edit the headers of a handshake that has been made. */
  override on(event: string | symbol, listener: Parameters<Transport["on"]>[1]): this {
    return event === "headers" ? this : super.on(event, listener);
  }

  override get name(): string {
    return "websocket";
  }

  /** Whether what is sent now is on its way at once, and leaves room for more. */
  get canSendNow(): boolean {
    const { socket } = this;
    return this.writable && socket.readyState === socket.OPEN && !socket.isFull;
  }

  /** Whether messages are sent as they are: in no older protocol, and bytes not as text. */
  get isPlain(): boolean {
    return this.protocol === 4 && this.supportsBinary;
  }

  received(data: Buffer, isBinary: boolean): void {
    this.onData(isBinary ? data : data.toString());
  }

  failed(error: Error): void {
    this.onError(String(error)); // as engine.io's own transport words it
  }

  closed(): void {
    this.onClose();
  }

  override send(packets: Encodable[]): void {
    this.writable = false;
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return socket.send("", (error) => this.#fail(error));
    for (const packet of packets) {
      const frame = packet.options?.wsPreEncodedFrame;
      if (frame) {
        socket.sendFrame(frame);
      } else {
        this.parser.encodePacket(packet, this.supportsBinary, keep);
        socket.send(encoded);
      }
    }
    encoded = "";
    if (socket.isFull) this.#wait();
    else this.#settle();
  }

  /** Sends a frame past the session. */
  sendFrame(list: readonly Uint8Array[]): void {
    this.socket.sendFrame(list);
    if (!this.writable || !this.socket.isFull) return;
    this.writable = false;
    this.#wait();
  }

  /** Tells that all is sent when the client has kept up. */
  #wait(): void {
    this.socket.awaitRoom((error) => (error ? this.#fail(error) : this.#settle()));
  }

  /** Tells that all is sent, one time after the other: whoever is told may send at once. */
  #settle(): void {
    this.#isOwed = true;
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      while (this.#isOwed) {
        this.#isOwed = false;
        this.emit("drain");
        this.writable = true;
        this.emit("ready");
      }
    } finally {
      this.#isSettling = false;
    }
  }

  #fail(error: Error | undefined): void {
    this.onError("write error", error?.stack);
  }

  override doClose(done?: () => void): void {
    this.socket.close();
    done?.();
  }
}
