/**
 * A server's WebSocket that reads and writes its connection directly. It has the methods, properties and events that ws
 * documents, and inherits nothing from ws: ws makes the opening handshake, constructs it and calls `setSocket()`.
 */
import { EventEmitter } from "node:events";
import { Socket } from "node:net";
import { nextTick } from "node:process";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { Breach } from "./breach.ts";
import { type ConnectionHandler, listenToConnection } from "./connection.ts";
import {
  addEventHandler,
  type EventHandler,
  getPropertyHandler,
  removeEventHandler,
  setPropertyHandler,
} from "./event-target.ts";
import { ABNORMAL, NO_STATUS, PING, PONG } from "./frame.ts";
import { type Callback, Outbox, type SendOptions } from "./outbox.ts";
import { FrameReader, type FrameSink, type Limits } from "./reader.ts";

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const STATE_NAMES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"] as const;

const BINARY_TYPES = new Set<string>(["nodebuffer", "arraybuffer", "fragments", "blob"]);

const NO_REASON = Buffer.alloc(0);

type Sendable = Parameters<WebSocket["send"]>[0];
type Events = WebSocket.WebSocketEventMap;

/** The options of ws's server that concern each of its WebSockets. */
export interface ConnectionOptions {
  /** Whether the WebSocket answers each ping with a pong by itself. */
  readonly autoPong: boolean;
  /**
   * How many of these pongs may wait for a client that does not read. One more ping ends the connection. 0 is no limit.
   */
  readonly maxPendingAutoPongs: number;
  /** For how many milliseconds a client may keep the connection open after it was sent a close frame. */
  readonly closeTimeout: number;
}

/** Gets what a WebSocket receives by direct calls, which saves the array and the lookup that an emitted event costs. */
export interface WebSocketOwner {
  received(data: Buffer, isBinary: boolean): void;
  failed(error: Error): void;
  closed(): void;
}

export class DirectWebSocket extends EventEmitter implements WebSocket, FrameSink, ConnectionHandler {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;

  /** Never set: only a client's WebSocket has a URL, but ws's types demand it of a server's, too. */
  declare readonly url: string;
  /** The subprotocol. ws sets it under this name. @internal */
  _protocol = "";

  readonly #options: ConnectionOptions;
  #readyState: 0 | 1 | 2 | 3 = CONNECTING;
  #binaryType: WebSocket["binaryType"] = "nodebuffer";
  #connection: Duplex | undefined;
  #outbox: Outbox | undefined;
  #reader: FrameReader | undefined;
  #owner: WebSocketOwner | undefined;
  #isPaused = false;
  #pendingPongs = 0;
  #hasSentClose = false;
  #hasReceivedClose = false;
  #closeCode = ABNORMAL;
  #closeReason = NO_REASON;
  #closeTimer: NodeJS.Timeout | undefined;

  /** ws passes the first two arguments, which only a client's WebSocket needs. */
  constructor(_address: null, _protocols: undefined, options: ConnectionOptions) {
    super();
    this.#options = options;
  }

  /**
   * Takes over a connection whose opening handshake ws has made.
   * @param head the bytes that came behind the handshake
   */
  setSocket(connection: Duplex, head: Buffer, limits: Limits): void {
    this.#connection = connection;
    this.#outbox = new Outbox(connection);
    this.#reader = new FrameReader(this, limits);
    if (connection instanceof Socket) {
      connection.setTimeout(0);
      connection.setNoDelay();
    }
    if (head.length > 0) connection.unshift(head);
    listenToConnection(connection, this);
    this.#readyState = OPEN;
    this.emit("open");
  }

  // What ws does not have:

  /**
   * Sets the owner, which is called for everything that is received. From then on a "message" or an "error" is emitted
   * only if somebody listens to it, so an "error" without a listener is not thrown.
   * @param highWaterMark the WebSocket is full while at least this many bytes wait
   */
  setOwner(owner: WebSocketOwner, highWaterMark: number): void {
    this.#owner = owner;
    this.#outbox?.setHighWaterMark(highWaterMark);
  }

