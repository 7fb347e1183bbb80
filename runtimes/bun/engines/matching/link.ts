/**
 * Links a peer to a transport of bun-engine. Beyond passing frames on, it does three things that bun-engine leaves out:
 * it tells the transport when the client does not keep up and when it violates the protocol, and it closes as engine.io
 * does.
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
  /**
   * What happened before the session was ready for this transport, frames and the end; undefined as soon as it is
   * delivered.
   */
  #early: (() => void)[] | undefined = [];
  /** Whether as much as the high-water mark waits in Bun. */
  #isFull = false;
  /** Whether the client has probed the transport in the upgrade that is under way. */
  #wasProbed = false;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get transport(): Transport | undefined {
    return this.#transport;
  }

  /** Sets the transport that bun-engine has made for the peer. */
  setTransport(transport: Transport): void {
    this.#transport = transport;
  }

  /** Gives the transport its WebSocket, so that it can send. */
  openTransport(): void {
    this.#transport?.onOpen(this.#createWebSocket());
  }

  /**
   * Creates the WebSocket that the transport gets in place of Bun's. bun-engine ignores what Bun's `send()` returns, so
   * this one notes how much waits; and bun-engine closes without a code, which with Bun's own would mean 1000.
   */
  #createWebSocket(): Bun.ServerWebSocket<WebSocketData> {
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

  /**
   * If the client does not keep up, has the session keep further packets in its write buffer, where Socket.IO sees
   * them.
   */
  holdPackets(): void {
    if (this.#isFull && this.#transport) this.#transport.writable = false;
  }

  get isIdle(): boolean {
    return this.#peer.isIdle;
  }

  received(frame: Frame): void {
    if (this.#early) return void this.#early.push(() => this.received(frame));
    // At a second probe, bun-engine would start a second timer and never clear the first.
    if (frame === PROBE && this.#wasProbed) return this.#peer.send("3probe");
    this.#wasProbed ||= frame === PROBE;
    if (frame === CLOSE) this.#ignoreClose();
    else this.#transport?.onMessage(typeof frame === "string" ? frame : toBuffer(frame));
  }

  /** Delivers what came early, now that the session is ready for it. */
  deliverEarlyEvents(): void {
    const events = this.#early ?? [];
    this.#early = undefined;
    for (const deliver of events) deliver();
  }

  /** Notes that the session has moved to this transport: a probe is a ping like any other now, which ends it. */
  endUpgrade(): void {
    this.#wasProbed = false;
  }

  /**
   * Ends the upgrade to this transport, and closes it. bun-engine stops the timer of an upgrade only for a packet that
   * does not belong to one, so this is such a packet; otherwise the timer keeps the process alive.
   */
  abandonUpgrade(): void {
    this.#transport?.["emitReserved"]("packet", { type: "noop" });
  }

  /**
   * Passes a close packet on as a packet only. bun-engine's own way would close the transport, but engine.io obeys a
   * close packet only over polling.
   */
  #ignoreClose(): void {
    this.#transport?.["emitReserved"]("packet", { type: "close" });
  }

  drained(): void {
    const transport = this.#transport;
    if (!this.#isFull || !transport) return;
    this.#isFull = false;
    transport.writable = true;
    transport["emitReserved"]("drain"); // has the session flush its write buffer
  }

  close(): void {
    this.#peer.close();
  }

  /** Drops the connection, without a word to the transport. */
  cutOff(): void {
    this.#transport?.off();
    this.#peer.terminate?.();
  }

  failed(error: unknown): void {
    if (this.#early) return void this.#early.push(() => this.failed(error));
    this.#transport?.["onError"](error instanceof Error ? error.message : String(error));
  }

  closed(code: number, reason: string): void {
    if (this.#early) return void this.#early.push(() => this.closed(code, reason));
    this.#transport?.onCloseEvent(code, reason);
  }
}
