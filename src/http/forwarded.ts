/**
 * Who is asking: the client's address, and the host and scheme it used, directly or through trusted proxies.
 */
import type { ConnInfo, GetConnInfo } from "hono/conninfo";
import proxyaddr from "proxy-addr";
import type { Opener } from "../engine/driver.ts";
import type { Visitor } from "../runtime.ts";
import type { Settings, TrustProxy } from "../settings.ts";
import { visitorOf } from "./visitor.ts";

/** Whether the proxy at this address, this many hops away, is believed. */
type Trust = (address: string, hop: number) => boolean;

function compile(trustProxy: TrustProxy): Trust | undefined {
  if (trustProxy === false) return undefined;
  if (typeof trustProxy === "number") return (_, hop) => hop < trustProxy;
  return proxyaddr.compile([...trustProxy]);
}

/** Reads X-Forwarded-For, -Proto and -Host as far as the settings trust who sent them. */
export class Forwarded {
  /** Without one, nobody is. */
  readonly #trusts: Trust | undefined;
  readonly #trustsHost: boolean;

  constructor({ trustProxy, trustForwardedHost }: Pick<Settings, "trustProxy" | "trustForwardedHost">) {
    this.#trusts = compile(trustProxy);
    this.#trustsHost = trustForwardedHost;
  }

  /** Hono's connection information, with the address of the client in place of the proxy's. */
  connInfo: GetConnInfo = (c): ConnInfo => {
    const visitor = visitorOf(c.req.raw, c.env);
    const { remote } = visitor;
    const address = this.#clientAddress(visitor, remote.address);
    return { remote: address === remote.address ? remote : { address } };
  };

  /** The client's address. */
  address(visitor: Visitor): string | undefined {
    return this.#clientAddress(visitor, visitor.address);
  }

  /**
   * The host the client asked for, with its port if it named one; "" when it named none. Trusting a proxy is not enough
   * for X-Forwarded-Host, as in Django (USE_X_FORWARDED_HOST): most proxies pass on the client's own, and so any host
   * would get past the guard.
   */
  host(visitor: Visitor): string {
    const isBelieved = this.#trustsHost && this.#isTrusted(visitor);
    const forwarded = isBelieved ? visitor.header("x-forwarded-host") : undefined;
    return forwarded ?? visitor.header("host") ?? "";
  }

  /** The scheme the client used: "http" or "https". */
  scheme(visitor: Visitor): string {
    // Each proxy may append its own; the first is the one that the client spoke to.
    const [forwarded] = this.#isTrusted(visitor) ? items(visitor.header("x-forwarded-proto")) : [];
    const scheme = forwarded ?? visitor.scheme;
    return scheme.toLowerCase().replace(/^ws/, "http"); // some proxies name a handshake's scheme "wss"
  }

  #isTrusted(visitor: Visitor): boolean {
    return this.#trusts?.(visitor.address ?? "", 0) ?? false;
  }

  /** From the nearest outwards, the first that is not a trusted proxy is the client. */
  #clientAddress(visitor: Visitor, nearest: string | undefined): string | undefined {
    if (!this.#trusts || nearest === undefined) return nearest;
    let client = nearest;
    for (const [hop, address] of items(visitor.header("x-forwarded-for")).reverse().entries()) {
      if (!this.#trusts(client, hop)) break;
      client = address;
    }
    return client;
  }
}

/** Who opens a session. The address is asked for when somebody looks, since most requests open none. */
export class VisitingOpener implements Opener {
  readonly variables: Opener["variables"];
  readonly #visitor: Visitor;
  readonly #forwarded: Forwarded;
  #address: string | undefined;

  /** @param variables what the author's middleware put into `c.var` */
  constructor(visitor: Visitor, forwarded: Forwarded, variables: Opener["variables"] = {}) {
    this.variables = variables;
    this.#visitor = visitor;
    this.#forwarded = forwarded;
  }

  get address(): string | undefined {
    return (this.#address ??= this.#forwarded.address(this.#visitor));
  }
}

/** The items of a header that is a list. */
const items = (header = ""): string[] =>
  header
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
