/**
 * The options of the engine. They mean the same as engine.io's options of the same names. An option that the engine
 * cannot honour is refused, never ignored.
 */
import type { CorsOptions } from "cors";
import type { CookieOptions } from "hono/utils/cookie";
import { type Settings, SettingsError, type SocketIoOptions } from "../settings.ts";
import type { Data } from "./parser.ts";
import type { RequestLike } from "./request.ts";

/** Reads the most bytes that one message may have. The WebSocket routes of authors have the same limit. */
export const readMaxSize = ({ maxHttpBufferSize = DEFAULTS.maxHttpBufferSize }: SocketIoOptions): number =>
  maxHttpBufferSize;

/** engine.io's defaults. */
const DEFAULTS = {
  pingTimeout: 20_000,
  pingInterval: 25_000,
  upgradeTimeout: 10_000,
  maxHttpBufferSize: 1_000_000,
  transports: ["polling", "websocket"],
  allowUpgrades: true,
  httpCompression: { threshold: 1024 },
  cors: false,
  allowEIO3: false,
} as const;

/**
 * Lists the options in use, with engine.io's names and defaults, for `io.engine.opts`. With engine.io an author may change
 * some of them later; no runtime's own server could follow that, so here it throws.
 */
export function listOptions(options: SocketIoOptions): Readonly<Record<string, unknown>> {
  const opts: Record<string, unknown> = { ...DEFAULTS, transports: [...DEFAULTS.transports], ...options };
  const cookie = readCookie(options.cookie);
  if (cookie) opts["cookie"] = cookie;
  return new Proxy(opts, {
    set: (_, name) => {
      throw new TypeError(
        `io.engine.opts.${String(name)} cannot be changed: pass socketio.${String(name)} to createService()`,
      );
    },
  });
}

export interface EngineOptions {
  /** How long the engine waits after a pong before it pings again, in milliseconds. @default 25000 */
  readonly pingInterval: number;
  /** How long a client may take to answer a ping, in milliseconds. @default 20000 */
  readonly pingTimeout: number;
  /** How long a client may take to complete an upgrade, in milliseconds. @default 10000 */
  readonly upgradeTimeout: number;
  /** The largest size of one message, and of one polling body, in bytes. @default 1000000 */
  readonly maxHttpBufferSize: number;
  /** The most packets that one polling body may have. */
  readonly maxPackets: number;
  /** For how long a client may send nothing in the middle of a polling body, in milliseconds; 0 sets no limit. */
  readonly bodyTimeout: number;
  /** The transports that clients may use. @default ["polling", "websocket"] */
  readonly transports: readonly string[];
  /** Whether a polling session may be upgraded to WebSocket. @default true */
  readonly allowUpgrades: boolean;
  /** Compresses polling answers of at least this many bytes; `false` compresses none. @default { threshold: 1024 } */
  readonly httpCompression: false | { readonly threshold: number };
  /** Sent as the first message of each session. @default none */
  readonly initialPacket: Data | undefined;
  /** The cookie that carries the session id for a load balancer with sticky sessions. @default none */
  readonly cookie: ({ readonly name: string } & CookieOptions) | undefined;
  /** Options of the `cors` package. @default none: no CORS headers */
  readonly cors: CorsOptions | undefined;
  /** Holds the author's `allowRequest`, which decides about each new session. @default {}: every session is allowed */
  readonly guard: Guard;
}

/**
 * Engine.IO's `allowRequest`. It is a method of an object because TypeScript then accepts a function that declares an
 * IncomingMessage, of which it gets only a part.
 */
export interface Guard {
  /**
   * Decides by calling `decide(message, success)`. A function that declares one parameter only decides by the promise
   * that it returns: `false` and a rejection refuse the session.
   */
  allowRequest?(
    request: RequestLike,
    decide: (message: string | null | undefined, success: boolean) => void,
  ): unknown;
}

/** The options that this engine cannot honour, each with what to do instead. */
const UNAVAILABLE: Partial<Record<keyof SocketIoOptions, string>> = {
  allowEIO3: "the engine speaks Engine.IO 4 only: update the clients to Socket.IO 3 or later",
  perMessageDeflate: "compress in a proxy in front",
  wsEngine: "the runtime has a WebSocket server of its own",
};

/**
 * Reads the engine's options from the settings, and fills in the defaults.
 * @param runtime the runtime's name for error messages, as people write it: "Deno"
 * @throws {SettingsError} for an option that the engine cannot honour
 */
export function readOptions(
  { socketio: options, maxPackets, bodyTimeout }: Pick<Settings, "socketio" | "maxPackets" | "bodyTimeout">,
  runtime: string,
): EngineOptions {
  const refuse = (name: string, instead: string) =>
    new SettingsError(`socketio.${name} is not available on ${runtime}: ${instead}`);
  for (const [name, value] of Object.entries(options)) {
    const instead = Object.entries(UNAVAILABLE).find(([key]) => key === name)?.[1];
    if (value && instead) throw refuse(name, instead);
  }
  const { transports = DEFAULTS.transports, cookie, cors, allowRequest } = options;
  if (transports.some((name) => name === "webtransport"))
    throw refuse("transports", '"webtransport" needs HTTP/3: offer "polling" and "websocket"');
  return {
    pingInterval: options.pingInterval ?? DEFAULTS.pingInterval,
    pingTimeout: options.pingTimeout ?? DEFAULTS.pingTimeout,
    upgradeTimeout: options.upgradeTimeout ?? DEFAULTS.upgradeTimeout,
    maxHttpBufferSize: readMaxSize(options),
    maxPackets,
    bodyTimeout,
    transports,
    allowUpgrades: options.allowUpgrades ?? DEFAULTS.allowUpgrades,
    httpCompression: readCompression(options.httpCompression),
    initialPacket: readInitialPacket(options.initialPacket),
    cookie: readCookie(cookie),
    cors: typeof cors === "object" ? corsOfAccepted(cors) : undefined,
    guard: allowRequest ? { allowRequest } : {},
  };
}

/**
 * Makes the CORS options that an engine gives to the `cors` package. The origin guard has accepted every origin that
 * gets here, so the package is told to allow it (`origin: true`). If it checked again by the author's `origin`, it
 * would refuse origins of ALLOWED_ORIGINS, and those that a client writes in another form.
 */
export function corsOfAccepted(cors: CorsOptions): CorsOptions {
  return cors.origin && cors.origin !== "*" ? { ...cors, origin: true } : cors;
}

function readCompression(
  value: boolean | object = DEFAULTS.httpCompression,
): EngineOptions["httpCompression"] {
  if (value === false) return false;
  // As in engine.io: `true`, or an object without a threshold, compresses answers of every size.
  const threshold = typeof value === "object" && "threshold" in value ? Number(value.threshold) : 0;
  return { threshold };
}

function readInitialPacket(value: unknown): Data | undefined {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value;
  return value ? String(value) : undefined;
}

function readCookie(cookie: SocketIoOptions["cookie"]): EngineOptions["cookie"] {
  if (!cookie) return undefined;
  // `true` stands for engine.io's default cookie.
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
