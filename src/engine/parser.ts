/**
 * Packets of Engine.IO 4 and their encodings: one frame each over WebSocket, one payload of several over polling.
 * @see https://socket.io/docs/v4/engine-io-protocol/#packet-encoding
 */
import { Buffer } from "node:buffer";

/** What a message carries. What is received is a string or a Buffer. */
export type Data = string | ArrayBuffer | ArrayBufferView;

/** Whether a message can carry it. */
export const isData = (value: unknown): value is Data =>
  typeof value === "string" || value instanceof ArrayBuffer || ArrayBuffer.isView(value);

/** The number of a packet type is its place in this list. */
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
  /** "error" stands for what could not be decoded. */
  readonly type: (typeof TYPES)[number] | "error";
  readonly data?: Data;
  readonly options?: PacketOptions;
}

export interface PacketOptions {
  /** Whether a polling answer with this packet may be compressed. @default true */
  readonly compress?: boolean | undefined;
  /** Set by Socket.IO when it sends the same to many. */
  readonly preEncoded?: boolean | undefined;
}

/** Between the packets of a payload: the ASCII record separator. */
const SEPARATOR = "\x1e";

/** In a payload, which is text, binary is base64 after this prefix. */
const BINARY_PREFIX = "b";

const ERROR: Packet = { type: "error", data: "parser error" };

/**
 * The last message that was sent to many, and its frame: it is encoded once for all. They are sent to in one turn, when
 * it ends the message is let go of: it may be large, and the next one may come tomorrow.
 */
export class Broadcast {
  #message: string | undefined;
  #frame = "";

  /** Whether a message is kept. */
  get isHeld(): boolean {
    return this.#message !== undefined;
  }

  frameOf(message: string): string {
    if (message !== this.#message) {
      if (!this.isHeld) queueMicrotask(this.#forget);
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

/** That of all engines. */
export const broadcast = new Broadcast();

/** A packet as one WebSocket frame: text, or the bytes of a binary message as they are. */
export function encodePacket({ type, data = "", options }: Packet): string | Uint8Array {
  if (typeof data !== "string") return unshared(toBuffer(data));
  return options?.preEncoded ? broadcast.frameOf(data) : NUMBERS[type] + data;
}

/** Packets as the body of a polling answer. */
export function encodePayload(packets: readonly Packet[]): string {
  return packets.map(encodeText).join(SEPARATOR);
}

function encodeText(packet: Packet): string {
  const { data } = packet;
  if (data !== undefined && typeof data !== "string")
    return BINARY_PREFIX + toBuffer(data).toString("base64");
  return String(encodePacket(packet));
}

/** A frame as a packet; binary is a message. */
export function decodePacket(frame: string | ArrayBuffer | Uint8Array): Packet {
  if (typeof frame !== "string") return { type: "message", data: toBuffer(frame) };
  const type = TYPES[frame.charCodeAt(0) - 48];
  if (type === undefined) return ERROR;
  return frame.length > 1 ? { type, data: frame.slice(1) } : { type };
}

/** The packets of a polling body. They end with the first that is none. */
export function decodePayload(payload: string): Packet[] {
  const packets: Packet[] = [];
  for (const part of payload.split(SEPARATOR)) {
    const packet = part.startsWith(BINARY_PREFIX) ? decodeBase64(part.slice(1)) : decodePacket(part);
    packets.push(packet);
    if (packet.type === "error") break;
  }
  return packets;
}

const decodeBase64 = (text: string): Packet => ({ type: "message", data: Buffer.from(text, "base64") });

/** A view of the same memory. Authors' handlers are written for Node's Buffer, on every runtime. */
export function toBuffer(data: ArrayBufferLike | ArrayBufferView): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}

/** The same bytes, in a copy if their memory is shared: Deno's WebSocket sends no view on such. */
const unshared = (bytes: Buffer): Buffer =>
  bytes.buffer instanceof ArrayBuffer ? bytes : Buffer.from(bytes);
