/**
 * A peer under a transport of bun-engine's: it tells the transport when the reader does not keep up, what the client did
 * wrong, and closes as engine.io does.
 */
import type { RawData, WebSocketData } from "@socket.io/bun-engine";
import { toBuffer } from "../../../../src/engine/parser.ts";
import { HIGH_WATER_MARK, type Peer, type PeerListener } from "../../../../src/engine/peer.ts";

export type Transport = WebSocketData["transport"];

type Frame = string | ArrayBuffer | Uint8Array;

const PROBE = "2probe";
const CLOSE = "1";

export class Link implements PeerListener {
  readonly #peer: Peer;
  #transport: Transport | undefined;
  /** What came before bun-engine had made the transport. */
  #early: Frame[] | undefined = [];
  /** More than the high water mark is waiting in Bun. */
  #isFull = false;
  #wasProbed = false;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** Takes the transport that bun-engine made for the peer. */
  use(transport: Transport): void {
    this.#transport = transport;
  }

  /** Lets the transport send. */
  start(): void {
    this.#transport?.onOpen(this.#createView());
  }

  /** The WebSocket as the transport uses it, which neither minds what `send()` answers nor gives a code to `close()`. */
  #createView(): Bun.ServerWebSocket<WebSocketData> {
    const peer = this.#peer;
    return Object.create(null, {
      readyState: { get: () => peer.readyState },
      send: {
        value: (data: RawData) => {
          peer.send(typeof data === "string" ? data : toBuffer(data));
          this.#isFull = peer.bufferedAmount >= HIGH_WATER_MARK;
        },
      },
      close: { value: () => this.close() },
    });
  }

  /** Has the session keep what it is given from now on, where Socket.IO sees it, if the reader does not keep up. */
  gate(): void {
    if (this.#isFull && this.#transport) this.#transport.writable = false;
  }

  received(frame: Frame): void {
    if (this.#early) return void this.#early.push(frame);
    if (frame === PROBE && this.#wasProbed) return this.#peer.send("3probe");
    this.#wasProbed ||= frame === PROBE;
    if (frame === CLOSE) this.#ignoreClose();
    else this.#transport?.onMessage(typeof frame === "string" ? frame : toBuffer(frame));
  }

  /** The session is ready for what came before. */
  deliverEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const frame of early) this.received(frame);
  }

  /** bun-engine closes the transport; engine.io minds a close packet over polling alone. */
  #ignoreClose(): void {
    this.#transport?.["emitReserved"]("packet", { type: "close" });
  }

  drained(): void {
    const transport = this.#transport;
    if (!this.#isFull || !transport) return;
    this.#isFull = false;
    transport.writable = true;
    transport["emitReserved"]("drain"); // on which the session flushes
  }

  close(): void {
    this.#peer.close();
  }

  failed(error: unknown): void {
    this.#transport?.["onError"](error instanceof Error ? error.message : String(error));
  }

  closed(code: number, reason: string): void {
    this.#transport?.onCloseEvent(code, reason);
  }
}
