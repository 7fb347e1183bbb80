/**
 * What a WebSocket sends: frames are collected until the turn of the event loop ends, and leave in one write, since the
 * write is what costs. Who sends is told at once that it is sent, unless too much waits.
 *
 * It stands in the place of ws's Sender: what ws and engine.io call on that has their names.
 */
import type { Duplex } from "node:stream";
import { HIGH_WATER_MARK } from "../../../src/engine/peer.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  FIN,
  headerSize,
  isCloseCode,
  MAX_CONTROL,
  PING,
  PONG,
  TEXT,
} from "./frame.ts";
import { Joiner } from "./joiner.ts";
import { Slab } from "./slab.ts";
import { atEndOfEachTurn, flushAtEndOfTurn } from "./turn.ts";

/** Told that something is sent, or why it will not be. */
export type Callback = (error?: Error) => void;

/** ws's options of `send()`, as far as they mean something to a server without extensions. */
export interface SendOptions {
  /** @default whether the data is no string */
  readonly binary?: boolean | undefined;
  /** Whether it is the last fragment of a message. @default true */
  readonly fin?: boolean | undefined;
}

/** From how many bytes on a payload is not copied. */
const LARGE = 16 * 1024;

/** How many bytes may wait for the end of the turn; so many are not joined for their write either. */
const MAX_PENDING = 64 * 1024;

/** The parts of an outbox that is empty: it stays so, and an idle connection has no list of its own. */
const NOTHING: Uint8Array[] = [];

const frames = new Joiner();
const writes = new Joiner();
atEndOfEachTurn(() => {
  frames.forget();
  writes.forget();
});

export class Outbox {
  /** Bytes that wait for the end of the turn. ws adds to it what is sent too late. */
  _bufferedBytes = 0;
  readonly #socket: Duplex;
  #parts: Uint8Array[] = NOTHING;
  /** Where the latest frames lie that are no part yet. */
  #slab: Slab | undefined;
  #start = 0;
  #end = 0;
  /** Who has not been told yet: nobody, for most. */
  #owed: Callback[] | undefined;
  #isSettling = false;
  #isDraining = false;
  #isFragmented = false;
  #isClosed = false;

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Sends a message, or a fragment of one. */
  send(data: unknown, { binary, fin = true }: SendOptions = {}, callback?: Callback): void {
    const payload = payloadOf(data);
    const kind = (binary ?? typeof payload !== "string") ? BINARY : TEXT;
    const opcode = this.#isFragmented ? CONTINUATION : kind;
    this.#isFragmented = !fin;
    this.#push(fin ? opcode | FIN : opcode, payload);
    if (callback) this.owe(callback);
  }

  ping(data: unknown, _mask?: boolean, callback?: Callback): void {
    this.#control(PING, payloadOf(data));
    if (callback) this.owe(callback);
  }

  pong(data: unknown, _mask?: boolean, callback?: Callback): void {
    this.#control(PONG, payloadOf(data));
    if (callback) this.owe(callback);
  }

  /**
   * Sends a close frame, behind which nothing is sent.
   * @throws when the frame cannot be sent, as ws does
   */
  close(code?: number, reason: string | Uint8Array = ""): void {
    if (code === undefined) {
      this.#control(CLOSE, "");
    } else {
      if (!isCloseCode(code)) throw new TypeError("First argument must be a valid error code number");
      const bytes = Buffer.from(reason);
      if (bytes.length > MAX_CONTROL - 2)
        throw new RangeError("The message must not be greater than 123 bytes");
      this.#control(CLOSE, Buffer.concat([Uint8Array.of(code >> 8, code), bytes]));
    }
    this.end();
  }

  /** Writes what waits, and takes nothing more. */
  end(): void {
    this.#isClosed = true;
    this.flush();
  }

