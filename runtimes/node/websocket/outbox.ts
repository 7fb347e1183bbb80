/**
 * What a WebSocket sends. The frames of one turn of the event loop are collected and leave in one write when the turn ends,
 * because the call of the operating system costs far more than the bytes. A callback is called at once as long as there is
 * room: it says that the sender may send more, not that the client has received anything.
 */
import type { Duplex } from "node:stream";
import { BINARY, CLOSE, CONTINUATION, FIN, headerSize, isCloseCode, MAX_CONTROL, TEXT } from "./frame.ts";
import { findSlab, flushAtEndOfTurn, joinFrame, joinWrite, type Slab } from "./turn.ts";

/** Is called when more may be sent, or with the reason why it was not sent. */
export type Callback = (error?: Error) => void;

/** The options of ws's `send()` that mean something to a server without extensions. */
export interface SendOptions {
  /** @default true, unless the data is a string or a number */
  readonly binary?: boolean | undefined;
  /** Whether it is the last fragment of a message. @default true */
  readonly fin?: boolean | undefined;
}

/** From this many bytes on, a payload is written as it lies instead of being copied into a slab. */
const LARGE = 16 * 1024;

/** From this many pending bytes on: flush at once, and write the parts corked instead of concatenating them. */
const MAX_PENDING = 64 * 1024;

/** From how many waiting bytes on an outbox is full, unless its owner says otherwise. */
const HIGH_WATER_MARK = 1024 * 1024;

/** The parts of every outbox that is empty, so that an idle connection has no array of its own. Nothing is added to it. */
const NO_PARTS: Uint8Array[] = [];

export class Outbox {
  readonly #connection: Duplex;
  #highWaterMark = 0;
  #pendingBytes = 0;
  #parts: Uint8Array[] = NO_PARTS;
  /** The slab that holds the latest frames, from `#start` to `#end`, which are no part yet: the next may be added to them. */
  #slab: Slab | undefined;
  #start = 0;
  #end = 0;
  /** The callbacks that wait for room: most connections never have any. */
  #callbacks: Callback[] | undefined;
  #isCallingBack = false;
  #awaitsDrain = false;
  #isFragmented = false;
  #isClosed = false;

  constructor(connection: Duplex) {
    this.#connection = connection;
    this.setHighWaterMark(HIGH_WATER_MARK);
  }

  /**
   * Sets from how many waiting bytes on the outbox is full. A full outbox waits for the connection's "drain", which comes
   * only after more has been written than the connection's own mark: the bytes that are still pending come on top of that.
   */
  setHighWaterMark(bytes: number): void {
    this.#highWaterMark = Math.max(bytes, MAX_PENDING + this.#connection.writableHighWaterMark);
  }

  /** How many bytes have not been handed to the operating system. */
  get bufferedBytes(): number {
    return this.#connection.writableLength + this.#pendingBytes;
  }

  /** Whether so much waits that nobody should send more. */
  get isFull(): boolean {
    return this.bufferedBytes >= this.#highWaterMark;
  }

  /** Sends a message, or a fragment of one. */
  send(data: unknown, { binary, fin = true }: SendOptions = {}, callback?: Callback): void {
    const payload = payloadOf(data);
    const kind = (binary ?? typeof payload !== "string") ? BINARY : TEXT;
    const opcode = this.#isFragmented ? CONTINUATION : kind;
    this.#isFragmented = !fin;
    this.#push(fin ? opcode | FIN : opcode, payload);
    if (callback) this.awaitRoom(callback);
  }

  /** Sends a ping or a pong. @throws {RangeError} if the data has more than 125 bytes */
  sendControl(opcode: number, data: unknown, callback?: Callback): void {
    this.#pushControl(opcode, payloadOf(data));
    if (callback) this.awaitRoom(callback);
  }

  /**
   * Sends a close frame, and nothing behind it.
   * @throws {TypeError} if the code must not be sent
   * @throws {RangeError} if the reason has more than 123 bytes
   */
  sendClose(code?: number, reason: string | Uint8Array = ""): void {
    if (code === undefined) {
      this.#pushControl(CLOSE, "");
    } else {
      if (!isCloseCode(code)) throw new TypeError("First argument must be a valid error code number");
      const bytes = Buffer.from(reason);
      if (bytes.length > MAX_CONTROL - 2)
        throw new RangeError("The message must not be greater than 123 bytes");
      this.#pushControl(CLOSE, Buffer.concat([Uint8Array.of(code >> 8, code), bytes]));
    }
    this.end();
  }

  /** Writes what is pending, and takes no more frames. */
  end(): void {
    this.#isClosed = true;
    this.flush();
  }

  /** Sends a whole frame that somebody else has encoded. All recipients of a broadcast are given the same parts. */
  sendFrame(list: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const frame = joinFrame(list);
    this.#seal();
    this.#add(frame);
    this.#count(frame.length);
  }

