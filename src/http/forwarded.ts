/**
 * The client of a request: its address, and the host and scheme that it used. Behind trusted proxies these come from
 * the X-Forwarded-* headers, otherwise from the connection.
 */
import type { ConnInfo, GetConnInfo } from "hono/conninfo";
import proxyaddr from "proxy-addr";
import type { Opener } from "../engine/driver.ts";
import type { Visitor } from "../runtime.ts";
import type { Settings, TrustProxy } from "../settings.ts";
import { visitorOf } from "./visitor.ts";

/** Whether the proxy at this address is trusted. @param hop how many hops away it is; 0 opened the connection */
type IsTrusted = (address: string, hop: number) => boolean;

/** Compiles the setting into a function, or `undefined` when it trusts nobody. */
function compileTrust(trustProxy: TrustProxy): IsTrusted | undefined {
  if (trustProxy === false) return undefined;
  if (typeof trustProxy === "number") return (_, hop) => hop < trustProxy;
  return proxyaddr.compile([...trustProxy]);
}

/** Reads X-Forwarded-For, -Proto and -Host, as far as the settings trust the proxies that sent them. */
export class Forwarded {
  /** `undefined` when no proxy is trusted. */
  readonly #isProxyTrusted: IsTrusted | undefined;
  readonly #isForwardedHostTrusted: boolean;

  constructor({ trustProxy, trustForwardedHost }: Pick<Settings, "trustProxy" | "trustForwardedHost">) {
    this.#isProxyTrusted = compileTrust(trustProxy);
    this.#isForwardedHostTrusted = trustForwardedHost;
  }

  /** Hono's `getConnInfo()`, with the client's address in place of a trusted proxy's. */
  getConnInfo: GetConnInfo = (c): ConnInfo => {
    const visitor = visitorOf(c.req.raw, c.env);
    const { remote } = visitor;
    const address = this.#findClientAddress(visitor, remote.address);
    return { remote: address === remote.address ? remote : { address } };
  };

  /** Tells the client's address. */
  getAddress(visitor: Visitor): string | undefined {
    return this.#findClientAddress(visitor, visitor.address);
  }

  /**
   * Tells the host that the client asked for, with its port if it named one; "" when it named no host. X-Forwarded-Host
   * has a setting of its own, as in Django (USE_X_FORWARDED_HOST): most proxies pass on the X-Forwarded-Host that the
   * client sent. If trusting a proxy were enough, any client could get any host past the guard.
   */
  getHost(visitor: Visitor): string {
    const isBelieved = this.#isForwardedHostTrusted && this.#isFromTrustedProxy(visitor);
    const forwarded = isBelieved ? visitor.header("x-forwarded-host") : undefined;
    return forwarded ?? visitor.header("host") ?? "";
  }

  /** Tells the scheme that the client used: "http" or "https". */
  getScheme(visitor: Visitor): string {
    // Each proxy may append the scheme that it was spoken to with. The first one is the client's.
    const [forwarded] = this.#isFromTrustedProxy(visitor)
      ? splitList(visitor.header("x-forwarded-proto"))
      : [];
    const scheme = forwarded ?? visitor.scheme;
    return scheme.toLowerCase().replace(/^ws/, "http"); // Traefik sends "wss" for a WebSocket handshake
  }

  #isFromTrustedProxy(visitor: Visitor): boolean {
    return this.#isProxyTrusted?.(visitor.address ?? "", 0) ?? false;
  }

  /**
   * Walks from the connection outwards through X-Forwarded-For: the first address that is not a trusted proxy is the
   * client's.
   */
  #findClientAddress(visitor: Visitor, nearest: string | undefined): string | undefined {
    if (!this.#isProxyTrusted || nearest === undefined) return nearest;
    let client = nearest;
    for (const [hop, address] of splitList(visitor.header("x-forwarded-for")).reverse().entries()) {
      if (!this.#isProxyTrusted(client, hop)) break;
      client = address;
    }
    return client;
  }
}

/** The client that opens a session. Its address is found on first use, because most requests open no session. */
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
    return (this.#address ??= this.#forwarded.getAddress(this.#visitor));
  }
}

/** Splits a header that is a comma-separated list, without its empty items. */
const splitList = (header = ""): string[] =>
  header
    .split(",")
    .map((item) => item.trim())
    .filter(Boolean);
