/**
 * A WebSocket of ws's class that reads and writes its connection itself. ws makes the opening handshake and keeps the
 * state; its methods and events are as ws documents them.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ServerOptions, WebSocket, WebSocketServer } from "ws";
import type { Breach } from "./breach.ts";
import { NO_STATUS } from "./frame.ts";
import { type Callback, Outbox, type SendOptions } from "./outbox.ts";
import { FrameReader, type FrameSink, type Limits } from "./reader.ts";
import { flushAtEndOfTurn } from "./turn.ts";

type Sendable = Parameters<WebSocket["send"]>[0];

/** Who is told what a WebSocket receives, beside the listeners to its events. */
export interface Receiver {
  received(data: Buffer, isBinary: boolean): void;
  failed(error: Error): void;
  closed(): void;
}

const kWebSocket = Symbol("WebSocket");

/** A connection that knows its WebSocket, so that all connections share their listeners. */
interface Carrier extends Duplex {
  [kWebSocket]: FastWebSocket;
}

export class FastWebSocket extends WebSocket implements FrameSink {
  // ws's own state, which the methods that are inherited read:
  declare _readyState: 0 | 1 | 2 | 3;
  declare _socket: Duplex;
  declare _sender: Outbox;
  declare _closeCode: number;
  declare _closeMessage: Buffer;
  declare _closeFrameReceived: boolean;
  declare _closeFrameSent: boolean;
  declare _closeTimer: NodeJS.Timeout | null;
  declare readonly _closeTimeout: number;
  declare _paused: boolean;
  declare readonly _autoPong: boolean | undefined;
  declare readonly _autoPongComplete: () => void;
  declare _pendingAutoPongs: number;
  declare readonly _maxPendingAutoPongs: number;

  receiver: Receiver | undefined;
  #reader: FrameReader | undefined;

  /** Takes over a connection whose opening handshake ws has made. @param head what came with the handshake */
  setSocket(socket: Duplex, head: Buffer, limits: Limits): void {
    this.#reader = new FrameReader(this, limits);
    this._sender = new Outbox(socket);
    this._socket = Object.assign(socket, { [kWebSocket]: this });
    if (socket instanceof Socket) {
      socket.setTimeout(0);
      socket.setNoDelay();
    }
    if (head.length > 0) socket.unshift(head);
    socket.on("close", onSocketClose);
    socket.on("data", onSocketData);
    socket.on("end", onSocketEnd);
    socket.on("error", onSocketError);
    this._readyState = WebSocket.OPEN;
    this.emit("open");
  }

  override send(data: Sendable, options?: SendOptions | Callback, callback?: Callback): void {
    const given = typeof options === "function" ? undefined : options;
    const done = typeof options === "function" ? options : callback;
    if (this._readyState === WebSocket.OPEN) this._sender.send(data, given, done);
    else super.send(data, given ?? {}, done);
  }

  override close(code?: number, reason?: string | Buffer): void {
    if (this._readyState === WebSocket.OPEN) {
      this._sender.close(code, reason);
      this._closeFrameSent = true;
      this._readyState = WebSocket.CLOSING;
      this._closeTimer = setTimeout(destroy, this._closeTimeout, this._socket);
    }
    if (this._closeFrameSent && this.#reader?.isDone) this._socket.end();
  }

  override terminate(): void {
    if (this._readyState === WebSocket.OPEN) this._sender.flush();
    super.terminate();
  }

  override resume(): void {
    if (!this.#reader || this._readyState === WebSocket.CLOSED) return;
    this._paused = false;
    this._socket.resume();
  }

  /** @internal */
  onMessage(data: Buffer, isBinary: boolean): void {
    this.receiver?.received(data, isBinary);
    if (this.receiver && this.listenerCount("message") === 0) return;
    this.emit("message", isBinary ? shape(data, this.binaryType) : data, isBinary);
  }

  /** @internal */
  onPing(data: Buffer): void {
    if (this._autoPong && this._readyState === WebSocket.OPEN) {
      const most = this._maxPendingAutoPongs;
      if (most > 0 && this._pendingAutoPongs >= most) {
        this.terminate();
      } else {
        this._pendingAutoPongs++;
        this._sender.pong(data, false, this._autoPongComplete);
      }
    }
    this.emit("ping", data);
  }

  /** @internal */
  onPong(data: Buffer): void {
    this.emit("pong", data);
  }

  /** @internal */
  onClose(code: number, reason: Buffer): void {
    this._closeFrameReceived = true;
    this._closeCode = code;
    this._closeMessage = Buffer.from(reason);
    this._socket.resume(); // or the end of the connection would not be noticed
    if (code === NO_STATUS) this.close();
    else this.close(code, reason);
  }

  /** @internal */
  onBreach(error: Breach): void {
    this._socket.resume();
    this.close(error.closeCode);
    this.receiver?.failed(error);
    if (!this.receiver || this.listenerCount("error") > 0) this.emit("error", error);
  }

  /** The connection gave bytes. @internal */
  onData(chunk: Buffer): void {
    this.#reader?.read(chunk);
  }

  /** The client ended its side of the connection. @internal */
  onEnd(): void {
    this._readyState = WebSocket.CLOSING;
    this._sender.end();
    if (!this._socket.writableEnded) this._socket.end(); // a second time it would make an error, with its stack
  }

  /** The connection failed. @internal */
  onFailure(): void {
    this._readyState = WebSocket.CLOSING;
    this._socket.destroy();
  }

  /** The connection is gone. @param rest what it still had, as it was paused @internal */
  onGone(rest: unknown): void {
    this._readyState = WebSocket.CLOSING;
    if (rest instanceof Buffer && !this.#reader?.isDone) this.#reader?.read(rest);
    if (this._closeTimer) clearTimeout(this._closeTimer);
    this._sender.lose();
    this._readyState = WebSocket.CLOSED;
    this.receiver?.closed();
    this.emit("close", this._closeCode, this._closeMessage);
  }
}

function onSocketData(this: Carrier, chunk: Buffer): void {
  this[kWebSocket].onData(chunk);
}

function onSocketEnd(this: Carrier): void {
  this[kWebSocket].onEnd();
}

function onSocketError(this: Carrier): void {
  this[kWebSocket].onFailure();
}

function onSocketClose(this: Carrier): void {
  this[kWebSocket].onGone(this.readableLength > 0 ? this.read(this.readableLength) : undefined);
}

/** A WebSocketServer of ws's whose WebSockets are fast, unless they are compressed. */
export class FastWebSocketServer extends WebSocketServer {
  constructor(options: ServerOptions = {}, callback?: () => void) {
    super({ ...options, WebSocket: options.perMessageDeflate ? WebSocket : FastWebSocket }, callback);
  }

  /** Makes a handshake, whose answer leaves in one write with the first frames. */
  override handleUpgrade(...args: Parameters<WebSocketServer["handleUpgrade"]>): void {
    const [, socket] = args;
    socket.cork();
    super.handleUpgrade(...args);
    flushAtEndOfTurn({ flush: () => socket.uncork() });
  }
}

const destroy = (socket: Duplex) => void socket.destroy();

/** A binary message as the author wants it. */
function shape(data: Buffer, type: string): Buffer | ArrayBuffer | Blob | Buffer[] {
  if (type === "nodebuffer") return data;
  if (type === "fragments") return [data];
  const copy = new Uint8Array(data);
  return type === "blob" ? new Blob([copy]) : copy.buffer;
}
