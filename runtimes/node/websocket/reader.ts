/**
 * Reads a client's frames (RFC 6455, 5) from the chunks of its connection, which may end anywhere in a frame, and joins
 * fragmented messages. It unmasks a frame that lies in one chunk in place and passes it on without a copy. It copies a
 * frame that a chunk cuts, or a fragment, into a buffer as the bytes come, so that it keeps no chunk.
 */
import { isUtf8 } from "node:buffer";
import { type Breach, breach } from "./breach.ts";
import {
  BINARY,
  CLOSE,
  CONTINUATION,
  FIN,
  isCloseCode,
  LENGTH,
  LENGTH_16,
  LENGTH_64,
  MASKED,
  MAX_CONTROL,
  MAX_HEADER,
  NO_STATUS,
  OPCODE,
  PING,
  PONG,
  RSV1,
  RSV2_AND_3,
} from "./frame.ts";
import { GrowingBuffer } from "./growing-buffer.ts";
import { unmask } from "./mask.ts";

/** Limits for what a client may send, by the names of ws's options. */
export interface Limits {
  /** The largest message, in bytes; 0 is no limit. */
  readonly maxPayload: number;
  /** The most frames of one message; 0 is no limit. */
  readonly maxFragments: number;
  /** Whether to pass text on without a check that it is valid UTF-8. */
  readonly skipUTF8Validation: boolean;
}

/** Handles what a reader has read. The buffers that it gets may be views of the chunk that the reader was given. */
export interface FrameSink {
  handleMessage(data: Buffer, isBinary: boolean): void;
  handlePing(data: Buffer): void;
  handlePong(data: Buffer): void;
  /** The client sent a close frame. The reader ignores all bytes after it. */
  handleClose(code: number, reason: Buffer): void;
  /** The client broke the protocol or a limit. The reader ignores all bytes after that. */
  handleBreach(error: Breach): void;
}

