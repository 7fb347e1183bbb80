/**
 * A Socket.IO client on a plain TCP connection, which keeps every message that it receives and can stop reading.
 */
import { connect, type Socket } from "node:net";
import { WEBSOCKET } from "./engine-client.ts";
import { inTime } from "./until.ts";
import {
  BINARY,
  CLOSE,
  type Frame,
  frame,
  frameLength,
  openingHandshake,
  readFrame,
  TEXT,
} from "./websocket-protocol.ts";

const EVENT = "42";

export class RawClient {
  /** The id of its Socket.IO socket, once it has joined. */
  sid = "";
  /** The packets received so far, without pings: text (long ones shortened in the middle), and "<HEX>" for binary. */
  readonly messages: string[] = [];
  /** Resolves with the code of the close frame: 1005 if the frame has none, 1006 if there was no close frame. */
  readonly closed: Promise<number>;
  readonly #socket: Socket;
  /** What has arrived of the next frame, and how many bytes that frame has at least. */
  #chunks: Buffer[] = [];
  #size = 0;
  #needed = 0;
  #isOpen = false;
  #code = 1006;
  #heard: () => unknown = () => {};

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.#socket = connect(Number(port), hostname, () =>
      this.#socket.write(openingHandshake(hostname, WEBSOCKET)),
    );
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

  /** The last arguments of the events received so far, which are numbers. */
  get numbers(): number[] {
    return this.messages.filter((message) => message.startsWith(EVENT)).map(numberOf);
  }

  /** The last of these numbers, or -1. */
  get last(): number {
    return numberOf(this.messages.at(-1) ?? "");
  }

  /** Resolves when the messages received so far fulfil a condition. */
  async until(isEnough: (messages: readonly string[]) => boolean): Promise<void> {
    if (isEnough(this.messages)) return;
    const fulfilled = new Promise<void>((resolve) => {
      this.#heard = () => isEnough(this.messages) && resolve();
    });
    await inTime(`messages that fulfil ${String(isEnough)}`, fulfilled);
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
    this.#socket.write(frame(TEXT, packet));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    // Concatenate a large frame once, when it is complete, and not again for each chunk.
    if (this.#size < this.#needed) return;
    let data = this.#chunks.length > 1 ? Buffer.concat(this.#chunks) : chunk;
    if (!this.#isOpen) {
      const end = data.indexOf("\r\n\r\n");
      this.#isOpen = end >= 0;
      data = this.#isOpen ? data.subarray(end + 4) : data;
    }
    const rest = this.#isOpen ? this.#takeFrames(data) : data;
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    this.#needed = this.#isOpen ? frameLength(rest) : 0;
    this.#heard();
  }

  #takeFrames(data: Buffer): Buffer {
    let at = 0;
    for (let one = readFrame(data); one; one = readFrame(data, at)) {
      at = one.end;
      this.#take(one);
    }
    return data.subarray(at);
  }

  #take({ opcode, payload }: Frame): void {
    if (opcode === CLOSE) {
      this.#code = payload.length === 0 ? 1005 : payload.readUInt16BE();
      this.#socket.end();
    } else if (opcode === BINARY) {
      this.messages.push(`<${payload.toString("hex")}>`);
    } else if (String(payload) === "2") {
      this.send("3");
    } else {
      this.messages.push(shorten(payload));
    }
  }
}

const numberOf = (event: string): number => Number(/(\d+)\]$/.exec(event)?.[1] ?? -1);

const shorten = (text: Buffer): string =>
  text.length > 1000 ? `${String(text.subarray(0, 20))}…${String(text.subarray(-20))}` : String(text);
