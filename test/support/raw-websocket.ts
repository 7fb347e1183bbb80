/**
 * A WebSocket client that writes whatever bytes it is told to, and reads the server's frames one by one (RFC 6455, 5).
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { WEBSOCKET } from "./engine-client.ts";

export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FIN = 0x80;

/** What a client's frame can be told besides its payload. */
interface FrameOptions {
  /** The first byte without the opcode: FIN and the reserved bits. @default FIN */
  readonly flags?: number;
  /** @default some mask; `false` for a frame that is not masked */
  readonly mask?: readonly number[] | false;
  /** The length that the header tells. @default the payload's */
  readonly length?: bigint;
}

/** A frame as a client sends it. */
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

/** The payload of a close frame. */
export const closing = (code: number, reason: string | Uint8Array = ""): Buffer =>
  Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]);

/** A frame of the server's. */
export interface Received {
  readonly opcode: number;
  readonly payload: Buffer;
}

export class RawWebSocket {
  readonly socket: Socket;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<unknown>;
  #bytes = Buffer.alloc(0);
  #wake = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay();
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
  }

  /** Opens a session, and connects to the main namespace of Socket.IO. */
  static async join(port: number): Promise<RawWebSocket> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const client = new RawWebSocket(socket);
    socket.write(
      `GET ${WEBSOCKET} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    while (!client.#bytes.includes("\r\n\r\n")) await client.#more();
    client.#bytes = client.#bytes.subarray(client.#bytes.indexOf("\r\n\r\n") + 4);
    await client.next();
    client.write(frame(TEXT, "40"));
    await client.next();
    return client;
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Writes bytes one by one, each in a packet of its own as far as the network does as it is told. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      await new Promise<void>((resolve) => this.socket.write(Uint8Array.of(byte), () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The next frame of the server's. */
  async next(): Promise<Received> {
    for (;;) {
      const received = this.#take();
      if (received) return received;
      await this.#more();
    }
  }

  /** Whatever frames have come. */
  *received(): Generator<Received> {
    for (let one = this.#take(); one; one = this.#take()) yield one;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(): Received | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const short = bytes.readUInt8(1);
    const start = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length < start) return undefined;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < start + length) return undefined;
    this.#bytes = bytes.subarray(start + length);
    return { opcode: bytes.readUInt8(0) & 0x0f, payload: bytes.subarray(start, start + length) };
  }
}
