/**
 * Reads a client's frames out of the chunks of its connection, wherever they are cut (RFC 6455, 5), and puts fragmented
 * messages together. A frame that lies in one chunk is read where it lies; one that is cut is copied once.
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
import { unmask } from "./mask.ts";

/** What a client may send; ws's options of the same names. */
export interface Limits {
  /** The most bytes of one message; 0 is no limit. */
  readonly maxPayload: number;
  /** The most frames of one message; 0 is no limit. */
  readonly maxFragments: number;
  /** Whether text is taken for UTF-8 unseen. */
  readonly skipUTF8Validation: boolean;
}

/** Who hears what was read. Bytes that it gets may be a part of the chunk. */
export interface FrameSink {
  onMessage(data: Buffer, isBinary: boolean): void;
  onPing(data: Buffer): void;
  onPong(data: Buffer): void;
  /** The client closes; nothing is read behind that. */
  onClose(code: number, reason: Buffer): void;
  /** The client broke the rules; nothing is read behind that. */
  onBreach(error: Breach): void;
}

/** The frames of a message whose last one has not been read. */
interface Fragments {
  readonly opcode: number;
  readonly parts: Buffer[];
  length: number;
}

/** How much memory the mere announcement of a frame is given, in bytes; from there on it grows with what comes. */
const TRUSTED = 1024 * 1024;
const GROWTH = 4;

const NOTHING = Buffer.alloc(0);

export class FrameReader {
  readonly #sink: FrameSink;
  // Of its limits each reader has its own: ws makes an object of them for each connection.
  readonly #maxPayload: number;
  readonly #maxFragments: number;
  readonly #skipUTF8Validation: boolean;
  #isDone = false;
  #fragments: Fragments | undefined;
  /** The beginning of a header that was cut. */
  #header = NOTHING;
  /** Of a payload that was cut: memory for it, and how many bytes have come. */
  #payload: Buffer | undefined;
  #filled = 0;
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

  /** Whether the client has closed, or broken the rules. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Reads a chunk, which is the reader's own from now on. */
  read(chunk: Buffer): void {
    if (this.#isDone) return;
    let at = this.#resume(chunk);
    while (at < chunk.length && !this.#isDone) {
      const start = this.#readHeader(chunk, at);
      if (start === 0) {
        if (!this.#isDone) this.#header = Buffer.from(chunk.subarray(at));
        return;
      }
      at = this.#readPayload(chunk, start);
    }
  }

  /** Reads on in a frame that was cut. @returns where the next frame begins */
  #resume(chunk: Buffer): number {
    if (this.#payload) return this.#fill(this.#payload, chunk, 0);
    const known = this.#header.length;
    if (known === 0) return 0;
    const header = Buffer.concat([this.#header, chunk.subarray(0, MAX_HEADER - known)]);
    const start = this.#readHeader(header, 0);
    this.#header = start > 0 ? NOTHING : header;
    return start > 0 ? this.#readPayload(chunk, start - known) : chunk.length;
  }

  /** Reads a header. @returns where its payload begins; 0 when the header was cut, or refused */
  #readHeader(bytes: Buffer, at: number): number {
    const left = bytes.length - at;
    if (left < 2) return 0;
    const first = bytes.readUInt8(at);
    const second = bytes.readUInt8(at + 1);
    const error = this.#judge(first, second);
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

  /** What is wrong with the first two bytes of a frame. */
  #judge(first: number, second: number): Breach | undefined {
    const opcode = first & OPCODE;
    if (first & RSV2_AND_3) return breach.reserved23();
    if (first & RSV1) return breach.reserved1();
    if (opcode >= CLOSE) {
      const length = second & LENGTH;
      if (opcode > PONG) return breach.opcode(opcode);
      if (!(first & FIN)) return breach.fin();
      if (length > MAX_CONTROL || (opcode === CLOSE && length === 1)) return breach.controlLength(length);
    } else if (opcode > BINARY || (opcode === CONTINUATION) !== (this.#fragments !== undefined)) {
      return breach.opcode(opcode);
    }
    return second & MASKED ? undefined : breach.mask();
  }

  #isTooLong(length: number): boolean {
    const most = this.#maxPayload;
    return most > 0 && length > 0 && (this.#fragments?.length ?? 0) + length > most;
  }

  /** Reads a payload. @returns where the next frame begins */
  #readPayload(chunk: Buffer, start: number): number {
    const end = start + this.#length;
    if (end <= chunk.length) {
      this.#take(chunk, start, end);
      return end;
    }
    this.#payload = Buffer.allocUnsafeSlow(Math.min(this.#length, TRUSTED));
    this.#filled = 0;
    return this.#fill(this.#payload, chunk, start);
  }

  #fill(payload: Buffer, chunk: Buffer, start: number): number {
    const copied = chunk.copy(payload, this.#filled, start);
    const at = start + copied;
    this.#filled += copied;
    if (this.#filled === this.#length) {
      this.#payload = undefined;
      this.#take(payload, 0, payload.length);
    } else if (at < chunk.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#length, payload.length * GROWTH));
      payload.copy(larger);
      this.#payload = larger;
      return this.#fill(larger, chunk, at);
    }
    return at;
  }

  /** Takes a frame whose payload has come. */
  #take(bytes: Buffer, start: number, end: number): void {
    const opcode = this.#first & OPCODE;
    const isAscii = unmask(bytes, start, end, this.#mask);
    const data = bytes.subarray(start, end);
    if (opcode >= CLOSE) this.#control(opcode, data);
    else if (this.#first & FIN && !this.#fragments) this.#deliver(opcode, data, isAscii);
    else this.#collect(opcode, data);
  }

  #collect(opcode: number, data: Buffer): void {
    const fragments = (this.#fragments ??= { opcode, parts: [], length: 0 });
    const { parts } = fragments;
    // Small fragments must not hold the chunks that they came in.
    parts.push(data.length * 2 < data.buffer.byteLength ? Buffer.from(data) : data);
    fragments.length += data.length;
    if (this.#maxFragments > 0 && parts.length > this.#maxFragments) {
      this.#refuse(breach.fragments());
    } else if (this.#first & FIN) {
      this.#fragments = undefined;
      this.#deliver(fragments.opcode, Buffer.concat(parts, fragments.length), false);
    }
  }

  #deliver(opcode: number, data: Buffer, isAscii: boolean): void {
    const isBinary = opcode === BINARY;
    if (isBinary || isAscii || this.#isText(data)) this.#sink.onMessage(data, isBinary);
    else this.#refuse(breach.utf8());
  }

  #isText(data: Buffer): boolean {
    return this.#skipUTF8Validation || isUtf8(data);
  }

  #control(opcode: number, data: Buffer): void {
    if (opcode === PING) this.#sink.onPing(data);
    else if (opcode === PONG) this.#sink.onPong(data);
    else this.#close(data);
  }

  #close(data: Buffer): void {
    const code = data.length === 0 ? NO_STATUS : data.readUInt16BE(0);
    const reason = data.subarray(2);
    if (data.length > 0 && !isCloseCode(code)) this.#refuse(breach.closeCode(code));
    else if (!this.#isText(reason)) this.#refuse(breach.utf8());
    else {
      this.#isDone = true;
      this.#sink.onClose(code, reason);
    }
  }

  #refuse(error: Breach): 0 {
    this.#isDone = true;
    this.#sink.onBreach(error);
    return 0;
  }
}
