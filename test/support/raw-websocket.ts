/**
 * A WebSocket client that writes any bytes, valid or not, and reads the server's frames one by one (RFC 6455, 5).
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { WEBSOCKET } from "./engine-client.ts";
import { inTime } from "./until.ts";
import { CLOSE, type Frame, frame, openingHandshake, readFrame, TEXT } from "./websocket-protocol.ts";

export class RawWebSocket {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  #wake = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay();
    socket.on("error", () => {});
    socket.once("close", () => this.#wake());
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
    socket.write(openingHandshake("localhost", WEBSOCKET));
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

  /** Writes bytes one by one, each in a TCP packet of its own where the operating system lets it. */
  async trickle(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      await new Promise<void>((resolve) => this.socket.write(Uint8Array.of(byte), () => resolve()));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Resolves with the next frame from the server. */
  async next(): Promise<Frame> {
    for (;;) {
      const received = this.#take();
      if (received) return received;
      await this.#more();
    }
  }

  /**
   * Reads until a close frame or the end of the connection.
   * @returns the texts before it, and the code of the close frame: 1005 if the frame has none, 1006 if there was no
   * close frame
   */
  async ending(): Promise<{ readonly texts: string[]; readonly code: number }> {
    const texts: string[] = [];
    for (;;) {
      for (let one = this.#take(); one; one = this.#take()) {
        const { opcode, payload } = one;
        if (opcode === CLOSE) return { texts, code: payload.length > 0 ? payload.readUInt16BE() : 1005 };
        texts.push(String(payload));
      }
      if (this.socket.closed) return { texts, code: 1006 };
      await this.#more();
    }
  }

  #more(): Promise<void> {
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    return inTime("bytes from the server", woken);
  }

  #take(): Frame | undefined {
    const received = readFrame(this.#bytes);
    if (received) this.#bytes = this.#bytes.subarray(received.end);
    return received;
  }
}
