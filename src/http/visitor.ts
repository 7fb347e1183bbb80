/**
 * Who is asking: what the guards look at. A launcher tells it from what its runtime has at hand; a Request's headers
 * cost more than the guards do.
 */
import type { Bindings } from "../runtime.ts";

export interface Visitor {
  /** A header, by its name in lower case. */
  header(name: string): string | undefined;
  /** How this server was spoken to: "http" or "https". */
  readonly scheme: string;
  /** The address of whoever opened the connection. */
  readonly address: string | undefined;
}

/** A visitor of whom there is a Request. */
export class RequestVisitor implements Visitor {
  readonly #request: Request;
  readonly #address: (() => string | undefined) | undefined;

  constructor(request: Request, address?: () => string | undefined) {
    this.#request = request;
    this.#address = address;
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined;
  }

  get scheme(): string {
    return this.#request.url.startsWith("https:") ? "https" : "http";
  }

  get address(): string | undefined {
    return this.#address?.();
  }
}

/** Without a launcher (`app.request()` in an author's tests) there may be no Host header: the URL names it. */
class Stranger extends RequestVisitor {
  readonly #host: string;

  constructor(request: Request) {
    super(request);
    this.#host = new URL(request.url).host;
  }

  override header(name: string): string | undefined {
    return super.header(name) ?? (name === "host" ? this.#host : undefined);
  }
}

/** Who makes this request. @param env its `c.env` */
export const visitorOf = (request: Request, env: Partial<Bindings> | undefined): Visitor =>
  env?.hinoko ? env.hinoko.runtime.visitor(request, env) : new Stranger(request);