  /** Sends a frame that is complete, in parts; the same list of parts for all recipients of a broadcast. */
  sendFrame(list: readonly Uint8Array[]): void {
    if (this.#isClosed) return;
    const frame = frames.join(list);
    this.#seal();
    this.#add(frame);
    this.#count(frame.length);
  }

  /** Writes what waits. */
  flush(): void {
    this.#seal();
    const parts = this.#parts;
    const [only] = parts;
    if (!only) return;
    const size = this._bufferedBytes;
    this.#parts = NOTHING;
    this._bufferedBytes = 0;
    const socket = this.#socket;
    if (!socket.writable) return;
    if (parts.length === 1) {
      socket.write(only);
    } else if (size < MAX_PENDING) {
      socket.write(writes.join(parts));
    } else {
      socket.cork();
      for (const part of parts) socket.write(part);
      socket.uncork();
    }
  }

  /** The connection is lost, and with it what has not been sent. */
  lose(): void {
    this.#isClosed = true;
    this.#parts = NOTHING;
    this.#slab = undefined;
    for (const callback of this.#owed?.splice(0) ?? []) callback(notOpen());
  }

  #control(opcode: number, payload: string | Uint8Array): void {
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
    const slab = Slab.withRoom(headerSize(length) + length);
    const start = slab.used;
    slab.write(first, payload, length);
    this.#extend(slab, start);
  }

  /** Takes a payload as it lies. It leaves at once: whoever owns it may change it when the turn ends. */
  #pushLarge(first: number, payload: Uint8Array): void {
    const slab = Slab.withRoom(headerSize(payload.length));
    const start = slab.used;
    slab.writeHeader(first, payload.length);
    this.#extend(slab, start);
    this.#seal();
    this.#add(payload);
    this.#count(payload.length);
    this.flush();
  }

  /** Takes what was written into a slab from there on. */
  #extend(slab: Slab, start: number): void {
    if (this.#slab !== slab || this.#end !== start) {
      this.#seal();
      this.#slab = slab;
      this.#start = start;
    }
    this.#end = slab.used;
    this.#count(slab.used - start);
  }

  #seal(): void {
    if (!this.#slab) return;
    const frames = this.#slab.bytes.subarray(this.#start, this.#end);
    this.#slab = undefined;
    // What has to wait in the socket must not hold a slab for some of its bytes.
    this.#add(this.#socket.writableLength > 0 ? new Uint8Array(frames) : frames);
  }

  #add(part: Uint8Array): void {
    if (this.#parts === NOTHING) this.#parts = [part];
    else this.#parts.push(part);
  }

  #count(bytes: number): void {
    if (this._bufferedBytes === 0) flushAtEndOfTurn(this);
    this._bufferedBytes += bytes;
    if (this._bufferedBytes >= MAX_PENDING) this.flush();
  }

  /** Whether so much waits that who sends should wait, too. */
  get isFull(): boolean {
    return this.#socket.writableLength + this._bufferedBytes >= HIGH_WATER_MARK;
  }

  /** Has somebody told when what was sent is on its way. */
  owe(callback: Callback): void {
    this.#owed ??= [];
    this.#owed.push(callback);
    this.#settle();
  }

  /** Tells who is owed, while there is room: one after the other, also when one sends while it is being told. */
  #settle(): void {
    const owed = this.#owed;
    if (this.#isSettling || !owed) return;
    this.#isSettling = true;
    try {
      while (owed.length > 0 && !this.isFull) owed.shift()?.();
    } finally {
      this.#isSettling = false;
    }
    if (owed.length > 0) this.#settleWhenDrained();
  }

  #settleWhenDrained(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#socket.once("drain", () => {
      this.#isDraining = false;
      this.#settle();
    });
  }
}

const notOpen = () => new Error("WebSocket is not open");

/** What `send()` of ws's takes, as a payload. */
function payloadOf(data: unknown): string | Uint8Array {
  if (typeof data === "string" || data instanceof Uint8Array) return data;
  if (typeof data === "number") return String(data);
  if (data === undefined || data === null) return "";
  if (data instanceof ArrayBuffer || data instanceof SharedArrayBuffer) return new Uint8Array(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (Array.isArray(data)) return Uint8Array.from(data, Number);
  throw new TypeError("A WebSocket sends strings, buffers and arrays of bytes");
}
