/**
 * The bytes of the WebSocket protocol on the client's side: writes the opening handshake and frames, and reads frames.
 * @see https://www.rfc-editor.org/rfc/rfc6455
 */
import { Buffer } from "node:buffer";

export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FIN = 0x80;

/** The request of an opening handshake. @param target path and query */
export const openingHandshake = (host: string, target: string): string =>
  [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "\r\n",
  ].join("\r\n");

/** What can be set in a client's frame besides its payload, to make it invalid too. */
interface FrameOptions {
  /** The first byte without the opcode: FIN and the reserved bits. @default FIN */
  readonly flags?: number;
  /** Four bytes; `false` sends the frame unmasked. @default some mask */
  readonly mask?: readonly number[] | false;
  /** The payload length in the header. @default the true length */
  readonly length?: bigint;
}

/** Makes a frame as a client sends it. */
export function frame(opcode: number, payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { flags = FIN, mask = [0x37, 0xfa, 0x21, 0x3d] } = options;
  const body = Buffer.from(payload);
  const length = options.length ?? BigInt(body.length);
  const short = length < 126n ? Number(length) : length < 65_536n ? 126 : 127;
  const extended = Buffer.alloc(short === 126 ? 2 : short === 127 ? 8 : 0);
  if (short === 126) extended.writeUInt16BE(Number(length));
  if (short === 127) extended.writeBigUInt64BE(length);
  const masked = mask ? body.map((byte, n) => byte ^ (mask[n % 4] ?? 0)) : body;
  const head = Buffer.from([flags | opcode, (mask ? 0x80 : 0) | short]);
  return Buffer.concat([head, extended, Buffer.from(mask || []), masked]);
}

/** Makes the payload of a close frame. */
export const closing = (code: number, reason: string | Uint8Array = ""): Buffer =>
  Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);

/**
 * Tells the length of the header of a server's frame. The benchmark's load generator reads headers with this and the
 * next function, because they allocate no memory.
 * @param code the second byte of the header
 */
export const headerLength = (code: number): number => (code < 126 ? 2 : code === 126 ? 4 : 10);

/** Tells the payload length of a server's frame whose header has arrived. @param at where the frame begins */
export const payloadLength = (data: Buffer, at: number, code: number): number =>
  code < 126 ? code : code === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));

/** A frame from the server. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** Tells the length of a server's frame with its header; 0 until the header has arrived. @param at where it begins */
export function frameLength(data: Buffer, at = 0): number {
  if (data.length - at < 2) return 0;
  const code = data.readUInt8(at + 1);
  const header = headerLength(code);
  return data.length - at < header ? 0 : header + payloadLength(data, at, code);
}

/** Reads a server's frame; `undefined` until it has arrived completely. @param at where it begins */
export function readFrame(data: Buffer, at = 0): Frame | undefined {
  const end = at + frameLength(data, at);
  if (end === at || data.length < end) return undefined;
  const start = at + headerLength(data.readUInt8(at + 1));
  return { opcode: data.readUInt8(at) & 0x0f, payload: data.subarray(start, end), end };
}
