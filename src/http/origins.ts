/**
 * The origin guard of the Socket.IO route. Browsers let any page open a WebSocket to any server, so the guard lets in
 * only the service's own pages and those of accepted origins. A request with neither an Origin nor a Sec-Fetch-Site of
 * another site does not come from a foreign page in a browser, and is let in too.
 */
import type { Context } from "hono";
import type { Visitor } from "../runtime.ts";
import type { Settings, SocketIoOptions } from "../settings.ts";
import { normalizeOrigin } from "../web-origin.ts";
import type { Forwarded } from "./forwarded.ts";
import { escapeForLog } from "./printable.ts";
import { visitorOf } from "./visitor.ts";

/** The forms of `cors.origin`, as the package `cors` defines them, which Engine.IO uses. */
type CorsOrigin = Exclude<NonNullable<SocketIoOptions["cors"]>, (...args: never[]) => unknown>["origin"];

/**
 * Decides which origins may use Socket.IO: the service's own, those that ALLOWED_ORIGINS names, and those that
 * `socketio.cors.origin` allows. With ALLOWED_ORIGINS=* and no `socketio.cors.origin` of the author's, the settings set
 * the latter to "*".
 */
export class Origins {
  readonly #settings: Settings;
  readonly #forwarded: Forwarded;
  readonly #listed: ReadonlySet<string | undefined>;
  readonly #allowed: CorsOrigin;
  readonly #areAllAccepted: boolean;

  constructor(settings: Settings, forwarded: Forwarded) {
    const { cors } = settings.socketio;
    this.#settings = settings;
    this.#forwarded = forwarded;
    this.#listed = new Set(settings.allowedOrigins.map(normalizeOrigin));
    this.#allowed = typeof cors === "object" ? cors.origin : undefined;
    this.#areAllAccepted = this.#allowed === "*" || this.#allowed === true;
  }

  /** Checks where a request comes from. @returns the 400 for a refused one, which is logged; else `undefined` */
  async checkOrigin(c: Context): Promise<Response | undefined> {
    const visitor = visitorOf(c.req.raw, c.env);
    if (this.isAcceptedAtOnce(visitor)) return undefined;
    const origin = visitor.header("origin");
    if (origin && (await isAllowedByCors(this.#allowed, origin))) return undefined;
    const message = origin
      ? `${origin} is not an accepted origin.`
      : "A request from another site without an Origin is not accepted.";
    const { allowedOrigins, logger } = this.#settings;
    const narrowed = allowedOrigins.includes("*") ? "; socketio.cors.origin is narrower" : "";
    logger.warn(
      `${escapeForLog(message)} (ALLOWED_ORIGINS: ${allowedOrigins.join(", ") || "none"}${narrowed})`,
    );
    // the form of Engine.IO's own errors, with its code for a bad request
    return c.json({ code: 3, message }, 400);
  }

  /** Whether pages of this origin may use Socket.IO. */
  async isAccepted(origin: string, visitor: Visitor): Promise<boolean> {
    return this.#isListed(origin, visitor) || (await isAllowedByCors(this.#allowed, origin));
  }

  /**
   * Whether the visitor is accepted without a look at `socketio.cors.origin`, which may be a function that takes its
   * time: it is no foreign page, or its origin is listed.
   */
  isAcceptedAtOnce(visitor: Visitor): boolean {
    if (this.#areAllAccepted) return true;
    const origin = visitor.header("origin");
    return origin ? this.#isListed(origin, visitor) : !isFromAnotherSite(visitor);
  }

  #isListed(origin: string, visitor: Visitor): boolean {
    if (this.#areAllAccepted || this.#listed.has(origin)) return true;
    const host = this.#forwarded.getHost(visitor);
    const own = `${this.#forwarded.getScheme(visitor)}://${host}`;
    if (origin === own) return true;
    const normal = normalizeOrigin(origin);
    if (normal === undefined) return false;
    // No page has an origin with "ws:". Clients outside of browsers that send one name the address they connect to.
    // They say "wss:" also where a proxy that is not trusted ends TLS and speaks plain HTTP to this service, so compare
    // the host only.
    const [scheme] = /^wss?:/i.exec(origin) ?? [];
    return this.#listed.has(normal) || normal === normalizeOrigin(scheme ? `${scheme}//${host}` : own);
  }
}

/**
 * Whether a browser says that a page of another site makes this request. With a GET without CORS, such as for an image
 * or a link, browsers send no Origin, but they send Sec-Fetch-Site. "same-site" stands for another subdomain, port or
 * scheme, which would be another Origin too.
 */
function isFromAnotherSite(visitor: Visitor): boolean {
  const site = visitor.header("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

/** Whether `cors.origin` allows an origin. A function may answer with any other form, as in the package `cors`. */
async function isAllowedByCors(allowed: CorsOrigin, origin: string): Promise<boolean> {
  if (typeof allowed === "function") {
    const answer = await new Promise<CorsOrigin>((resolve) => {
      allowed(origin, (error, value) => resolve(error ? false : value));
    });
    return typeof answer !== "function" && answer !== undefined && isAllowedByCors(answer, origin);
  }
  if (Array.isArray(allowed)) return allowed.some((one) => isMatch(one, origin));
  return allowed === "*" || (allowed !== undefined && isMatch(allowed, origin));
}

function isMatch(allowed: string | RegExp | boolean, origin: string): boolean {
  if (typeof allowed === "boolean") return allowed;
  // Unlike test(), search() ignores the lastIndex of a RegExp with /g.
  if (typeof allowed !== "string") return origin.search(allowed) >= 0;
  const normal = normalizeOrigin(origin);
  return allowed === origin || (normal !== undefined && normalizeOrigin(allowed) === normal);
}
