/**
 * A WebSocket of Bun's under a transport of bun-engine's: it tells the transport when the reader does not keep up,
 * what the client did wrong, and closes as engine.io does.
 */
import type { RawData, WebSocketData } from "@socket.io/bun-engine";
import { HIGH_WATER_MARK } from "../../src/engine/peer.ts";
import { NO_STATUS, violationOf } from "./close.ts";
import type { SocketBinding } from "./listen.ts";

export type Transport = WebSocketData["transport"];

const PROBE = "2probe";
const CLOSE = "1";

export class Link implements SocketBinding {
  readonly transport: Transport | undefined;
  #socket: Bun.ServerWebSocket<SocketBinding> | undefined;
  /** More than the high water mark is waiting in Bun. */
  #isFull = false;
  #wasProbed = false;

  /** @param transport without one, the WebSocket is closed when it is there */
  constructor(transport?: Transport) {
    this.transport = transport;
  }

  opened(socket: Bun.ServerWebSocket<SocketBinding>): void {
    this.#socket = socket;
    if (!this.transport) this.close();
  }

  /** Lets the transport send: bun-engine's own would do so before the session can complete the first packet. */
  start(): void {
    if (this.#socket) this.transport?.onOpen(this.#view(this.#socket));
  }

  /** The WebSocket as the transport uses it, which neither minds what `send()` tells nor gives a code to `close()`. */
  #view(socket: Bun.ServerWebSocket<SocketBinding>): Bun.ServerWebSocket<WebSocketData> {
    return Object.create(null, {
      readyState: { get: () => socket.readyState },
      send: {
        value: (data: RawData) => {
          if (socket.send(data) === -1) this.#isFull = socket.getBufferedAmount() >= HIGH_WATER_MARK;
        },
      },
      close: { value: () => this.close() },
    });
  }

  /** Has the session keep what it is given from now on, where Socket.IO sees it, if the reader does not keep up. */
  gate(): void {
    if (this.#isFull && this.transport) this.transport.writable = false;
  }

  received(message: string | Buffer<ArrayBuffer>): void {
    if (message === PROBE && this.#wasProbed) return void this.#socket?.send("3probe");
    this.#wasProbed ||= message === PROBE;
    if (message === CLOSE) this.#ignoreClose();
    else this.transport?.onMessage(message);
  }

  /** bun-engine closes the transport; engine.io minds a close packet over polling alone. */
  #ignoreClose(): void {
    this.transport?.["emitReserved"]("packet", { type: "close" });
  }

  drained(): void {
    const { transport } = this;
    if (!this.#isFull || !transport || Number(this.#socket?.getBufferedAmount()) >= HIGH_WATER_MARK) return;
    this.#isFull = false;
    transport.writable = true;
    transport["emitReserved"]("drain"); // on which the session flushes
  }

  close(): void {
    this.#socket?.close(NO_STATUS);
  }

  closed(code: number, reason: string): void {
    const violation = violationOf(reason);
    if (violation) this.transport?.["onError"](violation);
    this.transport?.onCloseEvent(code, reason);
  }
}
