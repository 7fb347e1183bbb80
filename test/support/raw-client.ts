/**
 * A Socket.IO client on a bare TCP connection, which keeps all that it receives, and can stop reading.
 */
import { connect, type Socket } from "node:net";
import { WEBSOCKET } from "./engine-client.ts";

const EVENT = "42";

export class RawClient {
  /** The id of its Socket.IO socket, once it has joined. */
  sid = "";
  /** The packets received so far, but for pings: text, of which a long one keeps its ends, and "<HEX>" for binary. */
  readonly messages: string[] = [];
  /** Resolves with the code of the close frame, or with 1005 without one; with 1006 when there was no frame. */
  readonly closed: Promise<number>;
  readonly #socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #code = 1006;
  #heard: () => void = () => {};

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname, () => this.#socket.write(handshake(hostname)));
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.#socket.once("close", () => resolve(this.#code)));
  }

  /** Opens a session over WebSocket, and connects to the main namespace. */
  static async join(url: string): Promise<RawClient> {
    const client = new RawClient(url);
    await client.until(({ length }) => length === 1);
    client.send("40");
    await client.until(({ length }) => length >= 2);
    const { sid }: { sid: string } = JSON.parse(client.messages[1]?.slice(2) ?? "");
    client.sid = sid;
    client.messages.length = 0;
    return client;
  }

  static crowd(url: string, size: number): Promise<RawClient[]> {
    return Promise.all(Array.from({ length: size }, () => RawClient.join(url)));
  }

  /** The numbers that the events received so far brought as their last argument. */
  get numbers(): number[] {
    return this.messages.filter((message) => message.startsWith(EVENT)).map(numberOf);
  }

  /** The last of these numbers, or -1. */
  get last(): number {
    return numberOf(this.messages.at(-1) ?? "");
  }

  /** Resolves when the messages fulfil a condition. */
  async until(isEnough: (messages: readonly string[]) => boolean): Promise<void> {
    while (!isEnough(this.messages)) {
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  /** Stops reading. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Sends a packet. */
  send(packet: string): void {
    const payload = Buffer.from(packet);
    this.#socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    if (!this.#isOpen) {
      const end = data.indexOf("\r\n\r\n");
      this.#isOpen = end >= 0;
      data = this.#isOpen ? data.subarray(end + 4) : data;
    }
    this.#rest = this.#isOpen ? this.#takeFrames(data) : data;
    this.#heard();
  }

  #takeFrames(data: Buffer): Buffer {
    let at = 0;
    while (data.length - at >= 2) {
      const [opcode, code] = [data.readUInt8(at) & 0x0f, data.readUInt8(at + 1)];
      const start = at + (code < 126 ? 2 : code === 126 ? 4 : 10);
      if (data.length < start) break;
      const length =
        code < 126 ? code : code === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      if (data.length < start + length) break;
      at = start + length;
      this.#take(opcode, data.subarray(start, at));
    }
    return data.subarray(at);
  }

  #take(opcode: number, payload: Buffer): void {
    if (opcode === 0x8) {
      this.#code = payload.length === 0 ? 1005 : payload.readUInt16BE();
      this.#socket.end();
    } else if (opcode === 0x2) {
      this.messages.push(`<${payload.toString("hex")}>`);
    } else if (String(payload) === "2") {
      this.send("3");
    } else {
      this.messages.push(shorten(String(payload)));
    }
  }
}

const numberOf = (event: string): number => Number(/(\d+)\]$/.exec(event)?.[1] ?? -1);

const shorten = (text: string): string =>
  text.length > 1000 ? `${text.slice(0, 20)}…${text.slice(-20)}` : text;

const handshake = (host: string): string =>
  [
    `GET ${WEBSOCKET} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "\r\n",
  ].join("\r\n");
