/**
 * The options of Socket.IO: checks those that Hinoko depends on, and completes the CORS options.
 */
import type { ServerOptions } from "socket.io";
import * as v from "valibot";
import { createSettingError } from "./setting-error.ts";

/** Options of the Socket.IO server and of the Engine.IO server under it, in one place. */
export type SocketIoOptions = Partial<ServerOptions>;

export const TRANSPORTS = ["polling", "websocket"] as const;

const positiveInteger = v.pipe(v.number(), v.integer(), v.minValue(1));
const MILLISECONDS = { schema: positiveInteger, form: "a whole number of milliseconds above 0" };
/** The options of Socket.IO that are checked here. The others are passed to Socket.IO unchecked. */
const SOCKETIO = {
  path: { schema: v.pipe(v.string(), v.regex(/^\/[^?#*:]*$/)), form: 'a path that starts with "/"' },
  pingInterval: MILLISECONDS,
  pingTimeout: MILLISECONDS,
  upgradeTimeout: MILLISECONDS,
  connectTimeout: MILLISECONDS,
  maxHttpBufferSize: { schema: positiveInteger, form: "a whole number of bytes above 0" },
  transports: {
    schema: v.pipe(v.array(v.picklist(TRANSPORTS)), v.minLength(1)),
    form: 'an array of "polling" and "websocket"',
  },
};

/** @throws {SettingsError} when an option is not of the form expected */
export function checkSocketIo(options: SocketIoOptions): void {
  if (Object.hasOwn(options, "cors") && typeof options.cors === "function") {
    throw createSettingError(
      "socketio.cors",
      "an object; its `origin` may be a function of the origin",
      "a function",
    );
  }
  const given = new Map<string, unknown>(Object.entries(options));
  // Each option is checked by itself. valibot's object schema loops over its entries with for…in, so it would take an
  // enumerable property that other code has left on Object.prototype for one of them.
  for (const [name, { schema, form }] of Object.entries(SOCKETIO)) {
    const value = given.get(name);
    if (value !== undefined && !v.is<v.GenericSchema>(schema, value))
      throw createSettingError(`socketio.${name}`, form, value);
  }
}

/**
 * Completes the CORS options with the allowed origins, so that one list decides who may connect, as in python-socketio.
 * Without an `origin` the `cors` package would allow every origin. An `origin` that the author gives wins over a "*" in
 * the list, because it is narrower; origins that the list names are allowed besides it.
 */
export function readCors(cors: SocketIoOptions["cors"], origins: readonly string[]): SocketIoOptions["cors"] {
  if (typeof cors === "object" && cors.origin !== undefined) {
    const named = origins.filter((origin) => origin !== "*");
    return cors.origin === false && named.length > 0 ? { ...cors, origin: named } : cors;
  }
  if (origins.length === 0) return cors && { ...cors, origin: false };
  const ownOptions = origins.includes("*") ? { origin: "*" } : { origin: [...origins], credentials: true };
  return { ...ownOptions, ...cors, origin: ownOptions.origin };
}
