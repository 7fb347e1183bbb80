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

/** Whether a Host header (with or without a port) names one of the allowed hosts. */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const name = HOST.exec(host.toLowerCase())?.[1]?.replace(/\.$/, "");
  if (!name) return false;
  return allowed.some(
    (pattern) =>
      pattern === "*" ||
      pattern === name ||
      (pattern.startsWith(".") && (name.endsWith(pattern) || name === pattern.slice(1))),
  );
}

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
    if (!isAllowedHost(host, this.#settings.allowedHosts) || !URL.canParse(`http://${host}`)) return false;
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
