/**
 * Settings: reads the author's options and the environment variables into one frozen, typed object.
 * An option wins over its environment variable, and the variable over the default.
 */
import process from "node:process";
import * as v from "valibot";
import {
  allowedHosts,
  allowedOrigins,
  boolean,
  integer,
  MILLISECONDS_FORM,
  milliseconds,
  PORT_FORM,
  port,
  TRANSPORTS,
  transports,
  trustProxy,
} from "./setting-forms.ts";
import { createSettingError } from "./settings-error.ts";
import { checkSocketIo, ownValue, readCors, type SocketIoOptions } from "./socketio-options.ts";

export { createSettingError, SettingsError } from "./settings-error.ts";
export type { SocketIoOptions } from "./socketio-options.ts";

/** Where Hinoko writes what an operator should know. `console` is one. */
export type Logger = Pick<Console, "info" | "warn" | "error">;

/** Whose X-Forwarded-* headers are believed: no proxy's, so many proxies in front, or those with these addresses. */
export type TrustProxy = false | number | readonly string[];

/** What `createService()` takes. Every setting is optional. A string is read like the environment variable's value. */
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
   * Origins that may open a Socket.IO session besides the service's own. Packaged pages and some devices send "null" or
   * "file://" as their origin. "*" allows all origins or, if `socketio.cors.origin` is given, those that it allows.
   * @default ALLOWED_ORIGINS, else none
   */
  allowedOrigins?: readonly string[] | string;
  /**
   * Whose X-Forwarded-For and X-Forwarded-Proto are believed: nobody's (false), those of the given number of proxies in
   * front of the service (true means 1), or those of proxies with these addresses and subnets
   * ("loopback", "10.0.0.0/8"). @default TRUST_PROXY, else false
   */
  trustProxy?: TrustProxy | true | string;
  /**
   * Whether X-Forwarded-Host from a trusted proxy replaces Host. Set it only if the proxy sets or removes that header:
   * other proxies pass on whatever the client claims. @default TRUST_FORWARDED_HOST, else false
   */
  trustForwardedHost?: boolean | string;
  /** Low-level transports that are offered. @default TRANSPORTS, else polling and websocket */
  transports?: readonly string[] | string;
  /**
   * How long a client may take for its TLS handshake, and again for the headers of a request, in milliseconds. Only Node
   * takes another value than the default: see the README. 0 sets no limit.
   * @default HEADERS_TIMEOUT, else 10000
   */
  headersTimeout?: number | string;
  /**
   * How long a client may send nothing in the middle of the body of a request, in milliseconds. 0 sets no limit.
   * @default BODY_TIMEOUT, else 30000
   */
  bodyTimeout?: number | string;
  /**
   * How many packets one POST of a polling client may have. One with more ends its session with a parse error, and none
   * of its packets is handled. @default MAX_PACKETS, else 50000
   */
  maxPackets?: number | string;
  /**
   * How many levels of nested arrays and objects a packet from a client may have, from 1 to 1000. The array of its
   * arguments is one of them. A deeper packet closes the client's connection. A `socketio.parser` of the author's is
   * not bound by this.
   * @default MAX_DEPTH, else 256
   */
  maxDepth?: number | string;
  /**
   * How many namespaces a client may be in besides the main one. One that has refused it counts for ten seconds. Beyond
   * them it is refused a namespace with a CONNECT_ERROR packet ("connect_error" on the client). A `socketio.parser` of
   * the author's is not bound by this.
   * @default MAX_NAMESPACES, else 100
   */
  maxNamespaces?: number | string;
  /**
   * How many bytes may wait in a session, in memory, for a client that reads too slowly. A client for which more waits
   * is disconnected with the reason "transport error" when it has not read that in a second, and no sixteenth of the
   * limit either. The largest waiting message is not counted, and a character of text counts as one byte. 0 sets no
   * limit.
   * @default MAX_BUFFERED, else 8388608 (8 MiB)
   */
  maxBuffered?: number | string;
  /**
   * Which Engine.IO server runs under Socket.IO. "fastest": the one that is fastest on the runtime (engine.io on
   * Node, Hinoko's own on Bun and Deno). "matching": the one that the Socket.IO project made for the runtime
   * (engine.io on Node, @socket.io/bun-engine on Bun). "native": Hinoko's own. Deno always runs Hinoko's own.
   * @default ENGINE, else "fastest"
   */
  engine?: string;
  /** Whether the demo chat is at `/`, unless the author has a route there. @default CHAT, else only in development */
  chat?: boolean | string;
  /**
   * What becomes of an error that a function of the author's throws, or rejects with, when Socket.IO calls it: a
   * listener, a middleware, an acknowledgement. "contain": it is logged, told to `service.onError()`, and ends nothing
   * else. "exit": it is uncaught, as with Socket.IO alone, and ends the process unless the author catches it there.
   * @default ERRORS, else "contain"
   */
  errors?: string;
  /**
   * Whether Hinoko takes its own fast paths. With false, Socket.IO and the engines run as they are published, which is
   * for comparison.
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
  readonly trustForwardedHost: boolean;
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  readonly maxPackets: number;
  readonly maxDepth: number;
  readonly maxNamespaces: number;
  readonly maxBuffered: number;
  readonly engine: "fastest" | "matching" | "native";
  readonly chat: boolean;
  readonly errors: "contain" | "exit";
  readonly fastPaths: boolean;
  readonly logger: Logger;
  readonly socketio: Readonly<SocketIoOptions>;
}

/** In milliseconds. */
export const DEFAULT_HEADERS_TIMEOUT = 10_000;

