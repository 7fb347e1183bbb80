/**
 * A WebSocket client that costs next to nothing: it sends frames that were masked beforehand, several in one write,
 * and looks no further into those that it receives than it must.
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5.2
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import {
  BINARY,
  CLOSE,
  closing,
  frame as encode,
  headerLength,
  openingHandshake,
  PING,
  PONG,
  payloadLength,
  TEXT,
} from "../../support/websocket-protocol.ts";

/** A message as a client sends it, in one frame. */
export const frame = (data: string | Buffer): Buffer =>
  encode(typeof data === "string" ? TEXT : BINARY, data);

const CLOSING = encode(CLOSE, closing(1000));

/** Of a longer message only its beginning is looked at, in bytes. */
const GLANCE = 4096;

const EMPTY: Buffer = Buffer.alloc(0);

export interface Endpoint {
  readonly hostname: string;
  readonly port: number;
}

let dialled = 0;

/**
 * Where the next connection comes from: another of the loopback's addresses each time, as one of them has 28,000 ports,
 * and a closed connection keeps its own for a minute.
 */
export const nextAddress = (): string => `127.0.0.${2 + (dialled++ % 250)}`;

/** What was read last, on any connection: it is looked at before the next is read. */
const READ = Buffer.alloc(256 * 1024);

export class Client {
  /** Is called with each message, or its beginning, which is valid until it returns. */
  onMessage: (data: Buffer, isBinary: boolean) => void = () => {};
  /** Is called when no more messages of a chunk are to come: what is sent now leaves in one write. */
  onChunk: () => void = () => {};
  onClose: () => void = () => {};
  readonly #socket: Socket;
  #rest: Buffer = EMPTY;
  /** Bytes of a long message that are still to come. */
  #skip = 0;
  /** Takes what is received: first the answer to the handshake, then frames. */
  #take: (data: Buffer) => Buffer;

  private constructor({ hostname, port }: Endpoint, opened: (error?: Error) => void) {
    this.#socket = connect({
      host: hostname,
      port,
      localAddress: nextAddress(),
      noDelay: true,
      onread: { buffer: READ, callback: (size) => this.#receive(READ.subarray(0, size)) },
    });
    this.#take = (data) => this.#takeHead(data, opened);
    this.#socket.on("error", opened); // a connection that is lost later is closed, too
    this.#socket.on("close", () => {
      opened(new Error("The connection was closed before it was open"));
      this.onClose();
    });
  }

  /** Opens a WebSocket. */
  static open(endpoint: Endpoint, path: string): Promise<Client> {
    const { hostname, port } = endpoint;
    return new Promise((resolve, reject) => {
      const client = new Client(endpoint, (error) => (error ? reject(error) : resolve(client)));
      client.#socket.write(openingHandshake(`${hostname}:${port}`, path));
    });
  }

  send(frames: Buffer): void {
    this.#socket.write(frames);
  }

  /** Makes the closing handshake. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.onClose = resolve;
      if (this.#socket.closed) resolve();
      else this.send(CLOSING);
    });
  }

  #receive(chunk: Buffer): boolean {
    const data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const rest = this.#take(data);
    this.#rest = rest.length > 0 ? Buffer.from(rest) : EMPTY;
    return true;
  }

  #takeHead(data: Buffer, opened: (error?: Error) => void): Buffer {
    const end = data.indexOf("\r\n\r\n");
    if (end < 0) return data;
    const status = data.toString("latin1", 0, data.indexOf("\r\n"));
    this.#take = (frames) => this.#takeFrames(frames);
    if (status.includes(" 101 ")) opened();
    else {
      opened(new Error(`The handshake was answered with ${status}`));
      this.#socket.destroy();
    }
    // Whoever opened it listens first.
    const rest = Buffer.from(data.subarray(end + 4));
    if (rest.length > 0) queueMicrotask(() => this.#receive(rest));
    return EMPTY;
  }

  /** @returns what is no whole frame yet */
  #takeFrames(data: Buffer): Buffer {
    let at = Math.min(this.#skip, data.length);
    this.#skip -= at;
    while (data.length - at >= 2) {
      const [opcode, code] = [(data[at] ?? 0) & 0x0f, data[at + 1] ?? 0];
      const start = at + headerLength(code);
      if (data.length < start) break;
      const length = payloadLength(data, at, code);
      const known = Math.min(length, GLANCE);
      if (data.length < start + known) break;
      at = Math.min(start + length, data.length);
      this.#skip = start + length - at;
      if (opcode === CLOSE) this.#socket.end();
      // uvicorn leaves a client that gives no answer.
      else if (opcode === PING) this.#socket.write(encode(PONG, data.subarray(start, start + known)));
      else if (opcode < CLOSE) this.onMessage(data.subarray(start, start + known), opcode === BINARY);
    }
    this.onChunk();
    return data.subarray(at);
  }
}
