/**
 * Sends the frames of a WebSocket. It collects the frames of one turn of the event loop and writes them all at once
 * when the turn ends, because a system call costs far more than the bytes. It calls a sender's callback at once as long
 * as there is room: the callback says that the sender may send more, not that the client has received anything.
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
  /** Whether this is the last fragment of a message. @default true */
  readonly fin?: boolean | undefined;
}

/** From this many bytes on, a payload is written without being copied into a slab. */
const LARGE = 16 * 1024;

/** From this many pending bytes on: flush at once, and write the parts corked instead of concatenating them. */
const MAX_PENDING = 64 * 1024;

/** An outbox is full while at least this many bytes wait, unless its owner sets another mark. */
const HIGH_WATER_MARK = 1024 * 1024;

/** All empty outboxes share this array, so that an idle connection has none of its own. Nobody adds to it. */
const NO_PARTS: Uint8Array[] = [];

export class Outbox {
  readonly #connection: Duplex;
  #highWaterMark = 0;
  #pendingBytes = 0;
  #parts: Uint8Array[] = NO_PARTS;
  /**
   * The slab that holds the latest frames, from `#start` to `#end`. They are not in `#parts` yet, so that the next
   * frame can extend them.
   */
  #slab: Slab | undefined;
  #start = 0;
  #end = 0;
  /** The callbacks that wait for room. Most connections never have any, and so no array. */
  #callbacks: Callback[] | undefined;
  #isCallingBack = false;
  #isAwaitingDrain = false;
  #isFragmented = false;
  #isClosed = false;

  constructor(connection: Duplex) {
    this.#connection = connection;
    this.setHighWaterMark(HIGH_WATER_MARK);
  }

  /**
   * Sets the mark: the outbox is full while at least this many bytes wait. The mark cannot be arbitrarily low. A full
   * outbox waits for the connection's "drain", and Node emits that only after more than the connection's own mark was
   * written; the pending bytes, which are not written yet, come on top of that.
   */
  setHighWaterMark(bytes: number): void {
    this.#highWaterMark = Math.max(bytes, MAX_PENDING + this.#connection.writableHighWaterMark);
  }

  /** How many bytes have not been given to the operating system yet. */
  get bufferedBytes(): number {
    return this.#connection.writableLength + this.#pendingBytes;
  }

  /** Whether so many bytes wait (the high-water mark) that nobody should send more. */
  get isFull(): boolean {
    return this.bufferedBytes >= this.#highWaterMark;
  }

  /** Sends a message, or a fragment of one. */
  send(data: unknown, { binary, fin = true }: SendOptions = {}, callback?: Callback): void {
    const payload = toPayload(data);
    const kind = (binary ?? typeof payload !== "string") ? BINARY : TEXT;
    const opcode = this.#isFragmented ? CONTINUATION : kind;
    this.#isFragmented = !fin;
    this.#pushFrame(fin ? opcode | FIN : opcode, payload);
    if (callback) this.awaitRoom(callback);
  }

  /** Sends a ping or a pong. @throws {RangeError} if the data has more than 125 bytes */
  sendControl(opcode: number, data: unknown, callback?: Callback): void {
    this.#pushControlFrame(opcode, toPayload(data));
    if (callback) this.awaitRoom(callback);
  }

  /**
   * Sends a close frame. Nothing is sent after it.
   * @throws {TypeError} if the code must not be sent
   * @throws {RangeError} if the reason has more than 123 bytes
   */
  sendClose(code?: number, reason: string | Uint8Array = ""): void {
    if (code === undefined) {
      this.#pushControlFrame(CLOSE, "");
    } else {
      if (!isCloseCode(code)) throw new TypeError("First argument must be a valid error code number");
      const bytes = Buffer.from(reason);
      if (bytes.length > MAX_CONTROL - 2)
        throw new RangeError("The message must not be greater than 123 bytes");
      this.#pushControlFrame(CLOSE, Buffer.concat([Uint8Array.of(code >> 8, code), bytes]));
    }
    this.end();
  }

  /** Writes what is pending, and takes no more frames. */
  end(): void {
    this.#isClosed = true;
    this.flush();
  }

