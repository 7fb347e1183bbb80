/**
 * Express-style middlewares, `(req, res, next)`, without Node's HTTP server: they see the request as `socket.request`
 * and a response that keeps what they set. engine.io, too, gives them a stand-in when it answers a WebSocket handshake.
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
 * A function of an IncomingMessage and a ServerResponse is taken for one of their parts above. That is for the author
 * to know, as it is with engine.io.
 */
export interface Middleware {
  run(request: RequestLike, response: ResponseLike, next: (error?: unknown) => void): unknown;
}

/** Keeps the head of an answer; middlewares may replace its methods to have a say in it, as `on-headers` does. */
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

  /** `express-session` asks for the head by this name of Node's. */
  _implicitHeader(): void {
    this.writeHead(this.statusCode);
  }

  /** Resolves when the answer was ended, which a middleware may put off. */
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
 * Runs middlewares in turn.
 * @returns whether the last one passed the request on; else the response was ended
 * @throws what a middleware passed to `next()`, threw or rejected with
 */
export async function runMiddlewares(
  middlewares: readonly Middleware[],
  request: RequestLike,
  response: KeptResponse,
): Promise<boolean> {
  for (const middleware of middlewares) {
    const passed = new Promise<boolean>((resolve, reject) => {
      const next = (error?: unknown) => (error ? reject(error) : resolve(true));
      response.once("finish", () => resolve(false));
      Promise.resolve(middleware.run(request, response, next)).catch(reject);
    });
    if (!(await passed)) return false;
  }
  return true;
}