/**
 * Checks the port that an author passes to `serve()`.
 * @throws {SettingsError} when it is not a whole number between 0 and 65535
 */
export function readPort(value: number): number {
  if (!v.is(port, value)) throw createSettingError("port", PORT_FORM, value);
  return value;
}

interface Setting<Schema extends v.GenericSchema> {
  readonly variable: string;
  readonly schema: Schema;
  /** The form that an error message asks for. */
  readonly form: string;
  /** What the setting is for, and its default: `--help` shows both. */
  readonly about: string;
  readonly fallback: string;
}
const defineSetting = <Schema extends v.GenericSchema>(entry: Setting<Schema>): Setting<Schema> => entry;

/** Every setting that the environment can give; `hinoko runserver --help` lists them from here. */
export const SETTINGS = {
  host: defineSetting({
    variable: "HOST",
    schema: v.pipe(v.string(), v.regex(/^[a-z0-9.:_-]+$/i)),
    form: "a host name or an IP address",
    about: "address to listen on",
    fallback: "0.0.0.0",
  }),
  port: defineSetting({
    variable: "PORT",
    schema: port,
    form: PORT_FORM,
    about: "port to listen on; 0 takes a free one",
    fallback: "8000",
  }),
  production: defineSetting({
    variable: "NODE_ENV",
    schema: v.pipe(
      v.union([v.boolean(), v.string()]),
      v.transform((value) => value === true || value === "production"),
    ),
    form: 'true, false or the name of an environment ("production")',
    about: '"production" serves no development hosts, and the demo chat only when there is no app',
    fallback: "development",
  }),
  allowedHosts: defineSetting({
    variable: "ALLOWED_HOSTS",
    schema: allowedHosts,
    form: 'a list of host names without scheme or port ("example.org, .example.org, [::1]" or "*")',
    about: 'host names that are served, ".x" with subdomains, "*" for all',
    fallback: ".localhost, 127.0.0.1, [::1], 0.0.0.0 (production: none)",
  }),
  allowedOrigins: defineSetting({
    variable: "ALLOWED_ORIGINS",
    schema: allowedOrigins,
    form: 'a list of origins ("https://example.org, http://localhost:3000" or "*")',
    about: 'origins that may use Socket.IO besides the service\'s own, "*" for all',
    fallback: "none",
  }),
  trustProxy: defineSetting({
    variable: "TRUST_PROXY",
    schema: trustProxy,
    form: 'true, false, a number of proxies, or a list of addresses ("loopback, 10.0.0.0/8")',
    about: "whose X-Forwarded-For and -Proto count: how many proxies, or which",
    fallback: "false",
  }),
  trustForwardedHost: defineSetting({
    variable: "TRUST_FORWARDED_HOST",
    schema: boolean,
    form: "true or false",
    about: "whether X-Forwarded-Host of those proxies counts instead of Host",
    fallback: "false",
  }),
  transports: defineSetting({
    variable: "TRANSPORTS",
    schema: transports,
    form: 'a list of "polling" and "websocket"',
    about: "transports that are offered",
    fallback: "polling, websocket",
  }),
  headersTimeout: defineSetting({
    variable: "HEADERS_TIMEOUT",
    schema: milliseconds,
    form: MILLISECONDS_FORM,
    about: "milliseconds for a TLS handshake, and then for the headers of a request; 0: no limit",
    fallback: "10000",
  }),
  bodyTimeout: defineSetting({
    variable: "BODY_TIMEOUT",
    schema: milliseconds,
    form: MILLISECONDS_FORM,
    about: "milliseconds that a client may send nothing in the middle of a body; 0: no limit",
    fallback: "30000",
  }),
  maxPackets: defineSetting({
    variable: "MAX_PACKETS",
    schema: integer(1, Number.MAX_SAFE_INTEGER),
    form: "a whole number above 0",
    about: "packets in one POST of a polling client; more end its session",
    fallback: "50000",
  }),
  maxDepth: defineSetting({
    variable: "MAX_DEPTH",
    // With some thousand levels, encoding the data again to send it to others would overflow the stack.
    schema: integer(1, 1000),
    form: "a whole number between 1 and 1000",
    about: "levels of arrays and objects in a packet from a client; deeper ones close its connection",
    fallback: "256",
  }),
  maxNamespaces: defineSetting({
    variable: "MAX_NAMESPACES",
    schema: integer(1, Number.MAX_SAFE_INTEGER),
    form: "a whole number above 0",
    about: "namespaces that a client may be in besides the main one; it is refused more",
    fallback: "100",
  }),
  maxBuffered: defineSetting({
    variable: "MAX_BUFFERED",
    schema: integer(0, Number.MAX_SAFE_INTEGER),
    form: "a whole number of bytes, or 0 for no limit",
    about: "bytes that may wait for a client that does not read; with more it is disconnected; 0: no limit",
    fallback: "8388608",
  }),
  engine: defineSetting({
    variable: "ENGINE",
    schema: v.picklist(["fastest", "matching", "native"]),
    form: '"fastest", "matching" or "native"',
    about: "the Engine.IO server: the fastest here, the runtime's own, or Hinoko's (Deno has no other)",
    fallback: "fastest",
  }),
  chat: defineSetting({
    variable: "CHAT",
    schema: boolean,
    form: "true or false",
    about: "the demo chat at /",
    fallback: "true (production: false)",
  }),
  errors: defineSetting({
    variable: "ERRORS",
    schema: v.picklist(["contain", "exit"]),
    form: '"contain" or "exit"',
    about: "errors of an author's listener are logged and contained, or end the process",
    fallback: "contain",
  }),
  fastPaths: defineSetting({
    variable: "FAST_PATHS",
    schema: boolean,
    form: "true or false",
    about: "Hinoko's own fast paths; false runs the engines as they come, to compare",
    fallback: "true",
  }),
};

