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
  if (typeof cors === "function") {
    throw new SettingsError(
      "socketio.cors as a function of the request is not available on Bun: pass an object",
    );
  }
  const given = {
    path,
    pingTimeout,
    pingInterval,
    upgradeTimeout,
    maxHttpBufferSize,
    cors: cors && toCors(cors),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

type Cors = Exclude<NonNullable<SocketIoOptions["cors"]>, (...args: never[]) => unknown>;

/** The origin guard has asked a function or a list already: an origin that reaches the engine is one they allow. */
function toCors({ origin, ...rest }: Cors): ServerOptions["cors"] {
  if (origin === false) return undefined; // which bun-engine takes for "*"
  return { ...rest, origin: typeof origin === "function" || Array.isArray(origin) ? true : origin };
}
