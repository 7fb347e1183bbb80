/**
 * serve(): how a service is listened on, and how it is closed. `defineServe()` makes it of a runtime.
 */
import { outliveOutput } from "./output.ts";
import type { Address, Mounted, Runtime, Tls } from "./runtime.ts";
import { readPort, type Settings, SettingsError } from "./settings.ts";

/** Where to listen, and until when. */
export interface ServeOptions {
  /** Port, 0 to 65535; 0 takes a free one. @default settings.port */
  port?: number;
  /** Host name or IP address of this machine. @default settings.host */
  hostname?: string;
  /** Serves over TLS: `https://`, `wss://`. */
  tls?: Tls;
  /** Closes the service gracefully when it is aborted. */
  signal?: AbortSignal;
}

/** A service that is being served. */
export interface Listening {
  /** The service's address for a client on this machine, as `http://127.0.0.1:8000`; over TLS as `https://…`. */
  readonly url: string;
  readonly port: number;
  readonly hostname: string;
  /**
   * Stops gracefully: opens no session any more, tells every client behind what was sent to it (waiting half a second
   * at the most for one that does not listen), lets the requests under way finish (10 seconds at the most), frees
   * the port. Later calls return the same promise.
   */
  readonly close: () => Promise<void>;
}

/** Serves a service on one runtime. Rejects when the address cannot be listened on. */
export type Serve = (service: Servable, options?: ServeOptions) => Promise<Listening>;

/** The part of a service that a launcher needs. */
export interface Servable {
  readonly settings: Settings;
  /** `httpServer` is what Socket.IO closes with `io.close()`. */
  readonly io: { close(): Promise<void>; httpServer: unknown };
  /** Mounts the routes that come last. Throws while the service is being served already. */
  mount(runtime: Runtime): Mounted;
}

/** How long `close()` waits for polling clients to fetch the close packet, in milliseconds: they poll again at once. */
const LINGER = 500;

/** How long `close()` waits for requests that are under way, in milliseconds. */
const GRACE = 10_000;

/** Makes the `serve()` of a runtime. */
export function defineServe(runtime: Runtime): Serve {
  return async (service, { port, hostname = service.settings.host, tls, signal } = {}) => {
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
      throw listenError(cause, address);
    });

    let isIoClosing = false;
    const stop = async () => {
      service.io.httpServer = undefined;
      mounted.engine.refuseSessions();
      const patience = startTimer(GRACE);
      // An adapter whose backplane is gone may never close.
      if (!isIoClosing) await Promise.race([service.io.close().catch(logError), patience.isOver]);
      await mounted.engine.detach(LINGER);
      const idle = listener.close();
      mounted.closeRoutes();
      await Promise.race([idle, patience.isOver]);
      patience.cancel();
      listener.terminate();
      await idle;
    };
    let stopped: Promise<void> | undefined;
    const close = () => {
      signal?.removeEventListener("abort", onAbort);
      return (stopped ??= stop());
    };
    const onAbort = () => void close().catch(logError);
    // What Socket.IO closes with `io.close()`, so that it frees the port as with a server of Node's.
    service.io.httpServer = {
      close(done: () => void) {
        isIoClosing = true;
        void close().catch(logError).finally(done);
      },
    };
    signal?.addEventListener("abort", onAbort);
    const url = urlOf({ ...address, port: listener.port });
    return { url, port: listener.port, hostname, close };
  };
}

/** A time that may be cancelled, so that it does not keep the process from ending. */
function startTimer(milliseconds: number): { isOver: Promise<void>; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isOver = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  return { isOver, cancel: () => clearTimeout(timer) };
}

/** A wildcard address can be listened on but not called: the URL names the loopback instead. */
function urlOf({ hostname, port, tls }: Address): string {
  const host = hostname === "0.0.0.0" ? "127.0.0.1" : hostname === "::" ? "::1" : hostname;
  return `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "this machine has no such address",
  EINVAL: "this machine has no such address", // what Deno says for the same
  ENOTFOUND: "no such host",
};

/** An address that cannot be listened on. The message names it and the reason; `cause` is the runtime's own error. */
export class ListenError extends Error {
  override name = "ListenError";
}

function listenError(cause: unknown, { hostname, port, tls }: Address): Error {
  if (cause instanceof SettingsError) return cause;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const known = REASONS[code];
  const reason = known ?? (cause instanceof Error ? cause.message : String(cause));
  const how = tls && !known ? " with this tls.key and tls.cert" : "";
  return new ListenError(`Cannot listen on ${hostname}:${port}${how}: ${reason}`, { cause });
}

/** Checks the form; whether they belong together, the runtime says. A message never shows what was given: it is secret. */
function readTls({ key, cert }: Tls): Tls {
  const check = (name: string, value: unknown, form: RegExp, label: string) => {
    if (typeof value === "string" && form.test(value)) return;
    throw new SettingsError(`tls.${name} must be PEM text that contains "-----BEGIN ${label}-----"`);
  };
  check("key", key, /-----BEGIN [A-Z ]*PRIVATE KEY-----/, "PRIVATE KEY");
  check("cert", cert, /-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/, "CERTIFICATE");
  return { key, cert };
}
