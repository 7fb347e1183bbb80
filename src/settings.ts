/**
 * Settings: what the author passes and what the environment says become one frozen, typed object.
 * What the author passes wins over the environment, the environment over the defaults.
 */
import process from "node:process";
import proxyaddr from "proxy-addr";
import type { ServerOptions } from "socket.io";
import * as v from "valibot";
import { normalizeOrigin } from "./web-origin.ts";

/** Where Hinoko writes what an operator should know. `console` is one. */
export type Logger = Pick<Console, "info" | "warn" | "error">;

/** Options of the Socket.IO server and of the Engine.IO server under it, in one place. */
export type SocketIoOptions = Partial<ServerOptions>;

/** Who is believed when a request carries X-Forwarded-* headers. */
export type TrustProxy = false | number | readonly string[];

/** What `createService()` takes. Every setting is optional; a string is read as the environment's form of it. */
export interface ServiceOptions {
  /** Address to listen on. @default HOST, else "0.0.0.0" */
  host?: string;
  /** Port to listen on; 0 takes a free one. @default PORT, else 8000 */
  port?: number | string;
  /** Whether this is production: no development hosts, no demo. @default NODE_ENV === "production" */
  production?: boolean | string;
  /**
   * Host names that are served: exact, ".example.org" for a domain with its subdomains, "*" for all.
   * @default ALLOWED_HOSTS, else this machine's own names in development and none in production
   */
  allowedHosts?: readonly string[] | string;
  /**
   * Origins that may open a Socket.IO session besides the service's own; "null" and "file://" are what packaged pages
   * and devices name. "*" for all, or for those that `socketio.cors.origin` allows. @default ALLOWED_ORIGINS, else none
   */
  allowedOrigins?: readonly string[] | string;
  /**
   * Whether X-Forwarded-For and -Proto count: false, the number of proxies in front, or their addresses
   * and subnets ("loopback", "10.0.0.0/8"). @default TRUST_PROXY, else false
   */
  trustProxy?: TrustProxy | true | string;
  /**
   * Whether X-Forwarded-Host of a trusted proxy counts instead of Host. Only for a proxy that sets or removes it:
   * others pass on what the client claims. @default TRUST_FORWARDED_HOST, else false
   */
  trustForwardedHost?: boolean | string;
  /** Low-level transports that are offered. @default TRANSPORTS, else polling and websocket */
  transports?: readonly string[] | string;
  /**
   * How many levels of arrays and objects a packet from a client may have, that of its arguments included, from 1 to
   * 1000; one that has more closes the client's connection. A `socketio.parser` has its own rules.
   * @default MAX_DEPTH, else 256
   */
  maxDepth?: number | string;
  /**
   * Which Engine.IO server is under Socket.IO: the one that is fastest on the runtime (engine.io on Node, Hinoko's
   * own on Bun and Deno), the one made for the runtime ("matching": engine.io, @socket.io/bun-engine), or Hinoko's
   * own ("native", which is Deno's in any case). @default ENGINE, else "fastest"
   */
  engine?: string;
  /** Whether the demo chat is served at `/` (a route of the author's for `/` wins). @default CHAT, else only in development */
  chat?: boolean | string;
  /**
   * Whether Hinoko's own fast paths are taken; without them the engines run as they come, to compare.
   * @default FAST_PATHS, else true
   */
  fastPaths?: boolean | string;
  /** Where refusals and failures are logged. @default console */
  logger?: Logger;
  /** Any option of Socket.IO or Engine.IO. */
  socketio?: SocketIoOptions;
}

/** The settings of a service: complete, checked, frozen. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly production: boolean;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly trustProxy: TrustProxy;
  readonly maxDepth: number;
  readonly trustForwardedHost: boolean;
  readonly engine: "fastest" | "matching" | "native";
  readonly chat: boolean;
  readonly fastPaths: boolean;
  readonly logger: Logger;
  readonly socketio: Readonly<SocketIoOptions>;
}

/** A setting that cannot be used. The message names the setting, its value and the form expected. */
export class SettingsError extends Error {
  override name = "SettingsError";
}

/** Refuses the value of a setting: `PORT must be a number between 0 and 65535 (got "80a")`. */
export const refuseSetting = (name: string, form: string, value: unknown): SettingsError =>
  new SettingsError(
    `${name} must be ${form} (got ${typeof value === "string" ? `"${value}"` : String(value)})`,
  );

const list = v.pipe(
  v.union([v.array(v.string()), v.string()]),
  v.transform((value) => (typeof value === "string" ? value.split(/[\s,]+/) : value)),
  v.transform((items) => items.map((item) => item.trim()).filter((item) => item !== "")),
);

const boolean = v.union([
  v.boolean(),
  v.pipe(
    v.string(),
    v.toLowerCase(),
    v.picklist(["1", "true", "yes", "on", "0", "false", "no", "off"]),
    v.transform((value) => ["1", "true", "yes", "on"].includes(value)),
  ),
]);

/** A whole number, or the text of one. */
const integer = (min: number, max: number) =>
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
    v.integer(),
    v.minValue(min),
    v.maxValue(max),
  );

