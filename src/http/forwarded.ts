/**
 * Who is asking: the client's address, and the host and scheme it used, directly or through trusted proxies.
 */
import type { Context } from "hono";
import type { ConnInfo, GetConnInfo } from "hono/conninfo";
import proxyaddr from "proxy-addr";
import type { TrustProxy } from "../settings.ts";

/** Whether the proxy at this address, this many hops away, is believed. */
type Trust = (address: string, hop: number) => boolean;

function compile(trustProxy: TrustProxy): Trust {
  if (trustProxy === false) return () => false;
  if (typeof trustProxy === "number") return (_, hop) => hop < trustProxy;
  return proxyaddr.compile([...trustProxy]);
}

/** Reads X-Forwarded-For, -Host and -Proto as far as the settings trust who sent them. */
export class Forwarded {
  readonly #trusts: Trust;

  constructor(trustProxy: TrustProxy) {
    this.#trusts = compile(trustProxy);
  }

  /** Hono's connection information, with the address of the client in place of the proxy's. */
  connInfo: GetConnInfo = (c): ConnInfo => {
    const info = peer(c);
    const nearest = info.remote.address;
    if (nearest === undefined) return info;
    const address = this.#clientAddress(c, nearest);
    return address === nearest ? info : { remote: { address } };
  };

  /** The host the client asked for, with its port if it named one; "" when it named none. */
  host(c: Context): string {
    const forwarded = this.#isTrusted(c) ? c.req.header("x-forwarded-host") : undefined;
    // Without a launcher (`app.request()` in an author's tests) there may be no Host header: the URL names it.
    return forwarded ?? c.req.header("host") ?? (c.env?.hinoko ? "" : new URL(c.req.url).host);
  }

  /** The scheme the client used: "http" or "https". */
  scheme(c: Context): string {
    // Each proxy may append its own; the first is the one that the client spoke to.
    const [forwarded] = this.#isTrusted(c) ? items(c.req.header("x-forwarded-proto")) : [];
    const scheme = forwarded ?? new URL(c.req.url).protocol.slice(0, -1);
    return scheme.toLowerCase().replace(/^ws/, "http"); // some proxies name a handshake's scheme "wss"
  }

  #isTrusted(c: Context): boolean {
    return this.#trusts(peer(c).remote.address ?? "", 0);
  }

  /** From the nearest outwards, the first that is not a trusted proxy is the client. */
  #clientAddress(c: Context, nearest: string): string {
    let client = nearest;
    for (const [hop, address] of items(c.req.header("x-forwarded-for")).reverse().entries()) {
      if (!this.#trusts(client, hop)) break;
      client = address;
    }
    return client;
  }
}

/** The items of a header that is a list. */
const items = (header = ""): string[] =>
  header
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);

const peer = (c: Context): ConnInfo => c.env?.hinoko?.runtime.getConnInfo(c) ?? { remote: {} };