  /** Whether so many bytes wait (the high-water mark) that nobody should send more. */
  get isFull(): boolean {
    return this.#outbox?.isFull ?? false;
  }

  /**
   * Calls back as soon as the WebSocket is not full, which may be at once; with an error if its connection is lost
   * before.
   */
  awaitRoom(callback: Callback): void {
    this.#outbox?.awaitRoom(callback);
  }

  /** Sends a frame, in parts, that was encoded before: a broadcast encodes it once for all recipients. */
  sendFrame(parts: readonly Uint8Array[]): void {
    this.#outbox?.sendFrame(parts);
  }

  // What ws documents:

  get CONNECTING(): 0 {
    return CONNECTING;
  }

  get OPEN(): 1 {
    return OPEN;
  }

  get CLOSING(): 2 {
    return CLOSING;
  }

  get CLOSED(): 3 {
    return CLOSED;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  get protocol(): string {
    return this._protocol;
  }

  get extensions(): string {
    return "";
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  get bufferedAmount(): number {
    return this.#outbox?.bufferedBytes ?? 0;
  }

  get binaryType(): WebSocket["binaryType"] {
    return this.#binaryType;
  }

  set binaryType(type) {
    if (BINARY_TYPES.has(type)) this.#binaryType = type;
  }

  send(data: Sendable, options?: SendOptions | Callback, callback?: Callback): void {
    const given = typeof options === "function" ? undefined : options;
    const done = typeof options === "function" ? options : callback;
    if (this.#readyState === OPEN) this.#outbox?.send(data, given, done);
    else this.#refuseToSend(data, done);
  }

  // ws's types claim that these two always call back with an error, so an implementation of that type needs `unknown`.
  ping(data?: unknown, mask?: unknown, callback?: unknown): void {
    this.#sendControl(PING, [data, mask, callback]);
  }

  pong(data?: unknown, mask?: unknown, callback?: unknown): void {
    this.#sendControl(PONG, [data, mask, callback]);
  }

  close(code?: number, reason?: string | Buffer): void {
    if (this.#readyState === OPEN) {
      this.#outbox?.sendClose(code, reason);
      this.#hasSentClose = true;
      this.#readyState = CLOSING;
      this.#closeTimer = setTimeout(destroyConnection, this.#options.closeTimeout, this.#connection);
    }
    if (this.#readyState === CLOSING && this.#hasSentClose && this.#reader?.isDone) this.#connection?.end();
  }

  terminate(): void {
    if (this.#readyState === CONNECTING || this.#readyState === CLOSED) return;
    if (this.#readyState === OPEN) this.#outbox?.flush();
    this.#readyState = CLOSING;
    this.#connection?.destroy();
  }

  pause(): void {
    if (this.#readyState === CONNECTING || this.#readyState === CLOSED) return;
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    if (this.#readyState === CONNECTING || this.#readyState === CLOSED) return;
    this.#isPaused = false;
    this.#connection?.resume();
  }

  addEventListener<Name extends keyof Events>(
    name: Name,
    handler: EventHandler<Name>,
    options?: WebSocket.EventListenerOptions,
  ): void {
    addEventHandler(this, name, handler, options?.once === true);
  }

  removeEventListener<Name extends keyof Events>(name: Name, handler: EventHandler<Name>): void {
    removeEventHandler(this, name, handler);
  }

  get onopen(): WebSocket["onopen"] {
    return getPropertyHandler(this, "open");
  }

  set onopen(handler) {
    setPropertyHandler(this, "open", handler);
  }

  get onmessage(): WebSocket["onmessage"] {
    return getPropertyHandler(this, "message");
  }

  set onmessage(handler) {
    setPropertyHandler(this, "message", handler);
  }

  get onerror(): WebSocket["onerror"] {
    return getPropertyHandler(this, "error");
  }

  set onerror(handler) {
    setPropertyHandler(this, "error", handler);
  }

  get onclose(): WebSocket["onclose"] {
    return getPropertyHandler(this, "close");
  }

  set onclose(handler) {
    setPropertyHandler(this, "close", handler);
  }

  // What only the other files of this folder call:

  /** Whether both sides have sent a close frame. @internal */
  get wasClosedCleanly(): boolean {
    return this.#hasSentClose && this.#hasReceivedClose;
  }

  /** @internal */
  handleMessage(data: Buffer, isBinary: boolean): void {
    this.#owner?.received(data, isBinary);
    if (this.#owner && this.listenerCount("message") === 0) return;
    this.emit("message", isBinary ? convertBinary(data, this.#binaryType) : data, isBinary);
  }

  /** @internal */
  handlePing(data: Buffer): void {
    if (this.#options.autoPong && this.#readyState === OPEN) this.#answerPing(data);
    this.emit("ping", data);
  }

  /** @internal */
  handlePong(data: Buffer): void {
    this.emit("pong", data);
  }

  /** @internal */
  handleClose(code: number, reason: Buffer): void {
    this.#hasReceivedClose = true;
    this.#closeCode = code;
    this.#closeReason = Buffer.from(reason); // a view would keep the whole chunk alive
    this.#connection?.resume(); // while it is paused, nobody notices that the client ends it
    if (code === NO_STATUS) this.close();
    else this.close(code, this.#closeReason);
  }

  /** @internal */
  handleBreach(error: Breach): void {
    this.#connection?.resume();
    this.close(error.closeCode);
    this.#owner?.failed(error);
    if (!this.#owner || this.listenerCount("error") > 0) this.emit("error", error);
  }

  /** @internal */
  handleBytes(chunk: Buffer): void {
    this.#reader?.read(chunk);
  }

  /** @internal */
  handleEnd(): void {
    this.#readyState = CLOSING;
    this.#outbox?.end();
    // Node answers a second end() with an error that nobody reads, and its stack trace takes time.
    if (!this.#connection?.writableEnded) this.#connection?.end();
  }

  /** @internal */
  handleFailure(): void {
    this.#readyState = CLOSING;
    this.#connection?.destroy();
  }

  /** @internal */
  handleLoss(rest: unknown): void {
    this.#readyState = CLOSING;
    if (rest instanceof Buffer) this.#reader?.read(rest);
    clearTimeout(this.#closeTimer);
    this.#outbox?.drop();
    this.#readyState = CLOSED;
    this.#owner?.closed();
    this.emit("close", this.#closeCode, this.#closeReason);
  }

  /**
   * @param args those of `ping()` and `pong()`: data, a mask that only a client uses, a callback; each may be left out
   */
  #sendControl(opcode: number, args: unknown[]): void {
    const payload = isCallback(args[0]) ? undefined : args[0];
    const callback = args.find(isCallback);
    if (this.#readyState === OPEN) this.#outbox?.sendControl(opcode, payload, callback);
    else this.#refuseToSend(payload, callback);
  }

  #refuseToSend(data: unknown, callback: Callback | undefined): void {
    const message = `WebSocket is not open: readyState ${this.#readyState} (${STATE_NAMES[this.#readyState]})`;
    if (this.#readyState === CONNECTING) throw new Error(message);
    this.#outbox?.countUnsent(data);
    if (callback) nextTick(callback, new Error(message));
  }

  #answerPing(data: Buffer): void {
    const { maxPendingAutoPongs } = this.#options;
    if (maxPendingAutoPongs > 0 && this.#pendingPongs >= maxPendingAutoPongs) return this.terminate();
    this.#outbox?.sendControl(PONG, data);
    if (!this.isFull) return;
    this.#pendingPongs++;
    this.awaitRoom(() => {
      this.#pendingPongs--;
    });
  }
}

const isCallback = (value: unknown): value is Callback => typeof value === "function";

const destroyConnection = (connection: Duplex | undefined) => void connection?.destroy();

/** Converts a binary message to a `binaryType`. */
function convertBinary(data: Buffer, type: string): Buffer | ArrayBuffer | Blob | Buffer[] {
  if (type === "nodebuffer") return data;
  if (type === "fragments") return [data];
  const copy = new Uint8Array(data);
  return type === "blob" ? new Blob([copy]) : copy.buffer;
}
