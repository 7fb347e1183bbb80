/**
 * The WebSocket transport: each packet is one frame.
 * @see https://socket.io/docs/v4/engine-io-protocol/#websocket
 */
import { Buffer } from "node:buffer";
import { clearTimeout, setTimeout } from "node:timers";
import { decodePacket, encodePacket, type Packet } from "./parser.ts";
import { CloseCode, HIGH_WATER_MARK, type Peer, type PeerListener } from "./peer.ts";
import { NOBODY, Transport } from "./transport.ts";

/** How long a client may take to answer the close frame before its connection is terminated, in milliseconds. */
const CLOSE_FRAME_TIMEOUT = 30_000;

export class WebSocketTransport extends Transport implements PeerListener {
  readonly name = "websocket";
  readonly #peer: Peer;
  readonly #maxPayload: number;
  /** The code of the close frame, for a client that has sent too large a message. Other clients get none. */
  #closeCode: number | undefined;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param maxPayload the most bytes that a received frame may have */
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

  override get isIdle(): boolean {
    return this.readyState === "open" && this.#peer.isIdle;
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
      this.listener.onPacket(decodePacket(frame));
    }
  }

  drained(): void {
    if (this.writable) this.listener.onReady();
  }

  failed(error: unknown): void {
    this.fail(error instanceof Error ? error.message : "WebSocket error", error);
  }

  closed(): void {
    clearTimeout(this.#closeTimer);
    this.markClosed();
  }

  override cutOff(): void {
    const peer = this.#peer;
    if (!peer.terminate) return this.abandon();
    // Without a close frame: it would wait behind what the client does not read.
    this.listener = NOBODY;
    this.readyState = "closing";
    peer.terminate();
  }

  protected doClose(done: () => void): void {
    const peer = this.#peer;
    if (peer.terminate) this.#closeTimer = setTimeout(() => peer.terminate?.(), CLOSE_FRAME_TIMEOUT);
    // Before peer.close(), which may call closed() at once: the session would end with "transport close" then,
    // instead of "forced close".
    done();
    peer.close(this.#closeCode);
  }
}

/**
 * Whether a frame has more than `size` bytes. A text is measured only if it may be too large: a UTF-16 unit takes three
 * bytes of UTF-8 at most.
 */
export function isLarger(frame: string | ArrayBuffer | Uint8Array, size: number): boolean {
  if (typeof frame !== "string") return frame.byteLength > size;
  return frame.length * 3 > size && Buffer.byteLength(frame) > size;
}
