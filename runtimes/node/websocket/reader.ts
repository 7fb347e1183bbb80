/**
 * Reads a client's frames from the chunks of its connection, wherever they are cut (RFC 6455, 5), and puts fragmented
 * messages together. A frame that lies in one chunk is unmasked and handed on where it lies, without a copy. What is cut or
 * fragmented is copied into one buffer as it comes, so that no chunk has to be kept.
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

/** What a client may send: the options of ws with the same names. */
export interface Limits {
  /** The most bytes of one message; 0 is no limit. */
  readonly maxPayload: number;
  /** The most frames of one message; 0 is no limit. */
  readonly maxFragments: number;
  /** Whether text is handed on without a check that it is UTF-8. */
  readonly skipUTF8Validation: boolean;
}

/** What a reader calls. The bytes that it passes may be a part of the chunk that it was given. */
export interface FrameSink {
  handleMessage(data: Buffer, isBinary: boolean): void;
  handlePing(data: Buffer): void;
  handlePong(data: Buffer): void;
  /** The client sent a close frame. The reader reads nothing behind it. */
  handleClose(code: number, reason: Buffer): void;
  /** The client broke the rules. The reader reads nothing behind that. */
  handleBreach(error: Breach): void;
}

/** A fragmented message whose last frame has not come. */
interface FragmentedMessage {
  readonly opcode: number;
  readonly payload: GrowingBuffer;
  frameCount: number;
}

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  readonly #sink: FrameSink;
  // ws makes an object of limits for each connection; the reader copies the values to let go of it.
  readonly #maxPayload: number;
  readonly #maxFragments: number;
  readonly #skipUTF8Validation: boolean;
  #isDone = false;
  #message: FragmentedMessage | undefined;
  /** The beginning of a header that was cut. */
  #header = NOTHING;
  /** Where the payload of a frame is copied to while it comes, and at which byte of that it begins. */
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

  /** Whether the client has sent a close frame, or has broken the rules. */
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

  /** Continues the frame that the last chunk cut, if it cut one. @returns where the next frame begins */
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

  /** Reads a header. @returns where its payload begins; 0 when the header was cut, or refused */
  #readHeader(bytes: Buffer, at: number): number {
    const left = bytes.length - at;
    if (left < 2) return 0;
    const first = bytes.readUInt8(at);
    const second = bytes.readUInt8(at + 1);
    const error = this.#findBreach(first, second);
    if (error) return this.#refuse(error);

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
      if (length > Number.MAX_SAFE_INTEGER) return this.#refuse(breach.frameLength());
    }
    if ((first & OPCODE) < CLOSE && this.#isTooLong(length)) return this.#refuse(breach.messageLength());
    if (bytes.length < mask + 4) return 0;
    this.#first = first;
    this.#length = length;
    this.#mask = bytes.readInt32LE(mask);
    return mask + 4;
  }

  /** Finds what is wrong with the first two bytes of a frame. */
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

  /** Reads a payload. @returns where the next frame begins */
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

  /** Copies what has come of a payload. @returns where the next frame begins */
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

  /** Takes a frame whose payload has come. */
  #takeFrame(bytes: Buffer, start: number, end: number): void {
    const opcode = this.#first & OPCODE;
    const isAscii = unmask(bytes, start, end, this.#mask);
    if (opcode >= CLOSE) this.#takeControl(opcode, bytes.subarray(start, end));
    else if (this.#message) this.#takeFragment(this.#message);
    else this.#deliver(opcode, bytes.subarray(start, end), isAscii);
  }

  #takeFragment(message: FragmentedMessage): void {
    message.frameCount++;
    if (this.#maxFragments > 0 && message.frameCount > this.#maxFragments) {
      this.#refuse(breach.fragments());
    } else if (this.#first & FIN) {
      this.#message = undefined;
      const { bytes, length } = message.payload;
      this.#deliver(message.opcode, bytes.subarray(0, length), false);
    }
  }

  #deliver(opcode: number, data: Buffer, isAscii: boolean): void {
    const isBinary = opcode === BINARY;
    if (isBinary || isAscii || this.#isText(data)) this.#sink.handleMessage(data, isBinary);
    else this.#refuse(breach.utf8());
  }

  #isText(data: Buffer): boolean {
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
    if (data.length > 0 && !isCloseCode(code)) this.#refuse(breach.closeCode(code));
    else if (!this.#isText(reason)) this.#refuse(breach.utf8());
    else {
      this.#finish();
      this.#sink.handleClose(code, reason);
    }
  }

  #refuse(error: Breach): 0 {
    this.#finish();
    this.#sink.handleBreach(error);
    return 0;
  }

  /** Lets go of what was read in part: the connection may stay open until the client answers the close frame. */
  #finish(): void {
    this.#isDone = true;
    this.#message = undefined;
    this.#header = NOTHING;
  }
}