const PORT_FORM = "a number between 0 and 65535";
const port = integer(0, 65_535);

const HOST = /^(?:\*|\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[a-f0-9:.]+\])$/;
const allowedHosts = v.pipe(
  list,
  v.transform((hosts) => hosts.map((host) => host.toLowerCase())),
  v.array(v.pipe(v.string(), v.regex(HOST))),
);

// Not only http: a hybrid app's origin is "capacitor://localhost", a packaged page's "file://" or "null".
const isOrigin = (one: string): boolean =>
  one === "*" || one === "file://" || (!one.endsWith("/") && normalizeOrigin(one) !== undefined);
const allowedOrigins = v.pipe(
  list,
  v.transform((origins) => origins.map((origin) => origin.toLowerCase())),
  v.array(v.pipe(v.string(), v.check(isOrigin))),
);

const areProxies = (proxies: string[]): boolean => {
  try {
    proxyaddr.compile(proxies);
    return proxies.length > 0;
  } catch {
    return false;
  }
};
const hops = v.pipe(v.number(), v.integer(), v.minValue(0));
const trustProxy = v.union([
  v.pipe(
    boolean,
    v.transform((trusted) => (trusted ? 1 : (false as const))),
  ),
  hops,
  v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number), hops),
  v.pipe(list, v.check(areProxies)),
]);

const TRANSPORTS = ["polling", "websocket"] as const;
const transports = v.pipe(list, v.array(v.picklist(TRANSPORTS)), v.minLength(1));

/**
 * Checks a port that was given in code.
 * @throws {SettingsError}
 */
export function readPort(value: number): number {
  if (!v.is(port, value)) throw refuseSetting("port", PORT_FORM, value);
  return value;
}

interface Setting<Schema extends v.GenericSchema> {
  readonly variable: string;
  readonly schema: Schema;
  readonly form: string;
  readonly about: string;
  readonly fallback: string;
}
const setting = <Schema extends v.GenericSchema>(entry: Setting<Schema>): Setting<Schema> => entry;

/** Every setting that the environment can give; `hinoko runserver --help` lists them from here. */
export const SETTINGS = {
  host: setting({
    variable: "HOST",
    schema: v.pipe(v.string(), v.regex(/^[a-z0-9.:_-]+$/i)),
    form: "a host name or an IP address",
    about: "address to listen on",
    fallback: "0.0.0.0",
  }),
  port: setting({
    variable: "PORT",
    schema: port,
    form: PORT_FORM,
    about: "port to listen on; 0 takes a free one",
    fallback: "8000",
  }),
  production: setting({
    variable: "NODE_ENV",
    schema: v.pipe(
      v.union([v.boolean(), v.string()]),
      v.transform((value) => value === true || value === "production"),
    ),
    form: 'true, false or the name of an environment ("production")',
    about: '"production" serves no development hosts, and the demo chat only when there is no app',
    fallback: "development",
  }),
  allowedHosts: setting({
    variable: "ALLOWED_HOSTS",
    schema: allowedHosts,
    form: 'a list of host names without scheme or port ("example.org, .example.org, [::1]" or "*")',
    about: 'host names that are served, ".x" with subdomains, "*" for all',
    fallback: ".localhost, 127.0.0.1, [::1], 0.0.0.0 (production: none)",
  }),
  allowedOrigins: setting({
    variable: "ALLOWED_ORIGINS",
    schema: allowedOrigins,
    form: 'a list of origins ("https://example.org, http://localhost:3000" or "*")',
    about: 'origins that may use Socket.IO besides the service\'s own, "*" for all',
    fallback: "none",
  }),
  trustProxy: setting({
    variable: "TRUST_PROXY",
    schema: trustProxy,
    form: 'true, false, a number of proxies, or a list of addresses ("loopback, 10.0.0.0/8")',
    about: "whose X-Forwarded-For and -Proto count: how many proxies, or which",
    fallback: "false",
  }),
  trustForwardedHost: setting({
    variable: "TRUST_FORWARDED_HOST",
    schema: boolean,
    form: "true or false",
    about: "whether X-Forwarded-Host of those proxies counts instead of Host",
    fallback: "false",
  }),
  transports: setting({
    variable: "TRANSPORTS",
    schema: transports,
    form: 'a list of "polling" and "websocket"',
    about: "transports that are offered",
    fallback: "polling, websocket",
  }),
  maxDepth: setting({
    variable: "MAX_DEPTH",
    // Of some thousand levels, what is sent back to others would overflow the stack.
    schema: integer(1, 1000),
    form: "a whole number between 1 and 1000",
    about: "levels of arrays and objects in a packet from a client; deeper ones close its connection",
    fallback: "256",
  }),
  engine: setting({
    variable: "ENGINE",
    schema: v.picklist(["fastest", "matching", "native"]),
    form: '"fastest", "matching" or "native"',
    about: "the Engine.IO server: the fastest here, the runtime's own, or Hinoko's (Deno has no other)",
    fallback: "fastest",
  }),
  chat: setting({
    variable: "CHAT",
    schema: boolean,
    form: "true or false",
    about: "the demo chat at /",
    fallback: "true (production: false)",
  }),
  fastPaths: setting({
    variable: "FAST_PATHS",
    schema: boolean,
    form: "true or false",
    about: "Hinoko's own fast paths; false runs the engines as they come, to compare",
    fallback: "true",
  }),
};

