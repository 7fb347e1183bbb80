/**
 * The form of a frame: what its header says (RFC 6455, 5.2), and which codes may close a connection (7.4).
 */

/** What a frame carries. The opcodes from `CLOSE` on control the connection. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** The bits of a header's first byte. The reserved bits belong to extensions, of which none is negotiated. */
export const FIN = 0x80;
export const RSV1 = 0x40;
export const RSV2_AND_3 = 0x30;
export const OPCODE = 0x0f;

/** The bits of the second byte, and the lengths that stand for "in the next two bytes" and "in the next eight". */
export const MASKED = 0x80;
export const LENGTH = 0x7f;
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;

/** The most bytes that a header has: two, eight of length and four of mask. */
export const MAX_HEADER = 14;

/** The most bytes that a control frame carries (RFC 6455, 5.5). */
export const MAX_CONTROL = 125;

/** The code that stands for a close frame without a code. It is never sent (RFC 6455, 7.4.1). */
export const NO_STATUS = 1005;

/** The code that stands for a connection that ended without a close frame. It is never sent either. */
export const ABNORMAL = 1006;

/** Whether a close frame may carry this code: one that is defined, or free for libraries and applications. */
export const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);

/** How many bytes the header of an unmasked frame has. @param length of the payload, in bytes */
export const headerSize = (length: number): number => {
  if (length < LENGTH_16) return 2;
  return length < 0x1_00_00 ? 4 : 10;
};

/** Encodes a message as one unmasked frame: a string as text, bytes as binary. */
export function encodeMessage(message: string | Uint8Array): Buffer {
  const length = Buffer.byteLength(message);
  const bytes = Buffer.allocUnsafeSlow(headerSize(length) + length);
  const start = writeHeader(bytes, 0, (typeof message === "string" ? TEXT : BINARY) | FIN, length);
  if (typeof message === "string") bytes.write(message, start);
  else bytes.set(message, start);
  return bytes;
}

/**
 * Writes the header of an unmasked frame.
 * @param first its first byte: opcode and `FIN`
 * @param length of the payload, in bytes
 * @returns where the payload goes
 */
export function writeHeader(target: Buffer, at: number, first: number, length: number): number {
  target[at] = first;
  if (length < LENGTH_16) {
    target[at + 1] = length;
    return at + 2;
  }
  if (length < 0x1_00_00) {
    target[at + 1] = LENGTH_16;
    return target.writeUInt16BE(length, at + 2);
  }
  target[at + 1] = LENGTH_64;
  target.writeUInt16BE(0, at + 2);
  return target.writeUIntBE(length, at + 4, 6);
}
