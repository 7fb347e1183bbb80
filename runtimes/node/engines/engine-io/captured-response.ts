/**
 * A ServerResponse that becomes the engine's answer: what engine.io and its middlewares write is kept and handed over.
 */
import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import { type Answer, emptyAnswer } from "../../../../src/engine/answer.ts";

/** Statuses whose answers have no body: a Response refuses to be made with one. */
const NULL_BODY = new Set([204, 205, 304]);

export class CapturedResponse extends ServerResponse {
  /** The answer, once it was ended. */
  readonly answer: Promise<Answer>;
  #resolve: (answer: Answer) => void = () => {};
  /** The headers that came with the status. */
  #named: OutgoingHttpHeaders = {};
  readonly #chunks: (string | Uint8Array)[] = [];

  constructor(request: IncomingMessage) {
    super(request);
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    this.#named = rest.find(isHeaders) ?? {};
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
    this.#resolve({ status: this.statusCode, headers: this.#headers(), body: this.#body() });
    this.finished = true; // and with it `writableEnded`
    this.emit("finish");
    return this;
  }

  /** The client has gone: nobody reads the answer, but the middlewares that wait for one must go on. */
  abandon(): void {
    this.#resolve(emptyAnswer(400));
    this.emit("close");
  }

  #headers(): Answer["headers"] {
    const headers: Answer["headers"] = {};
    for (const name of this.getHeaderNames()) headers[name] = valueOf(this.getHeader(name));
    for (const [name, value] of Object.entries(this.#named)) {
      // Node keeps the names of headers that were set in lower case.
      if (value !== undefined) headers[name.toLowerCase()] = valueOf(value);
    }
    return headers;
  }

  #body(): string | Uint8Array<ArrayBuffer> {
    if (NULL_BODY.has(this.statusCode)) return "";
    const [only = "", ...rest] = this.#chunks;
    if (typeof only === "string" && rest.length === 0) return only;
    return Buffer.concat(this.#chunks.map((chunk) => Buffer.from(chunk)));
  }
}

const isHeaders = (value: unknown): value is OutgoingHttpHeaders =>
  typeof value === "object" && value !== null;

const valueOf = (value: OutgoingHttpHeader | undefined): string | string[] =>
  Array.isArray(value) ? value : String(value);