/** A property of the object itself: what other code has put on Object.prototype is no setting. */
const own = <T extends object, Key extends keyof T>(object: T, key: Key): T[Key] | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/** Takes one setting from the author's options, else from the environment, and checks it. */
function read<Schema extends v.GenericSchema>(
  name: string,
  { variable, schema, form }: Setting<Schema>,
  option: unknown,
  env: Environment,
): v.InferOutput<Schema> | undefined {
  const [source, value] = option !== undefined ? [name, option] : [variable, own(env, variable) || undefined];
  if (value === undefined) return undefined;
  const result = v.safeParse(schema, value);
  if (!result.success) throw refuseSetting(source, form, value);
  return result.output;
}

const duration = v.pipe(v.number(), v.integer(), v.minValue(1));
const MILLISECONDS = { schema: duration, form: "a whole number of milliseconds above 0" };
/** The options of Socket.IO that are checked; the others are handed on as they are. */
const SOCKETIO = {
  path: { schema: v.pipe(v.string(), v.regex(/^\/[^?#*:]*$/)), form: 'a path that starts with "/"' },
  pingInterval: MILLISECONDS,
  pingTimeout: MILLISECONDS,
  upgradeTimeout: MILLISECONDS,
  connectTimeout: MILLISECONDS,
  maxHttpBufferSize: { schema: duration, form: "a whole number of bytes above 0" },
  transports: {
    schema: v.pipe(v.array(v.picklist(TRANSPORTS)), v.minLength(1)),
    form: 'an array of "polling" and "websocket"',
  },
};

function checkSocketIo(options: SocketIoOptions): void {
  if (typeof own(options, "cors") === "function") {
    throw refuseSetting(
      "socketio.cors",
      "an object; its `origin` may be a function of the origin",
      "a function",
    );
  }
  const given = new Map<string, unknown>(Object.entries(options));
  // Not as one object of valibot's, which goes through its schema with for…in: an enumerable property of
  // Object.prototype, as other code may leave there, would be a schema of it.
  for (const [name, { schema, form }] of Object.entries(SOCKETIO)) {
    const value = given.get(name);
    if (value !== undefined && !v.is<v.GenericSchema>(schema, value))
      throw refuseSetting(`socketio.${name}`, form, value);
  }
}

/**
 * As in python-socketio, one list says who may come: without an `origin` of its own, `cors` gets the allowed origins.
 * Left to the `cors` package, it would be everybody. An `origin` that the author gives is narrower than "*" and wins
 * over it; origins that are listed by name may come besides.
 */
function readCors(cors: SocketIoOptions["cors"], origins: readonly string[]): SocketIoOptions["cors"] {
  if (typeof cors === "object" && cors.origin !== undefined) {
    const named = origins.filter((origin) => origin !== "*");
    return cors.origin === false && named.length > 0 ? { ...cors, origin: named } : cors;
  }
  if (origins.length === 0) return cors && { ...cors, origin: false };
  const own = origins.includes("*") ? { origin: "*" } : { origin: [...origins], credentials: true };
  return { ...own, ...cors, origin: own.origin };
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEVELOPMENT_HOSTS = [".localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

/**
 * Reads the settings of a service.
 * @throws {SettingsError} when a value is not of the form expected
 */
export function readSettings(options: ServiceOptions = {}, env: Environment = process.env): Settings {
  const take = <Key extends keyof typeof SETTINGS>(key: Key) =>
    read<(typeof SETTINGS)[Key]["schema"]>(key, SETTINGS[key], own(options, key), env);
  const socketio = own(options, "socketio") ?? {};
  checkSocketIo(socketio);

  const production = take("production") ?? false;
  const hosts = take("allowedHosts") ?? [];
  const origins = take("allowedOrigins") ?? [];
  const cors = readCors(own(socketio, "cors"), origins);
  return Object.freeze({
    host: take("host") ?? "0.0.0.0",
    port: take("port") ?? 8000,
    production,
    allowedHosts: Object.freeze(hosts.length > 0 || production ? hosts : DEVELOPMENT_HOSTS),
    allowedOrigins: Object.freeze(origins),
    trustProxy: Object.freeze(take("trustProxy") ?? false),
    maxDepth: take("maxDepth") ?? 256,
    trustForwardedHost: take("trustForwardedHost") ?? false,
    engine: take("engine") ?? "fastest",
    chat: take("chat") ?? !production,
    fastPaths: take("fastPaths") ?? true,
    logger: own(options, "logger") ?? console,
    socketio: Object.freeze({
      transports: take("transports") ?? [...TRANSPORTS],
      ...socketio,
      ...(cors && { cors }),
    }),
  });
}
