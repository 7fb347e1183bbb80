/**
 * The host guard: Django's ALLOWED_HOSTS. It refuses every request, polling and handshake included, whose Host is
 * not one of the service's, and so defends against DNS rebinding and poisoned links.
 */
import type { MiddlewareHandler } from "hono";
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

/** Answers 400 to a host that is not allowed, and logs it. */
export const hostGuard =
  ({ allowedHosts, logger }: Settings, forwarded: Forwarded): MiddlewareHandler =>
  (c, next) => {
    const host = forwarded.host(c);
    // Django lets any digits be a port; a request needs a URL, which "example.org:99999" has none of.
    if (isAllowedHost(host, allowedHosts) && URL.canParse(`http://${host}`)) return next();
    const hosts = allowedHosts.join(", ") || "none";
    logger.warn(`Refused host "${printable(host)}" (ALLOWED_HOSTS: ${hosts})`);
    return Promise.resolve(c.text("Bad Request: this host is not served here", 400));
  };
