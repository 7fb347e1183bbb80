/**
 * engine.io's WebSocket transport on a DirectWebSocket. The WebSocket calls it directly instead of emitting events, so
 * it keeps no listeners of its own. It is writable again as soon as it has sent its packets, unless the client does not
 * keep up.
 */
import { Transport } from "engine.io";
import type { Packet, RawData } from "engine.io-parser";
import { afterDispatch } from "../../../../src/engine/dispatch.ts";
import { HIGH_WATER_MARK } from "../../../../src/engine/peer.ts";
import { VolatileFilter } from "../../../../src/engine/volatile.ts";
import type { DirectWebSocket, WebSocketOwner } from "../../websocket/index.ts";

/**
 * A packet. If Socket.IO's adapter broadcasts it, it comes with its frame, which was encoded once for all recipients.
 */
type Encodable = Packet & { options?: { wsPreEncodedFrame?: readonly Uint8Array[]; volatile?: boolean } };

/** The packet that was encoded last. engine.io's parsers give it to a callback, but call that at once. */
let encoded: RawData = "";
const keepEncoded = (data: RawData) => {
  encoded = data;
};

export class DirectTransport extends Transport implements WebSocketOwner {
  /** The WebSocket, by the name that it has in engine.io's own transport. */
  readonly socket: DirectWebSocket;
  #isEmittingDrain = false;
  #isDrainOwed = false;
  /** Most sessions never send a volatile message, and have none. */
  #volatileFilter: VolatileFilter | undefined;

  /** @param request the handshake, whose query says which version of the protocol the client speaks */
  constructor(request: { _query: Record<string, string> }, socket: DirectWebSocket) {
    super(request);
    this.socket = socket;
    this.writable = true;
    socket.setOwner(this, HIGH_WATER_MARK);
    socket.removeAllListeners("error"); // engine.io's own, which only served until now
  }

  /** Ignores engine.io's listener of "headers": it would edit the headers of a handshake that has been made already. */
  override on(event: string | symbol, listener: Parameters<Transport["on"]>[1]): this {
    return event === "headers" ? this : super.on(event, listener);
  }

  override get name(): string {
    return "websocket";
  }

  /** Whether a frame that is sent now is on its way at once, and the client keeps up. */
  get canSendNow(): boolean {
    const { socket } = this;
    return this.writable && socket.readyState === socket.OPEN && !socket.isFull;
  }

  /** Whether nothing that was sent waits. What was sent in this turn of the event loop does, until its end. */
  get isIdle(): boolean {
    return this.socket.bufferedAmount === 0;
  }

  /**
   * Whether a client takes messages as they are. One that speaks an older protocol, or no binary, needs them encoded.
   */
  get isPlain(): boolean {
    return this.protocol === 4 && this.supportsBinary;
  }

  received(data: Buffer, isBinary: boolean): void {
    this.onData(isBinary ? data : data.toString());
  }

  failed(error: Error): void {
    afterDispatch(() => this.onError(String(error))); // the words of engine.io's own transport
  }

  closed(): void {
    afterDispatch(() => this.onClose());
  }

  override send(packets: Encodable[]): void {
    this.writable = false;
    const { socket } = this;
    if (socket.readyState !== socket.OPEN) return socket.send("", (error) => this.#fail(error));
    for (const packet of packets) {
      const { options } = packet;
      if (options?.volatile && (this.#volatileFilter ??= new VolatileFilter()).drops(options, this)) continue;
      const frame = options?.wsPreEncodedFrame;
      if (frame) {
        socket.sendFrame(frame);
      } else {
        this.parser.encodePacket(packet, this.supportsBinary, keepEncoded);
        socket.send(encoded);
      }
    }
    encoded = "";
    if (socket.isFull) this.#awaitRoom();
    else this.#emitDrain();
  }

  /** Sends a frame of a channel, past the session and its write buffer. */
  sendFrame(list: readonly Uint8Array[]): void {
    this.socket.sendFrame(list);
    if (!this.writable || !this.socket.isFull) return;
    this.writable = false;
    this.#awaitRoom();
  }

  /** Emits "drain" when the client keeps up again. */
  #awaitRoom(): void {
    this.socket.awaitRoom((error) => (error ? this.#fail(error) : this.#emitDrain()));
  }

  /**
   * Tells the session that its packets are sent and that it may send more. A listener may do so at once, which calls
   * this again: the loop then emits the events one after the other instead of one inside the other.
   */
  #emitDrain(): void {
    this.#isDrainOwed = true;
    if (this.#isEmittingDrain) return;
    this.#isEmittingDrain = true;
    try {
      while (this.#isDrainOwed) {
        this.#isDrainOwed = false;
        this.emit("drain");
        this.writable = true;
        this.emit("ready");
      }
    } finally {
      this.#isEmittingDrain = false;
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
