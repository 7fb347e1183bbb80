/**
 * A ServerResponse that becomes a Response: what engine.io and its middlewares write is kept and handed over.
 */
import { type IncomingMessage, type OutgoingHttpHeaders, ServerResponse } from "node:http";

const NULL_BODY = new Set([204, 205, 304]);

export class CapturedResponse extends ServerResponse {
  /** The answer, once it was ended. */
  readonly response: Promise<Response>;
  #resolve: (response: Response) => void = () => {};
  readonly #chunks: Uint8Array[] = [];

  constructor(request: IncomingMessage) {
    super(request);
    this.response = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  override writeHead(status: number, ...rest: unknown[]): this {
    // Kept as set headers, where `response` finds them, with those that middlewares set before.
    for (const [name, value] of Object.entries(rest.find(isHeaders) ?? {})) {
      if (value !== undefined) this.setHeader(name, value);
    }
    return super.writeHead(status);
  }

  override write(chunk: unknown): boolean {
    if (typeof chunk === "string") this.#chunks.push(Buffer.from(chunk));
    else if (chunk instanceof Uint8Array) this.#chunks.push(chunk);
    return true;
  }

  override end(...args: unknown[]): this {
    if (this.writableEnded) return this;
    const [chunk] = args;
    const done = args.find((arg) => typeof arg === "function");
    if (done) this.once("finish", () => done());
    this.write(chunk);
    if (!this.headersSent) this.writeHead(this.statusCode);
    const body = NULL_BODY.has(this.statusCode) ? null : Buffer.concat(this.#chunks);
    this.#resolve(new Response(body, { status: this.statusCode, headers: this.#headers() }));
    this.finished = true; // and with it `writableEnded`
    this.emit("finish");
    return this;
  }

  /** The client has gone: nobody reads the answer, but the middlewares that wait for one must go on. */
  abandon(): void {
    this.#resolve(new Response(null, { status: 400 }));
    this.emit("close");
  }

  #headers(): Headers {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.getHeaders())) {
      for (const one of Array.isArray(value) ? value : [value]) headers.append(name, String(one));
    }
    return headers;
  }
}

const isHeaders = (value: unknown): value is OutgoingHttpHeaders =>
  typeof value === "object" && value !== null;
