/**
 * The host guard: Django's ALLOWED_HOSTS. It refuses every request, polling and handshake included, whose Host is
 * not one of the service's, and so defends against DNS rebinding and poisoned links.
 */
import type { Visitor } from "../runtime.ts";
import type { Settings } from "../settings.ts";
import type { Forwarded } from "./forwarded.ts";
import { printable } from "./printable.ts";

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

/** How many of the hosts that were found to be allowed are remembered, and up to which length. */
const REMEMBERED = 1000;
const MEMORABLE = 255;

/** Decides which hosts are served. */
export class Hosts {
  readonly #settings: Settings;
  readonly #forwarded: Forwarded;
  readonly #accepted = new Set<string>();

  constructor(settings: Settings, forwarded: Forwarded) {
    this.#settings = settings;
    this.#forwarded = forwarded;
  }

  accepts(visitor: Visitor): boolean {
    const host = this.#forwarded.host(visitor);
    if (this.#accepted.has(host)) return true;
    // Django lets any digits be a port; a request needs a URL, which "example.org:99999" has none of.
    if (!isAllowedHost(host, this.#settings.allowedHosts) || !URL.canParse(`http://${host}`)) return false;
    if (this.#accepted.size >= REMEMBERED) this.#accepted.clear();
    if (host.length <= MEMORABLE) this.#accepted.add(host);
    return true;
  }

  /** The answer to a request for a host that is not served, which is logged, or `undefined` for one that is. */
  refusal(visitor: Visitor): Response | undefined {
    if (this.accepts(visitor)) return undefined;
    const { allowedHosts, logger } = this.#settings;
    const host = printable(this.#forwarded.host(visitor));
    logger.warn(`Refused host "${host}" (ALLOWED_HOSTS: ${allowedHosts.join(", ") || "none"})`);
    return new Response("Bad Request: this host is not served here", { status: 400 });
  }
}