  /** Writes what is pending. */
  flush(): void {
    this.#seal();
    const parts = this.#parts;
    const [only] = parts;
    if (!only) return;
    const size = this.#pendingBytes;
    this.#parts = NO_PARTS;
    this.#pendingBytes = 0;
    const connection = this.#connection;
    if (!connection.writable) return;
    if (parts.length === 1) {
      connection.write(only);
    } else if (size < MAX_PENDING) {
      connection.write(joinWrite(parts));
    } else {
      connection.cork();
      for (const part of parts) connection.write(part);
      connection.uncork();
    }
  }

  /** Calls back as soon as the outbox is not full: at once, if it is not full now. */
  awaitRoom(callback: Callback): void {
    this.#callbacks ??= [];
    this.#callbacks.push(callback);
    this.#callBack();
  }

  /** Drops what has not been written, as the connection is lost, and tells everybody who waits. */
  drop(): void {
    this.#isClosed = true;
    this.#parts = NO_PARTS;
    this.#slab = undefined;
    for (const callback of this.#callbacks?.splice(0) ?? []) callback(new Error("WebSocket is not open"));
  }

  /** Counts data that is sent too late among what waits, as ws and browsers do. */
  countUnsent(data: unknown): void {
    this.#pendingBytes += Buffer.byteLength(payloadOf(data));
  }

  #pushControl(opcode: number, payload: string | Uint8Array): void {
    if (Buffer.byteLength(payload) > MAX_CONTROL)
      throw new RangeError(`The data size must not be greater than ${MAX_CONTROL} bytes`);
    this.#push(opcode | FIN, payload);
  }

  #push(first: number, payload: string | Uint8Array): void {
    const length = Buffer.byteLength(payload);
    if (length >= LARGE) {
      const isText = typeof payload === "string";
      return this.#pushLarge(first, isText ? Buffer.from(payload) : payload);
    }
    const slab = findSlab(headerSize(length) + length);
    const start = slab.used;
    slab.writeFrame(first, payload, length);
    this.#extend(slab, start);
  }

  /** Sends a payload without a copy. It is written at once, because its owner may change it before the turn ends. */
  #pushLarge(first: number, payload: Uint8Array): void {
    const slab = findSlab(headerSize(payload.length));
    const start = slab.used;
    slab.writeHeader(first, payload.length);
    this.#extend(slab, start);
    this.#seal();
    this.#add(payload);
    this.#count(payload.length);
    this.flush();
  }

  /** Adds what has been written into a slab from `start` on. */
  #extend(slab: Slab, start: number): void {
    if (this.#slab !== slab || this.#end !== start) {
      this.#seal();
      this.#slab = slab;
      this.#start = start;
    }
    this.#end = slab.used;
    this.#count(slab.used - start);
  }

  /** Makes a part of the frames that lie in the slab. */
  #seal(): void {
    if (!this.#slab) return;
    const frames = this.#slab.bytes.subarray(this.#start, this.#end);
    this.#slab = undefined;
    // The connection keeps what it cannot write yet, and a view would keep the whole slab alive with it: copy the bytes.
    this.#add(this.#connection.writableLength > 0 ? new Uint8Array(frames) : frames);
  }

  #add(part: Uint8Array): void {
    if (this.#parts === NO_PARTS) this.#parts = [part];
    else this.#parts.push(part);
  }

  #count(bytes: number): void {
    if (this.#pendingBytes === 0) flushAtEndOfTurn(this);
    this.#pendingBytes += bytes;
    if (this.#pendingBytes >= MAX_PENDING) this.flush();
  }

  /** Calls back while there is room, one callback after the other even if a callback sends more with a callback. */
  #callBack(): void {
    const callbacks = this.#callbacks;
    if (this.#isCallingBack || !callbacks) return;
    this.#isCallingBack = true;
    try {
      while (callbacks.length > 0 && !this.isFull) callbacks.shift()?.();
    } finally {
      this.#isCallingBack = false;
    }
    if (callbacks.length > 0) this.#awaitDrain();
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#connection.once("drain", () => {
      this.#awaitsDrain = false;
      this.#callBack();
    });
  }
}

/** Returns the payload for what ws's `send()` takes. @throws {TypeError} if that is no data, or a Blob */
function payloadOf(data: unknown): string | Uint8Array {
  if (typeof data === "string" || data instanceof Uint8Array) return data;
  if (typeof data === "number") return String(data);
  if (data === undefined || data === null) return new Uint8Array();
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (Array.isArray(data)) return Uint8Array.from(data, Number);
  const kind = Object.prototype.toString.call(data);
  throw new TypeError(`A WebSocket sends strings, buffers and arrays of bytes (got ${kind})`);
}
