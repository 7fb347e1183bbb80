/**
 * The Socket.IO options as bun-engine takes them. What it cannot honour is refused at start, by name.
 */
import type { ServerOptions } from "@socket.io/bun-engine";
import { SettingsError, type SocketIoOptions } from "../../src/settings.ts";

/** Options that bun-engine does not know, and what to do instead. */
const UNAVAILABLE: Partial<Record<keyof SocketIoOptions, string>> = {
  allowEIO3: "it speaks Engine.IO 4 only: update the clients to Socket.IO 3 or later",
  allowRequest: "guard the Socket.IO route with a Hono middleware, which runs on every runtime",
  cookie: "set a cookie in a Hono middleware on the Socket.IO route",
  httpCompression: "compress in a proxy in front",
  initialPacket: 'emit it in a "connection" listener',
  perMessageDeflate: "compress in a proxy in front",
  wsEngine: "Bun has a WebSocket server of its own",
};

/** @throws {SettingsError} for an option that bun-engine cannot honour */
export function toEngineOptions(options: SocketIoOptions): Partial<ServerOptions> {
  for (const [name, instead] of Object.entries(UNAVAILABLE)) {
    const value = Object.entries(options).find(([key]) => key === name)?.[1];
    if (value) throw new SettingsError(`socketio.${name} is not available on Bun: ${instead}`);
  }
  const { path, pingTimeout, pingInterval, upgradeTimeout, maxHttpBufferSize, cors } = options;
  const given = {
    path,
    pingTimeout,
    pingInterval,
    upgradeTimeout,
    maxHttpBufferSize,
    cors: typeof cors === "object" ? toCors(cors) : undefined,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

type Cors = Exclude<NonNullable<SocketIoOptions["cors"]>, (...args: never[]) => unknown>;

/** What the `cors` package, engine.io's on Node.js, allows by default. */
const METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE";

/** The origin guard has asked all but a fixed origin already: what reaches the engine is allowed. */
function toCors({ origin, methods = METHODS, ...rest }: Cors): ServerOptions["cors"] {
  if (origin === false) return undefined; // which bun-engine takes for "*"
  return { ...rest, methods, origin: origin === undefined || typeof origin === "string" ? origin : true };
}
