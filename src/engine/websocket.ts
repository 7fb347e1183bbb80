/**
 * The WebSocket transport: one packet is one frame.
 * @see https://socket.io/docs/v4/engine-io-protocol/#websocket
 */
import { Buffer } from "node:buffer";
import { clearTimeout, setTimeout } from "node:timers";
import { decodePacket, encodePacket, type Packet } from "./parser.ts";
import { CloseCode, HIGH_WATER_MARK, type Peer, type PeerListener } from "./peer.ts";
import { Transport } from "./transport.ts";

/** How long a peer may take to answer a closing handshake before it is terminated, in milliseconds. */
const CLOSE_TIMEOUT = 30_000;

export class WebSocketTransport extends Transport implements PeerListener {
  readonly name = "websocket";
  readonly #peer: Peer;
  readonly #maxPayload: number;
  /** The code for a client that has broken the rules. */
  #closeCode: number | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param maxPayload the most bytes that a frame may have */
  constructor(peer: Peer, maxPayload: number) {
    super();
    this.#peer = peer;
    this.#maxPayload = maxPayload;
  }

  override get peer(): Peer {
    return this.#peer;
  }

  get writable(): boolean {
    return this.readyState === "open" && this.#peer.bufferedAmount < HIGH_WATER_MARK;
  }

  send(packets: readonly Packet[]): number {
    let sent = 0;
    for (const packet of packets) {
      if (sent > 0 && !this.writable) break;
      this.#peer.send(encodePacket(packet));
      sent++;
    }
    return sent;
  }

  received(frame: string | ArrayBuffer | Uint8Array): void {
    if (this.readyState !== "open") return;
    if (isLarger(frame, this.#maxPayload)) {
      this.#closeCode = CloseCode.TOO_BIG;
      this.fail("Max payload size exceeded");
    } else {
      this.listener.packet(decodePacket(frame));
    }
  }

  drained(): void {
    if (this.writable) this.listener.ready();
  }

  failed(error: unknown): void {
    this.fail(error instanceof Error ? error.message : "WebSocket error", error);
  }

  closed(): void {
    clearTimeout(this.#closeTimer);
    this.onClosed();
  }

  protected doClose(done: () => void): void {
    const peer = this.#peer;
    if (peer.terminate) this.#closeTimer = setTimeout(() => peer.terminate?.(), CLOSE_TIMEOUT);
    done(); // before the peer may tell that it is closed
    peer.close(this.#closeCode);
  }
}

/** Whether a frame has more bytes than that. A UTF-16 unit is three bytes of UTF-8 at the most. */
export function isLarger(frame: string | ArrayBuffer | Uint8Array, size: number): boolean {
  if (typeof frame !== "string") return frame.byteLength > size;
  return frame.length * 3 > size && Buffer.byteLength(frame) > size;
}
