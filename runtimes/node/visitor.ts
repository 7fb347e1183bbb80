/**
 * Tells the guards and Hono's `getConnInfo()` who makes a request on Node.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { TLSSocket } from "node:tls";
import type { ConnInfo } from "hono/conninfo";
import type { Bindings, Visitor } from "../../src/runtime.ts";

/** What `c.env` holds on Node: the same names as with @hono/node-server. */
export interface NodeEnv extends Bindings {
  readonly incoming: IncomingMessage;
  /** Undefined for a WebSocket handshake: Node gives a raw socket in place of a response. */
  readonly outgoing: ServerResponse | undefined;
}

/** How the server was spoken to: "http" or, over TLS, "https". */
export const schemeOf = ({ socket }: IncomingMessage): "http" | "https" =>
  socket instanceof TLSSocket ? "https" : "http";

export class NodeVisitor implements Visitor {
  readonly #incoming: IncomingMessage;

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  /** If a header is given twice, returns both values. Node's `headers` keeps only the first of some, such as Host. */
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
    return schemeOf(this.#incoming);
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
