/**
 * Who makes a request, as Node tells it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { ConnInfo } from "hono/conninfo";
import type { Bindings, Visitor } from "../../src/runtime.ts";

/** What `c.env` has of Node's, as with @hono/node-server. */
export interface NodeEnv extends Bindings {
  readonly incoming: IncomingMessage;
  /** None for a handshake: Node gives a raw socket in its place. */
  readonly outgoing: ServerResponse | undefined;
}

export class NodeVisitor implements Visitor {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  /** Of a header that is given twice, both values; Node's `headers` has them of few names. */
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

  get remote(): ConnInfo["remote"] {
    const { remoteAddress: address, remotePort: port, remoteFamily: family } = this.#incoming.socket;
    return { address, port, addressType: family === "IPv4" || family === "IPv6" ? family : undefined };
  }
}

export const visitor = (_request: Request, { incoming }: NodeEnv): Visitor => new NodeVisitor(incoming);