  /** Sends a frame, in parts, that was encoded before. All recipients of a broadcast get the same parts. */
  sendFrame(parts: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const frame = joinFrame(parts);
    this.#sealFrames();
    this.#addPart(frame);
    this.#countBytes(frame.length);
  }

  /** Writes what is pending. */
  flush(): void {
    this.#sealFrames();
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
    this.#runCallbacks();
  }

  /** Drops what has not been written, because the connection is lost, and calls back with an error whoever waits. */
  drop(): void {
    this.#isClosed = true;
    this.#parts = NO_PARTS;
    this.#slab = undefined;
    for (const callback of this.#callbacks?.splice(0) ?? []) callback(new Error("WebSocket is not open"));
  }

  /** Adds data that is sent too late to `bufferedBytes`, as ws and browsers do, though it is never sent. */
  countUnsent(data: unknown): void {
    this.#pendingBytes += Buffer.byteLength(toPayload(data));
  }

  #pushControlFrame(opcode: number, payload: string | Uint8Array): void {
    if (Buffer.byteLength(payload) > MAX_CONTROL)
      throw new RangeError(`The data size must not be greater than ${MAX_CONTROL} bytes`);
    this.#pushFrame(opcode | FIN, payload);
  }

  #pushFrame(first: number, payload: string | Uint8Array): void {
    const length = Buffer.byteLength(payload);
    if (length >= LARGE) {
      const isText = typeof payload === "string";
      return this.#pushLargeFrame(first, isText ? Buffer.from(payload) : payload);
    }
    const slab = findSlab(headerSize(length) + length);
    const start = slab.used;
    slab.writeFrame(first, payload, length);
    this.#addFrame(slab, start);
  }

  /** Sends a payload without a copy. It is written at once, because its owner may change it before the turn ends. */
  #pushLargeFrame(first: number, payload: Uint8Array): void {
    const slab = findSlab(headerSize(payload.length));
    const start = slab.used;
    slab.writeHeader(first, payload.length);
    this.#addFrame(slab, start);
    this.#sealFrames();
    this.#addPart(payload);
    this.#countBytes(payload.length);
    this.flush();
  }

  /** Adds the frame that was just encoded into a slab, at `start`. */
  #addFrame(slab: Slab, start: number): void {
    if (this.#slab !== slab || this.#end !== start) {
      this.#sealFrames();
      this.#slab = slab;
      this.#start = start;
    }
    this.#end = slab.used;
    this.#countBytes(slab.used - start);
  }

  /** Turns the frames in the slab into a part that is ready to be written. */
  #sealFrames(): void {
    if (!this.#slab) return;
    const frames = this.#slab.bytes.subarray(this.#start, this.#end);
    this.#slab = undefined;
    // A connection that already waits will keep these bytes, and a view would keep the whole slab alive: copy them.
    this.#addPart(this.#connection.writableLength > 0 ? new Uint8Array(frames) : frames);
  }

  #addPart(part: Uint8Array): void {
    if (this.#parts === NO_PARTS) this.#parts = [part];
    else this.#parts.push(part);
  }

  #countBytes(bytes: number): void {
    if (this.#pendingBytes === 0) flushAtEndOfTurn(this);
    this.#pendingBytes += bytes;
    if (this.#pendingBytes >= MAX_PENDING) this.flush();
  }

  /** Calls the callbacks while there is room. If one of them sends with another callback, that one comes after it. */
  #runCallbacks(): void {
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
    if (this.#isAwaitingDrain) return;
    this.#isAwaitingDrain = true;
    this.#connection.once("drain", () => {
      this.#isAwaitingDrain = false;
      this.#runCallbacks();
    });
  }
}

/** Converts the data that ws's `send()` takes to a payload. @throws {TypeError} for anything else, and for a Blob */
function toPayload(data: unknown): string | Uint8Array {
  if (typeof data === "string" || data instanceof Uint8Array) return data;
  if (typeof data === "number") return String(data);
  if (data === undefined || data === null) return new Uint8Array();
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (Array.isArray(data)) return Uint8Array.from(data, Number);
  const kind = Object.prototype.toString.call(data);
  throw new TypeError(`A WebSocket sends strings, buffers and arrays of bytes (got ${kind})`);
}
