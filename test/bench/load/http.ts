/**
 * An HTTP client that costs next to nothing: requests that were written beforehand, one at a time on a connection that
 * is kept alive.
 */
import { Buffer } from "node:buffer";
import { connect, type Socket } from "node:net";
import { type Endpoint, nextAddress } from "./websocket.ts";

/** A request with all that a server needs. */
export function request({ hostname, port }: Endpoint, method: string, path: string, body = ""): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, "Accept: */*"];
  if (method === "POST") {
    lines.push("Content-Type: text/plain;charset=UTF-8", `Content-Length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

const EMPTY: Buffer = Buffer.alloc(0);

export class HttpClient {
  readonly #socket: Socket;
  #data: Buffer = EMPTY;
  #resolve: (body: Buffer) => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor({ hostname, port }: Endpoint) {
    this.#socket = connect({ host: hostname, port, localAddress: nextAddress(), noDelay: true });
    this.#socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on("error", (error) => this.#reject(error));
    this.#socket.on("close", () => this.#reject(new Error("The connection was closed")));
  }

  /** Resolves with the body of the answer; rejects for any status but 200. */
  ask(request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#reject = () => {};
    this.#socket.end();
  }

  #receive(chunk: Buffer): void {
    this.#data = this.#data.length > 0 ? Buffer.concat([this.#data, chunk]) : chunk;
    const end = this.#data.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#data.toString("latin1", 0, end);
    if (!head.startsWith("HTTP/1.1 200")) return this.#reject(new Error(head.split("\r\n")[0]));
    const body = isChunked(head) ? chunkedBody(this.#data, end + 4) : sizedBody(this.#data, head, end + 4);
    if (!body) return;
    this.#data = EMPTY;
    this.#resolve(body);
  }
}

const isChunked = (head: string) => /^transfer-encoding: chunked/im.test(head);

function sizedBody(data: Buffer, head: string, start: number): Buffer | undefined {
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1]);
  return data.length < start + length ? undefined : data.subarray(start, start + length);
}

/** The body is text of ours, in which the end of the last chunk can't occur. */
function chunkedBody(data: Buffer, start: number): Buffer | undefined {
  if (data.indexOf("0\r\n\r\n", start) < 0) return undefined;
  const chunks = [];
  for (let at = start; ; ) {
    const line = data.indexOf("\r\n", at);
    const size = Number.parseInt(data.toString("latin1", at, line), 16);
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(data.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
}
