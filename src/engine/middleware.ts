/**
 * Runs Express-style middlewares, `(req, res, next)`, without Node's HTTP server. As `req` they get `socket.request`,
 * as `res` an object that records what they set on it. engine.io does the same for a WebSocket handshake, for which
 * it has no ServerResponse.
 */
import { EventEmitter } from "node:events";
import type { RequestLike } from "./request.ts";

type HeaderValue = number | string | readonly string[];

/** The part of a ServerResponse that a middleware can rely on. */
interface ResponseLike {
  statusCode: number;
  readonly headersSent: boolean;
  getHeader(name: string): HeaderValue | undefined;
  setHeader(name: string, value: HeaderValue): unknown;
  removeHeader(name: string): void;
  end(): unknown;
}

/**
 * An author's middleware, as it is called. Its type says IncomingMessage and ServerResponse, but it gets only the
 * parts of them above. TypeScript allows that because `run` is a method. What else it reads is undefined, as with
 * engine.io's own stand-in.
 */
export interface Middleware {
  run(request: RequestLike, response: ResponseLike, next: (error?: unknown) => void): unknown;
}

/**
 * Records status, headers and body. A middleware may replace its methods to change the answer later, as the package
 * `on-headers` replaces `writeHead()`.
 */
export class KeptResponse extends EventEmitter implements ResponseLike {
  statusCode = 200;
  headersSent = false;
  writableEnded = false;
  readonly #headers = new Map<string, HeaderValue>();
  readonly #chunks: string[] = [];

  getHeader(name: string): HeaderValue | undefined {
    return this.#headers.get(name.toLowerCase());
  }

  getHeaders(): Record<string, HeaderValue> {
    return Object.fromEntries(this.#headers);
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  setHeader(name: string, value: HeaderValue): this {
    this.#headers.set(name.toLowerCase(), value);
    return this;
  }

  removeHeader(name: string): void {
    this.#headers.delete(name.toLowerCase());
  }

  writeHead(status: number, headers: Record<string, HeaderValue> = {}): this {
    this.statusCode = status;
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    this.headersSent = true;
    return this;
  }

  write(chunk?: unknown): boolean {
    if (typeof chunk === "string") this.#chunks.push(chunk);
    else if (ArrayBuffer.isView(chunk)) this.#chunks.push(new TextDecoder().decode(chunk));
    return true;
  }

  end(chunk?: unknown): this {
    if (this.writableEnded) return this;
    this.write(chunk);
    if (!this.headersSent) this.writeHead(this.statusCode);
    this.writableEnded = true;
    this.emit("finish");
    this.emit("close");
    return this;
  }

  /** Node's private method, which `express-session` calls to have the head written. */
  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  /** Resolves when the answer is ended. A middleware may delay that, as `express-session` does to save the session. */
  ended(): Promise<void> {
    return new Promise((resolve) => {
      if (this.writableEnded) resolve();
      else this.once("finish", () => resolve());
    });
  }

  /** The status and the headers that were set. */
  head(): { status: number; headers: Record<string, string | string[]> } {
    const text = (value: HeaderValue) => (typeof value === "object" ? value.map(String) : String(value));
    const headers = [...this.#headers].map(([name, value]) => [name, text(value)] as const);
    return { status: this.statusCode, headers: Object.fromEntries(headers) };
  }

  /** What was written. */
  get body(): string {
    return this.#chunks.join("");
  }
}

/**
 * Runs middlewares one after the other.
 * @returns true when all have called `next()`; false when one has ended the response instead
 * @throws what a middleware has passed to `next()`, thrown or rejected with
 */
export async function runMiddlewares(
  middlewares: readonly Middleware[],
  request: RequestLike,
  response: KeptResponse,
): Promise<boolean> {
  for (const middleware of middlewares) {
    const isPassedOn = new Promise<boolean>((resolve, reject) => {
      const next = (error?: unknown) => (error ? reject(error) : resolve(true));
      response.once("finish", () => resolve(false));
      Promise.resolve(middleware.run(request, response, next)).catch(reject);
    });
    if (!(await isPassedOn)) return false;
  }
  return true;
}
