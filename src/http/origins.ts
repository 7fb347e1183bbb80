/**
 * The origin guard of the Socket.IO route: browsers let any page open a WebSocket anywhere, so a session is opened
 * only for the service's own pages and for origins that are accepted. Clients that name neither an Origin nor another
 * site are no browsers: let in.
 */
import type { Context } from "hono";
import type { Visitor } from "../runtime.ts";
import type { Settings, SocketIoOptions } from "../settings.ts";
import { normalizeOrigin } from "../web-origin.ts";
import type { Forwarded } from "./forwarded.ts";
import { printable } from "./printable.ts";
import { visitorOf } from "./visitor.ts";

/** What `cors.origin` may be (the `cors` package, which Engine.IO uses). */
type CorsOrigin = Exclude<NonNullable<SocketIoOptions["cors"]>, (...args: never[]) => unknown>["origin"];

/**
 * Decides which origins may use Socket.IO: the service's own, those that ALLOWED_ORIGINS names, and those that
 * `socketio.cors.origin` allows, which the settings make of "*" where the author gives none.
 */
export class Origins {
  readonly #settings: Settings;
  readonly #forwarded: Forwarded;
  readonly #listed: ReadonlySet<string | undefined>;
  readonly #allowed: CorsOrigin;
  readonly #acceptsAll: boolean;

  constructor(settings: Settings, forwarded: Forwarded) {
    const { cors } = settings.socketio;
    this.#settings = settings;
    this.#forwarded = forwarded;
    this.#listed = new Set(settings.allowedOrigins.map(normalizeOrigin));
    this.#allowed = typeof cors === "object" ? cors.origin : undefined;
    this.#acceptsAll = this.#allowed === "*" || this.#allowed === true;
  }

  /** The answer to a request from an origin that is not accepted, or `undefined` for one that is. */
  async refusal(c: Context): Promise<Response | undefined> {
    const visitor = visitorOf(c.req.raw, c.env);
    if (this.acceptsAtOnce(visitor)) return undefined;
    const origin = visitor.header("origin");
    if (origin && (await corsAllows(this.#allowed, origin))) return undefined;
    const message = origin
      ? `${origin} is not an accepted origin.`
      : "A request from another site without an Origin is not accepted.";
    const { allowedOrigins, logger } = this.#settings;
    const narrowed = allowedOrigins.includes("*") ? "; socketio.cors.origin is narrower" : "";
    logger.warn(`${printable(message)} (ALLOWED_ORIGINS: ${allowedOrigins.join(", ") || "none"}${narrowed})`);
    // Engine.IO's own form of an error, with its code for a bad request
    return c.json({ code: 3, message }, 400);
  }

  /** Whether pages of this origin may use Socket.IO. */
  async accepts(origin: string, visitor: Visitor): Promise<boolean> {
    return this.#isListed(origin, visitor) || (await corsAllows(this.#allowed, origin));
  }

  /** Whether no more needs to be asked about this visitor: it is no foreign page, or one whose origin is listed. */
  acceptsAtOnce(visitor: Visitor): boolean {
    if (this.#acceptsAll) return true;
    const origin = visitor.header("origin");
    return origin ? this.#isListed(origin, visitor) : !isFromAnotherSite(visitor);
  }

  #isListed(origin: string, visitor: Visitor): boolean {
    if (this.#acceptsAll || this.#listed.has(origin)) return true;
    const host = this.#forwarded.host(visitor);
    const own = `${this.#forwarded.scheme(visitor)}://${host}`;
    if (origin === own) return true;
    const normal = normalizeOrigin(origin);
    if (normal === undefined) return false;
    // No page has such an origin. A client that has names where it connects to, and a proxy that is not trusted may
    // have ended its TLS: the scheme says nothing here.
    const [scheme] = /^wss?:/i.exec(origin) ?? [];
    return this.#listed.has(normal) || normal === normalizeOrigin(scheme ? `${scheme}//${host}` : own);
  }
}

/**
 * Browsers send no Origin with a GET that asks for no CORS, such as an image's or a link's, but say where it comes from.
 * A page of the "same-site" is one of another subdomain, port or scheme: as foreign as its Origin would be.
 */
function isFromAnotherSite(visitor: Visitor): boolean {
  const site = visitor.header("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}

async function corsAllows(allowed: CorsOrigin, origin: string): Promise<boolean> {
  if (typeof allowed === "function") {
    const answer = await new Promise<CorsOrigin>((resolve) => {
      allowed(origin, (error, value) => resolve(error ? false : value));
    });
    return typeof answer !== "function" && answer !== undefined && corsAllows(answer, origin);
  }
  if (Array.isArray(allowed)) return allowed.some((one) => matches(one, origin));
  return allowed === "*" || (allowed !== undefined && matches(allowed, origin));
}

function matches(allowed: string | RegExp | boolean, origin: string): boolean {
  if (typeof allowed === "boolean") return allowed;
  if (typeof allowed !== "string") return origin.search(allowed) >= 0; // test() of a /g goes on from its last match
  const normal = normalizeOrigin(origin);
  return allowed === origin || (normal !== undefined && normalizeOrigin(allowed) === normal);
}
