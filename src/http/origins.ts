/**
 * The origin guard of the Socket.IO route: browsers let any page open a WebSocket anywhere, so a session is opened
 * only for the service's own pages and for origins that are listed. Clients without an Origin are no browsers: let in.
 */
import type { Context } from "hono";
import type { Visitor } from "../runtime.ts";
import type { Settings, SocketIoOptions } from "../settings.ts";
import type { Forwarded } from "./forwarded.ts";
import { printable } from "./printable.ts";
import { visitorOf } from "./visitor.ts";

/** What `cors.origin` may be (the `cors` package, which Engine.IO uses). */
type CorsOrigin = Exclude<NonNullable<SocketIoOptions["cors"]>, (...args: never[]) => unknown>["origin"];

/** Decides which origins may use Socket.IO: the service's own, ALLOWED_ORIGINS, and what `socketio.cors` allows. */
export class Origins {
  readonly #settings: Settings;
  readonly #forwarded: Forwarded;

  constructor(settings: Settings, forwarded: Forwarded) {
    this.#settings = settings;
    this.#forwarded = forwarded;
  }

  /** The answer to a request from an origin that is not accepted, or `undefined` for one that is. */
  async refusal(c: Context): Promise<Response | undefined> {
    const visitor = visitorOf(c.req.raw, c.env);
    const origin = visitor.header("origin");
    if (!origin || (await this.accepts(origin, visitor))) return undefined;
    const message = `${origin} is not an accepted origin.`;
    const { allowedOrigins, logger } = this.#settings;
    logger.warn(`${printable(message)} (ALLOWED_ORIGINS: ${allowedOrigins.join(", ") || "none"})`);
    // Engine.IO's own form of an error, with its code for a bad request
    return c.json({ code: 3, message }, 400);
  }

  /** Whether pages of this origin may use Socket.IO. */
  async accepts(origin: string, visitor: Visitor): Promise<boolean> {
    if (this.#isListed(origin, visitor)) return true;
    const { cors } = this.#settings.socketio;
    return typeof cors === "object" && (await corsAllows(cors.origin, origin));
  }

  /** Whether no more needs to be asked about this visitor: it is no browser, or comes from an origin that is listed. */
  acceptsAtOnce(visitor: Visitor): boolean {
    const origin = visitor.header("origin");
    return !origin || this.#isListed(origin, visitor);
  }

  #isListed(origin: string, visitor: Visitor): boolean {
    const { allowedOrigins } = this.#settings;
    if (allowedOrigins.includes("*") || allowedOrigins.includes(origin.toLowerCase())) return true;
    return isSameOrigin(origin, `${this.#forwarded.scheme(visitor)}://${this.#forwarded.host(visitor)}`);
  }
}

/** Compared as URLs, so that letter case and a default port make no difference. */
function isSameOrigin(origin: string, own: string): boolean {
  if (origin === own) return true;
  return URL.canParse(origin) && URL.canParse(own) && new URL(origin).origin === new URL(own).origin;
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
  return typeof allowed === "string" ? allowed === origin : allowed.test(origin);
}