/** A fragmented message whose last frame has not come yet. */
interface FragmentedMessage {
  readonly opcode: number;
  readonly payload: GrowingBuffer;
  frameCount: number;
}

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  readonly #sink: FrameSink;
  // Copies of the limits: ws makes an object of them for each connection, which the reader would keep alive.
  readonly #maxPayload: number;
  readonly #maxFragments: number;
  readonly #skipUTF8Validation: boolean;
  #isDone = false;
  #message: FragmentedMessage | undefined;
  /** The beginning of a header whose rest is in the next chunk. */
  #header = NOTHING;
  /**
   * The buffer into which the payload of the current frame is copied while it comes, and the index at which it begins.
   */
  #payload: GrowingBuffer | undefined;
  #payloadStart = 0;
  // What the latest header says:
  #first = 0;
  #length = 0;
  #mask = 0;

  constructor(sink: FrameSink, { maxPayload, maxFragments, skipUTF8Validation }: Limits) {
    this.#sink = sink;
    this.#maxPayload = maxPayload;
    this.#maxFragments = maxFragments;
    this.#skipUTF8Validation = skipUTF8Validation;
  }

  /** Whether the client has sent a close frame, or has broken the protocol or a limit. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Reads a chunk. The reader unmasks payloads inside it, so nobody else may use the chunk afterwards. */
  read(chunk: Buffer): void {
    if (this.#isDone) return;
    let at = this.#continueFrame(chunk);
    while (at < chunk.length && !this.#isDone) {
      const start = this.#readHeader(chunk, at);
      if (start === 0) {
        if (!this.#isDone) this.#header = Buffer.from(chunk.subarray(at));
        return;
      }
      at = this.#readPayload(chunk, start);
    }
  }

  /**
   * Continues the frame that the last chunk has cut, if any.
   * @returns the index in this chunk where the next frame begins
   */
  #continueFrame(chunk: Buffer): number {
    if (this.#payload) return this.#fillPayload(this.#payload, chunk, 0);
    const known = this.#header.length;
    if (known === 0) return 0;
    const header = Buffer.concat([this.#header, chunk.subarray(0, MAX_HEADER - known)]);
    const start = this.#readHeader(header, 0);
    if (start > 0) {
      this.#header = NOTHING;
      return this.#readPayload(chunk, start - known);
    }
    if (!this.#isDone) this.#header = header;
    return chunk.length;
  }

  /** Reads a header. @returns the index where the payload begins; 0 if the header is cut, or was refused */
  #readHeader(bytes: Buffer, at: number): number {
    const left = bytes.length - at;
    if (left < 2) return 0;
    const first = bytes.readUInt8(at);
    const second = bytes.readUInt8(at + 1);
    const error = this.#findBreach(first, second);
    if (error) return this.#refuseFrame(error);

    let length = second & LENGTH;
    let mask = at + 2;
    if (length === LENGTH_16) {
      if (left < 4) return 0;
      length = bytes.readUInt16BE(mask);
      mask += 2;
    } else if (length === LENGTH_64) {
      if (left < 10) return 0;
      length = bytes.readUInt32BE(mask) * 2 ** 32 + bytes.readUInt32BE(mask + 4);
      mask += 8;
      if (length > Number.MAX_SAFE_INTEGER) return this.#refuseFrame(breach.frameLength());
    }
    if ((first & OPCODE) < CLOSE && this.#isTooLong(length)) return this.#refuseFrame(breach.messageLength());
    if (bytes.length < mask + 4) return 0;
    this.#first = first;
    this.#length = length;
    this.#mask = bytes.readInt32LE(mask);
    return mask + 4;
  }

  /** Returns what is wrong with the first two bytes of a frame; undefined if nothing is. */
  #findBreach(first: number, second: number): Breach | undefined {
    const opcode = first & OPCODE;
    if (first & RSV2_AND_3) return breach.reserved23();
    if (first & RSV1) return breach.reserved1();
    if (opcode >= CLOSE) {
      const length = second & LENGTH;
      if (opcode > PONG) return breach.opcode(opcode);
      if (!(first & FIN)) return breach.fin();
      if (length > MAX_CONTROL || (opcode === CLOSE && length === 1)) return breach.controlLength(length);
    } else if (opcode > BINARY || (opcode === CONTINUATION) !== (this.#message !== undefined)) {
      return breach.opcode(opcode);
    }
    return second & MASKED ? undefined : breach.mask();
  }

  #isTooLong(length: number): boolean {
    const most = this.#maxPayload;
    return most > 0 && length > 0 && (this.#message?.payload.length ?? 0) + length > most;
  }

  /** Reads as much of a payload as the chunk has. @returns the index where the next frame begins */
  #readPayload(chunk: Buffer, start: number): number {
    const end = start + this.#length;
    const isLast = (this.#first & FIN) !== 0;
    const isFragment = (this.#first & OPCODE) < CLOSE && (!isLast || this.#message !== undefined);
    if (!isFragment && end <= chunk.length) {
      this.#takeFrame(chunk, start, end);
      return end;
    }
    const payload = isFragment ? this.#openMessage().payload : new GrowingBuffer();
    payload.announce(this.#length, !isLast);
    this.#payload = payload;
    this.#payloadStart = payload.length;
    return this.#fillPayload(payload, chunk, start);
  }

  #openMessage(): FragmentedMessage {
    this.#message ??= { opcode: this.#first & OPCODE, payload: new GrowingBuffer(), frameCount: 0 };
    return this.#message;
  }

  /** Copies as much of a payload as the chunk has. @returns the index where the next frame begins */
  #fillPayload(payload: GrowingBuffer, chunk: Buffer, start: number): number {
    const payloadEnd = this.#payloadStart + this.#length;
    const end = Math.min(start + payloadEnd - payload.length, chunk.length);
    payload.append(chunk, start, end);
    if (payload.length === payloadEnd) {
      this.#payload = undefined;
      this.#takeFrame(payload.bytes, this.#payloadStart, payloadEnd);
    }
    return end;
  }

  /** Takes a frame whose payload is complete. */
  #takeFrame(bytes: Buffer, start: number, end: number): void {
    const opcode = this.#first & OPCODE;
    const isAscii = unmask(bytes, start, end, this.#mask);
    if (opcode >= CLOSE) this.#takeControl(opcode, bytes.subarray(start, end));
    else if (this.#message) this.#takeFragment(this.#message);
    else this.#deliverMessage(opcode, bytes.subarray(start, end), isAscii);
  }

  #takeFragment(message: FragmentedMessage): void {
    message.frameCount++;
    if (this.#maxFragments > 0 && message.frameCount > this.#maxFragments) {
      this.#refuseFrame(breach.fragments());
    } else if (this.#first & FIN) {
      this.#message = undefined;
      const { bytes, length } = message.payload;
      this.#deliverMessage(message.opcode, bytes.subarray(0, length), false);
    }
  }

  #deliverMessage(opcode: number, data: Buffer, isAscii: boolean): void {
    const isBinary = opcode === BINARY;
    if (isBinary || isAscii || this.#isValidText(data)) this.#sink.handleMessage(data, isBinary);
    else this.#refuseFrame(breach.utf8());
  }

  #isValidText(data: Buffer): boolean {
    return this.#skipUTF8Validation || isUtf8(data);
  }

  #takeControl(opcode: number, data: Buffer): void {
    if (opcode === PING) this.#sink.handlePing(data);
    else if (opcode === PONG) this.#sink.handlePong(data);
    else this.#takeClose(data);
  }

  #takeClose(data: Buffer): void {
    const code = data.length === 0 ? NO_STATUS : data.readUInt16BE(0);
    const reason = data.subarray(2);
    if (data.length > 0 && !isCloseCode(code)) this.#refuseFrame(breach.closeCode(code));
    else if (!this.#isValidText(reason)) this.#refuseFrame(breach.utf8());
    else {
      this.#stopReading();
      this.#sink.handleClose(code, reason);
    }
  }

  #refuseFrame(error: Breach): 0 {
    this.#stopReading();
    this.#sink.handleBreach(error);
    return 0;
  }

  /**
   * Stops reading and releases what was read in part: the connection may still be open for as long as `closeTimeout`.
   */
  #stopReading(): void {
    this.#isDone = true;
    this.#message = undefined;
    this.#header = NOTHING;
  }
}
