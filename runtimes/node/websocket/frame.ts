/**
 * The format of a WebSocket frame: its header (RFC 6455, 5.2), and the codes of a close frame (7.4).
 */

/** The opcodes, which say what a frame carries. From `CLOSE` on they are those of control frames. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** The bits of a header's first byte. Extensions use the reserved bits; as none is negotiated, they must be clear. */
export const FIN = 0x80;
export const RSV1 = 0x40;
export const RSV2_AND_3 = 0x30;
export const OPCODE = 0x0f;

/**
 * The bits of the second byte, and the two values of its length that mean "see the next two bytes" and "the next
 * eight".
 */
export const MASKED = 0x80;
export const LENGTH = 0x7f;
export const LENGTH_16 = 126;
export const LENGTH_64 = 127;

/** The largest size of a header, in bytes: two, eight for the length and four for the mask. */
export const MAX_HEADER = 14;

/** The largest payload of a control frame, in bytes (RFC 6455, 5.5). */
export const MAX_CONTROL = 125;

/** The code that stands for a close frame without a code. It is never sent (RFC 6455, 7.4.1). */
export const NO_STATUS = 1005;

/** The code that stands for a connection that ended without a close frame. It is never sent either. */
export const ABNORMAL = 1006;

/** Whether a close frame may carry this code: RFC 6455 defines it, or leaves it to libraries and applications. */
export const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code <= 4999);

/** Returns the size of an unmasked frame's header, in bytes. @param length the size of the payload, in bytes */
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
 * @param first the first byte of the header: opcode and `FIN`
 * @param length the size of the payload, in bytes
 * @returns the index of the first byte behind the header, where the payload goes
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
