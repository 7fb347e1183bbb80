/**
 * Encodes and decodes the packets of Engine.IO 4. Over WebSocket each packet is one frame; over polling several packets
 * are one payload.
 * @see https://socket.io/docs/v4/engine-io-protocol/#packet-encoding
 */
import { Buffer } from "node:buffer";

/** The data of a message. A received message has a string or a Buffer. */
export type Data = string | ArrayBuffer | ArrayBufferView;

/** Whether a value can be the data of a message. */
export const isData = (value: unknown): value is Data =>
  typeof value === "string" || value instanceof ArrayBuffer || ArrayBuffer.isView(value);

/** The types of packets. The number of a type, which begins an encoded packet, is its index in this list. */
const TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;
const NUMBERS = {
  open: "0",
  close: "1",
  ping: "2",
  pong: "3",
  message: "4",
  upgrade: "5",
  noop: "6",
  error: "",
};

export interface Packet {
  /** "error" stands for a packet that could not be decoded. */
  readonly type: (typeof TYPES)[number] | "error";
  readonly data?: Data;
  readonly options?: PacketOptions;
}

export interface PacketOptions {
  /** Whether a polling answer with this packet may be compressed. @default true */
  readonly compress?: boolean | undefined;
  /** Set by Socket.IO for a packet that it sends to many clients: its encoding is worth keeping. */
  readonly preEncoded?: boolean | undefined;
  /** Set by Socket.IO for a message that is dropped if it cannot leave at once. */
  readonly volatile?: boolean | undefined;
}

/** Separates the packets of a payload: the ASCII record separator. */
const SEPARATOR = "\x1e";

/** Marks a binary message in a payload. A payload is text, so the message follows in base64. */
const BINARY_PREFIX = "b";

const ERROR: Packet = { type: "error", data: "parser error" };

/**
 * Keeps the frame of the last message that was sent to many clients, so that it is encoded once for all of them.
 * Socket.IO sends it to all in one turn of the event loop. The frame is forgotten in the microtask after that: it may
 * be large, and the next message may be a day away.
 */
export class FrameCache {
  #message: string | undefined;
  #frame = "";

  /** Whether a message is kept. */
  get hasMessage(): boolean {
    return this.#message !== undefined;
  }

  /** Encodes a message as a frame, or returns the frame of the last message if that is the same. */
  frameOf(message: string): string {
    if (message !== this.#message) {
      if (!this.hasMessage) queueMicrotask(this.#forget);
      this.#message = message;
      this.#frame = NUMBERS.message + message;
    }
    return this.#frame;
  }

  readonly #forget = (): void => {
    this.#message = undefined;
    this.#frame = "";
  };
}

/** The cache that all sessions share. */
export const frameCache = new FrameCache();

/** Encodes a packet as one WebSocket frame: text, or the bytes of a binary message as they are. */
export function encodePacket({ type, data = "", options }: Packet): string | Uint8Array {
  if (typeof data !== "string") return copyIfShared(toBuffer(data));
  return options?.preEncoded ? frameCache.frameOf(data) : NUMBERS[type] + data;
}

/** Encodes packets as the body of a polling answer. */
export function encodePayload(packets: readonly Packet[]): string {
  return packets.map(encodeText).join(SEPARATOR);
}

function encodeText(packet: Packet): string {
  const { data } = packet;
  if (data !== undefined && typeof data !== "string")
    return BINARY_PREFIX + toBuffer(data).toString("base64");
  return String(encodePacket(packet));
}

/** Decodes a WebSocket frame as a packet. A binary frame is always a message. */
export function decodePacket(frame: string | ArrayBuffer | Uint8Array): Packet {
  if (typeof frame !== "string") return { type: "message", data: toBuffer(frame) };
  const type = TYPES[frame.charCodeAt(0) - 48];
  if (type === undefined) return ERROR;
  return frame.length > 1 ? { type, data: frame.slice(1) } : { type };
}

/**
 * Whether a polling body has more packets than the limit. It is found out before the first packet is handled, so that
 * all or none of them are.
 */
export function exceedsPackets(payload: string, limit: number): boolean {
  if (payload.length < 2 * limit) return false; // most bodies are too short, and need no closer look
  let at = -1;
  for (let count = 1; count <= limit; count++) {
    at = payload.indexOf(SEPARATOR, at + 1);
    if (at < 0) return false;
  }
  return true;
}

/**
 * Decodes the packets of a polling body. Stops behind the first that cannot be decoded, which has the type "error". A
 * body with more packets than the limit is decoded as one such packet.
 */
export function decodePayload(payload: string, limit: number): Packet[] {
  if (exceedsPackets(payload, limit)) return [ERROR];
  const packets: Packet[] = [];
  for (const part of payload.split(SEPARATOR)) {
    const packet = part.startsWith(BINARY_PREFIX) ? decodeBase64(part.slice(1)) : decodePacket(part);
    packets.push(packet);
    if (packet.type === "error") break;
  }
  return packets;
}

const decodeBase64 = (text: string): Packet => ({ type: "message", data: Buffer.from(text, "base64") });

/**
 * Makes a Buffer over the same memory. Handlers of Socket.IO get a Buffer on Node, so they get one on every runtime.
 */
export function toBuffer(data: ArrayBufferLike | ArrayBufferView): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}

/** Copies bytes in a SharedArrayBuffer, because Deno's WebSocket refuses to send them. Returns others as they are. */
const copyIfShared = (bytes: Buffer): Buffer =>
  bytes.buffer instanceof ArrayBuffer ? bytes : Buffer.from(bytes);
