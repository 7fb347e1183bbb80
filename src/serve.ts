/**
 * serve(): listens on an address for a service, and closes it gracefully. Each launcher makes its own `serve()` with
 * `defineServe(runtime)`.
 */
import process from "node:process";
import { awaitEnd } from "./ending.ts";
import { outliveOutput } from "./output.ts";
import type { Address, Mounted, Runtime, Tls } from "./runtime.ts";
import { readPort, type Settings, SettingsError } from "./settings.ts";

/** Where `serve()` listens, and until when. */
export interface ServeOptions {
  /** Port, 0 to 65535; 0 takes a free one. @default settings.port */
  port?: number;
  /** Host name or IP address of this machine. @default settings.host */
  hostname?: string;
  /** Serves over TLS (`https://`, `wss://`) with this key and certificate. @default none: `http://`, `ws://` */
  tls?: Tls;
  /** When this signal is aborted, the service is closed as by `close()`. @default none */
  signal?: AbortSignal;
  /**
   * Whether SIGINT and SIGTERM close the service as by `close()`, and then end the process with status 0. A second one
   * ends it at once with status 1. Started by npm, the process also ends when npm has gone. @default false
   */
  signals?: boolean;
}

/** A service that is being served. */
export interface Listening {
  /** The service's address for a client on this machine, as `http://127.0.0.1:8000`; over TLS as `https://…`. */
  readonly url: string;
  readonly port: number;
  readonly hostname: string;
  /**
   * Stops gracefully. It opens no new session, sends every client a close packet after the packets that are waiting for
   * it (a client that does not poll is waited for half a second at most), lets pending requests finish (10 seconds at
   * most), and frees the port. Later calls return the same promise.
   */
  readonly close: () => Promise<void>;
}

/**
 * Serves a service on one runtime.
 * @throws {ListenError} when the address cannot be listened on
 * @throws {SettingsError} when `port` or `tls` is not of the form expected
 * @throws {Error} when the service is being served already, and the signal's reason when it is aborted already
 */
export type Serve = (service: Servable, options?: ServeOptions) => Promise<Listening>;

/** The part of a service that a launcher needs. */
export interface Servable {
  readonly settings: Settings;
  /**
   * `io.close()` closes the `httpServer` that Socket.IO finds here, so `serve()` puts an object with a close() there.
   */
  readonly io: { close(): Promise<void>; httpServer: unknown };
  /** Adds the routes that come behind the author's. @throws {Error} while the service is being served already */
  mount(runtime: Runtime): Mounted;
}

/**
 * How long `close()` waits until polling clients have fetched the close packet, in milliseconds. It is short, because a
 * client that is still there sends its next poll at once.
 */
const CLOSE_PACKET_TIMEOUT = 500;

/** How long `close()` waits for pending requests, in milliseconds. */
const PENDING_REQUEST_TIMEOUT = 10_000;

/** Makes the `serve()` of a runtime. */
export function defineServe(runtime: Runtime): Serve {
  return async (service, { port, hostname = service.settings.host, tls, signal, signals = false } = {}) => {
    signal?.throwIfAborted();
    if (service.settings.logger === console) outliveOutput();
    const logError = (error: unknown) => service.settings.logger.error(error);
    const address: Address = {
      port: port === undefined ? service.settings.port : readPort(port),
      hostname,
      tls: tls && readTls(tls),
    };
    const mounted = service.mount(runtime);
    const listener = await runtime.listen(mounted, address).catch(async (cause: unknown) => {
      await mounted.engine.detach(0);
      throw createListenError(cause, address);
    });

    let isIoClosing = false;
    const stop = async () => {
      service.io.httpServer = undefined;
      mounted.engine.refuseSessions();
      const timeout = startTimer(PENDING_REQUEST_TIMEOUT);
      // An adapter that has lost its connection to Redis, say, may never close.
      if (!isIoClosing) await Promise.race([service.io.close().catch(logError), timeout.isOver]);
      // What an author's listener of "disconnect" throws must not leave the port taken.
      await mounted.engine.detach(CLOSE_PACKET_TIMEOUT).catch(logError);
      const listenerClosed = listener.close();
      mounted.closeRoutes();
      await Promise.race([listenerClosed, timeout.isOver]);
      timeout.cancel();
      listener.terminate();
      await listenerClosed;
    };
    let stopped: Promise<void> | undefined;
    const close = () => {
      signal?.removeEventListener("abort", onAbort);
      return (stopped ??= stop().finally(() => stopAwaitingEnd?.()));
    };
    const stopAwaitingEnd = signals ? endOnSignals(close, logError) : undefined;
    const onAbort = () => void close().catch(logError);
    // `io.close()` closes this as if it were Node's HTTP server, so that it frees the port on every runtime.
    service.io.httpServer = {
      close(done: () => void) {
        isIoClosing = true;
        void close().catch(logError).finally(done);
      },
    };
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) {
      await close(); // aborted while the runtime began to listen
      signal.throwIfAborted();
    }
    const url = formatUrl({ ...address, port: listener.port });
    return { url, port: listener.port, hostname, close };
  };
}

/** Closes a service and ends the process when it is told to end. @returns a function that ends the wait for that */
function endOnSignals(close: () => Promise<void>, logError: (error: unknown) => void): () => void {
  const force = () => process.exit(1);
  const stop = () =>
    void close().then(
      () => process.exit(0),
      (error: unknown) => {
        logError(error);
        force();
      },
    );
  return awaitEnd(process.ppid, { stop, force });
}

/** Starts a timer. `cancel()` stops it: a running timer would keep the process alive. */
function startTimer(milliseconds: number): { isOver: Promise<void>; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isOver = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return { isOver, cancel: () => clearTimeout(timer) };
}

/** Formats the URL for a client on this machine. Nobody can connect to a wildcard address, so it names the loopback. */
function formatUrl({ hostname, port, tls }: Address): string {
  const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  return `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "this machine has no such address",
  EINVAL: "this machine has no such address", // Deno's code for EADDRNOTAVAIL
  ENOTFOUND: "no such host",
};

/**
 * Thrown when an address cannot be listened on. The message names the address and the reason; `cause` is the runtime's
 * own error.
 */
export class ListenError extends Error {
  override name = "ListenError";
}

function createListenError(cause: unknown, { hostname, port, tls }: Address): Error {
  if (cause instanceof SettingsError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const known = REASONS[code];
  const reason = known ?? (cause instanceof Error ? cause.message : String(cause));
  const tlsNote = tls && !known ? " with this tls.key and tls.cert" : "";
  return new ListenError(`Cannot listen on ${hostname}:${port}${tlsNote}: ${reason}`, { cause });
}

/**
 * Checks that key and certificate are PEM text. Whether they belong together is for the runtime to find out. Unlike
 * other errors, these do not show the value: a private key must not get into a log.
 */
function readTls({ key, cert }: Tls): Tls {
  const check = (name: string, value: unknown, form: RegExp, label: string) => {
    if (typeof value === "string" && form.test(value)) return;
    throw new SettingsError(`tls.${name} must be PEM text that contains "-----BEGIN ${label}-----"`);
  };
  check("key", key, /-----BEGIN [A-Z ]*PRIVATE KEY-----/, "PRIVATE KEY");
  check("cert", cert, /-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/, "CERTIFICATE");
  return { key, cert };
}
