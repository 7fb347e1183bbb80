/**
 * A ServerResponse without a connection: it keeps what engine.io and its middlewares write, and hands it over as the
 * engine's answer, which then goes back through the Hono chain.
 */
import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import { type Answer, emptyAnswer, mayHaveBody } from "../../../../src/engine/answer.ts";

export class CapturedResponse extends ServerResponse {
  /** Resolves with the answer when `end()` is called. */
  readonly answer: Promise<Answer>;
  #resolve: (answer: Answer) => void = () => {};
  /** The headers that were passed to `writeHead()`. They take precedence over those of `setHeader()`. */
  #headHeaders: OutgoingHttpHeaders = {};
  readonly #chunks: (string | Uint8Array)[] = [];

  constructor(request: IncomingMessage) {
    super(request);
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    this.#headHeaders = rest.find(isHeaders) ?? {};
    return super.writeHead(status);
  }

  override write(chunk: unknown): boolean {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) this.#chunks.push(chunk);
    return true;
  }

  override end(...args: unknown[]): this {
    if (this.writableEnded) return this;
    const [chunk] = args;
    const done = args.find((arg) => typeof arg === "function");
    if (done) this.once("finish", () => done());
    this.write(chunk);
    if (!this.headersSent) this.writeHead(this.statusCode);
    this.#resolve({ status: this.statusCode, headers: this.#joinHeaders(), body: this.#joinChunks() });
    this.finished = true; // sets `writableEnded` too
    this.emit("finish");
    return this;
  }

  /** Ends the wait for an answer when the client has left: nobody reads it, but the author's middleware awaits one. */
  abandon(): void {
    this.#resolve(emptyAnswer(400));
    this.emit("close");
  }

  #joinHeaders(): Answer["headers"] {
    const headers: Answer["headers"] = {};
    for (const name of this.getHeaderNames()) headers[name] = valueOf(this.getHeader(name));
    for (const [name, value] of Object.entries(this.#headHeaders)) {
      // getHeaderNames() gives lower-case names; without this a header that is both set and passed would come twice.
      if (value !== undefined) headers[name.toLowerCase()] = valueOf(value);
    }
    return headers;
  }

  #joinChunks(): string | Uint8Array<ArrayBuffer> {
    if (!mayHaveBody(this.statusCode)) return "";
    const [only = "", ...rest] = this.#chunks;
    if (typeof only === "string" && rest.length === 0) return only;
    return Buffer.concat(this.#chunks.map((chunk) => Buffer.from(chunk)));
  }
}

const isHeaders = (value: unknown): value is OutgoingHttpHeaders =>
  typeof value === "object" && value !== null;

const valueOf = (value: OutgoingHttpHeader | undefined): string | string[] =>
  Array.isArray(value) ? value : String(value);
