/**
 * The host guard: Django's ALLOWED_HOSTS. It refuses every request, polling and WebSocket handshakes included, whose
 * Host is not in the list. This defends against DNS rebinding, and against links in answers that are made from a forged
 * Host.
 */
import type { Visitor } from "../runtime.ts";
import type { Settings } from "../settings.ts";
import type { Forwarded } from "./forwarded.ts";
import { escapeForLog } from "./printable.ts";

// django/http/request.py: host_validation_re, split_domain_port(), validate_host()
const HOST = /^([a-z0-9.-]+|\[[a-f0-9]*:[a-f0-9.:]+\])(?::([0-9]+))?$/;

/** Matches an IPv6 address without brackets, and what may be a port behind it. */
const BARE_ADDRESS = /^[a-f0-9]*(?::[a-f0-9.]*){2,}$/i;

/**
 * Puts the missing brackets around an IPv6 address. socket.io-client outside of browsers leaves them out when it polls
 * ("::1:8000"). The last number may be the port or belong to the address, so there are two readings. To accept a host
 * when either of them is served is safe: no page can make a browser send such a Host.
 */
function readHosts(host: string): string[] {
  if (!BARE_ADDRESS.test(host)) return [host];
  const readings = [`[${host}]`, host.replace(/^(.*):(\d+)$/, "[$1]:$2")];
  return readings.filter((reading) => URL.canParse(`http://${reading}`));
}

/** Whether a Host header (with or without a port) names one of the allowed hosts. */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const names = readHosts(host.toLowerCase()).map((one) => HOST.exec(one)?.[1]?.replace(/\.$/, ""));
  return allowed.some((pattern) => names.some((name) => name && matches(name, pattern)));
}

const matches = (name: string, pattern: string): boolean =>
  pattern === "*" ||
  pattern === name ||
  (pattern.startsWith(".") && (name.endsWith(pattern) || name === pattern.slice(1)));

/** The cache of accepted hosts: how many it holds, and how many characters a host in it may have. */
const CACHE_SIZE = 1000;
const CACHED_LENGTH = 255;

/** Decides which requests are served by their Host. */
export class Hosts {
  readonly #settings: Settings;
  readonly #forwarded: Forwarded;
  readonly #accepted = new Set<string>();

  constructor(settings: Settings, forwarded: Forwarded) {
    this.#settings = settings;
    this.#forwarded = forwarded;
  }

  /** Whether the visitor asks for a host that is served. */
  isAccepted(visitor: Visitor): boolean {
    const host = this.#forwarded.getHost(visitor);
    if (this.#accepted.has(host)) return true;
    // As in Django, the pattern takes any digits for a port. But a Request needs a URL, and "http://example.org:99999"
    // is none.
    if (!isAllowedHost(host, this.#settings.allowedHosts)) return false;
    if (!readHosts(host).some((one) => URL.canParse(`http://${one}`))) return false;
    if (this.#accepted.size >= CACHE_SIZE) this.#accepted.clear();
    if (host.length <= CACHED_LENGTH) this.#accepted.add(host);
    return true;
  }

  /** Checks the host of a request. @returns the 400 for one that is not served, which is logged; else `undefined` */
  checkHost(visitor: Visitor): Response | undefined {
    if (this.isAccepted(visitor)) return undefined;
    const { allowedHosts, logger } = this.#settings;
    const host = escapeForLog(this.#forwarded.getHost(visitor));
    logger.warn(`Refused host "${host}" (ALLOWED_HOSTS: ${allowedHosts.join(", ") || "none"})`);
    return new Response("Bad Request: this host is not served here", { status: 400 });
  }
}