/**
 * Reads one setting from the author's options, else from the environment, and checks it. An empty environment variable
 * counts as none.
 * @throws {SettingsError} when the value is not of the form expected
 */
function readSetting<Schema extends v.GenericSchema>(
  name: string,
  { variable, schema, form }: Setting<Schema>,
  option: unknown,
  env: Environment,
): v.InferOutput<Schema> | undefined {
  const [source, value] =
    option !== undefined ? [name, option] : [variable, ownValue(env, variable) || undefined];
  if (value === undefined) return undefined;
  const result = v.safeParse(schema, value);
  if (!result.success) throw createSettingError(source, form, value);
  return result.output;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEVELOPMENT_HOSTS = [".localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

/**
 * Reads the settings of a service.
 * @throws {SettingsError} when a value is not of the form expected
 */
export function readSettings(options: ServiceOptions = {}, env: Environment = process.env): Settings {
  const take = <Key extends keyof typeof SETTINGS>(key: Key) =>
    readSetting<(typeof SETTINGS)[Key]["schema"]>(key, SETTINGS[key], ownValue(options, key), env);
  const socketio = ownValue(options, "socketio") ?? {};
  checkSocketIo(socketio);

  const production = take("production") ?? false;
  const hosts = take("allowedHosts") ?? [];
  const origins = take("allowedOrigins") ?? [];
  const cors = readCors(ownValue(socketio, "cors"), origins);
  return Object.freeze({
    host: take("host") ?? "0.0.0.0",
    port: take("port") ?? 8000,
    production,
    allowedHosts: Object.freeze(hosts.length > 0 || production ? hosts : DEVELOPMENT_HOSTS),
    allowedOrigins: Object.freeze(origins),
    trustProxy: Object.freeze(take("trustProxy") ?? false),
    trustForwardedHost: take("trustForwardedHost") ?? false,
    headersTimeout: take("headersTimeout") ?? DEFAULT_HEADERS_TIMEOUT,
    bodyTimeout: take("bodyTimeout") ?? 30_000,
    maxPackets: take("maxPackets") ?? 50_000,
    maxDepth: take("maxDepth") ?? 256,
    maxNamespaces: take("maxNamespaces") ?? 100,
    maxBuffered: take("maxBuffered") ?? 8 * 1024 * 1024,
    engine: take("engine") ?? "fastest",
    chat: take("chat") ?? !production,
    errors: take("errors") ?? "contain",
    fastPaths: take("fastPaths") ?? true,
    logger: ownValue(options, "logger") ?? console,
    socketio: Object.freeze({
      transports: take("transports") ?? [...TRANSPORTS],
      ...socketio,
      ...(cors && { cors }),
    }),
  });
}
