/**
 * The options of the engine. They mean what engine.io's of the same name mean; what cannot be honoured is refused.
 */
import type { CorsOptions } from "cors";
import type { CookieOptions } from "hono/utils/cookie";
import { SettingsError, type SocketIoOptions } from "../settings.ts";
import type { Data } from "./parser.ts";
import type { RequestLike } from "./request.ts";

export interface EngineOptions {
  /** How long the engine waits after a pong before it pings again, in milliseconds. @default 25000 */
  readonly pingInterval: number;
  /** How long a client may take to answer a ping, in milliseconds. @default 20000 */
  readonly pingTimeout: number;
  /** How long a client may take to complete an upgrade, in milliseconds. @default 10000 */
  readonly upgradeTimeout: number;
  /** The most that one message, or one polling body, may have, in bytes. @default 1000000 */
  readonly maxHttpBufferSize: number;
  /** The transports that are offered. @default ["polling", "websocket"] */
  readonly transports: readonly string[];
  /** Whether a polling session may be upgraded to WebSocket. @default true */
  readonly allowUpgrades: boolean;
  /** Compresses polling answers from this size on, in bytes; `false` compresses none. @default { threshold: 1024 } */
  readonly httpCompression: false | { readonly threshold: number };
  /** Sent as the first message of each session. @default none */
  readonly initialPacket: Data | undefined;
  /** The cookie that tells a polling client's session id, for sticky sessions. @default none */
  readonly cookie: ({ readonly name: string } & CookieOptions) | undefined;
  /** What the `cors` package takes. @default none */
  readonly cors: CorsOptions | undefined;
  /** Decides about each new session. */
  readonly guard: Guard;
}

/** Engine.IO's `allowRequest`, as an object so that a function of an IncomingMessage is one of its interface. */
export interface Guard {
  /**
   * Decides by calling `decide(message, success)`, or, when it declares no such parameter, by the promise it returns:
   * `false` and a rejection refuse.
   */
  allowRequest?(
    request: RequestLike,
    decide: (message: string | null | undefined, success: boolean) => void,
  ): unknown;
}

/** What this engine cannot do, and what to do instead. */
const UNAVAILABLE: Partial<Record<keyof SocketIoOptions, string>> = {
  allowEIO3: "the engine speaks Engine.IO 4 only: update the clients to Socket.IO 3 or later",
  perMessageDeflate: "compress in a proxy in front",
  wsEngine: "the runtime has a WebSocket server of its own",
};

/**
 * Completes the options of a service.
 * @param runtime whose engine it is, as people write it
 * @throws {SettingsError} for an option that the engine cannot honour
 */
export function readOptions(options: SocketIoOptions, runtime: string): EngineOptions {
  const refuse = (name: string, instead: string) =>
    new SettingsError(`socketio.${name} is not available on ${runtime}: ${instead}`);
  for (const [name, value] of Object.entries(options)) {
    const instead = Object.entries(UNAVAILABLE).find(([key]) => key === name)?.[1];
    if (value && instead) throw refuse(name, instead);
  }
  const { transports = ["polling", "websocket"], cookie, cors, allowRequest } = options;
  if (transports.includes("webtransport"))
    throw refuse("transports", '"webtransport" needs HTTP/3: offer "polling" and "websocket"');
  return {
    pingInterval: options.pingInterval ?? 25_000,
    pingTimeout: options.pingTimeout ?? 20_000,
    upgradeTimeout: options.upgradeTimeout ?? 10_000,
    maxHttpBufferSize: options.maxHttpBufferSize ?? 1_000_000,
    transports,
    allowUpgrades: options.allowUpgrades ?? true,
    httpCompression: readCompression(options.httpCompression),
    initialPacket: readInitialPacket(options.initialPacket),
    cookie: readCookie(cookie),
    cors: typeof cors === "object" ? corsOfAccepted(cors) : undefined,
    guard: allowRequest ? { allowRequest } : {},
  };
}

/**
 * The CORS options of an engine. An origin that reaches it was accepted by the origin guard, so it is told so: asked
 * once more, the `cors` package would know neither ALLOWED_ORIGINS nor the ways in which clients write an origin.
 */
export function corsOfAccepted(cors: CorsOptions): CorsOptions {
  return cors.origin && cors.origin !== "*" ? { ...cors, origin: true } : cors;
}

function readCompression(value: boolean | object = { threshold: 1024 }): EngineOptions["httpCompression"] {
  if (value === false) return false;
  // As engine.io takes it: without a threshold of its own, whatever is sent is compressed.
  const threshold = typeof value === "object" && "threshold" in value ? Number(value.threshold) : 0;
  return { threshold };
}

function readInitialPacket(value: unknown): Data | undefined {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value;
  return value ? String(value) : undefined;
}

function readCookie(cookie: SocketIoOptions["cookie"]): EngineOptions["cookie"] {
  if (!cookie) return undefined;
  // `true` stands for engine.io's own cookie.
  const given: Partial<Exclude<typeof cookie, boolean>> = typeof cookie === "object" ? cookie : {};
  const { name = "io", path = "/", httpOnly = true, sameSite = "lax", ...rest } = given;
  const { domain, expires, maxAge, secure } = rest;
  return {
    name,
    path,
    httpOnly,
    ...(sameSite && { sameSite: sameSite === true ? "strict" : sameSite }),
    ...(domain !== undefined && { domain }),
    ...(expires && { expires }),
    ...(maxAge !== undefined && { maxAge }),
    ...(secure && { secure }),
  };
}
