/**
 * Who makes a request, as Node tells it.
 */
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { HttpBindings } from "@hono/node-server";
import { RequestVisitor, type Visitor } from "../../src/http/visitor.ts";
import type { Bindings } from "../../src/runtime.ts";

export class NodeVisitor implements Visitor {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  /** A header that is given twice has both values, which `headers` has of few names. */
  header(name: string): string | undefined {
    const { rawHeaders } = this.#incoming;
    let value: string | undefined;
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const raw = rawHeaders[i] ?? "";
      if (raw.length !== name.length || raw.toLowerCase() !== name) continue;
      const one = rawHeaders[i + 1] ?? "";
      value = value === undefined ? one : `${value}, ${one}`;
    }
    return value;
  }

  get scheme(): string {
    return this.#incoming.socket instanceof TLSSocket ? "https" : "http";
  }

  get address(): string | undefined {
    return this.#incoming.socket.remoteAddress;
  }
}

export const visitor = (
  request: Request,
  { incoming }: Partial<Bindings> & Partial<HttpBindings>,
): Visitor => (incoming ? new NodeVisitor(incoming) : new RequestVisitor(request));
