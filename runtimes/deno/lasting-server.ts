/**
 * Deno.serve that goes on listening. Deno ends a server for good when it cannot accept a connection, which happens when
 * the process has no file descriptor left, and anybody can bring that about with enough idle connections. Its
 * connections stay; only its listener is gone. So another server listens in its place.
 * @see https://github.com/denoland/deno/blob/main/ext/http/http_next.rs (`op_http_serve`)
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { Logger } from "../../src/settings.ts";
import { OutageLog } from "../outage-log.ts";

/**
 * How long nobody listens after a server has ended, in milliseconds: at first, and at most. The pause doubles while the
 * servers end soon, because each of them takes a little memory for as long as the process lasts.
 */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 2000;

/** A server that ends within this time, in milliseconds, has ended soon. */
const SOON = 60_000;

export class LastingServer {
  readonly #options: Deno.ServeTcpOptions & Deno.ServeInit<Deno.NetAddr>;
  readonly #outages: OutageLog;
  /** The one that listens, and those that have ended, which may still have connections. */
  readonly #servers: Deno.HttpServer[] = [];
  #isClosing = false;
  #pause = FIRST_PAUSE;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #startedAt = 0;

  constructor(options: Deno.ServeTcpOptions & Deno.ServeInit<Deno.NetAddr>, logger: Logger) {
    this.#options = options;
    this.#outages = new OutageLog(logger);
  }

  /** Starts to listen. @returns the port @throws {Error} if the address cannot be listened on */
  listen(port: number): number {
    const server = Deno.serve({ ...this.#options, port });
    this.#servers.push(server);
    this.#startedAt = performance.now();
    const listenAgain = (error?: unknown) => this.#listenAgain(server.addr.port, error);
    void server.finished.then(listenAgain, listenAgain);
    return server.addr.port;
  }

  #listenAgain(port: number, error: unknown): void {
    if (this.#isClosing) return;
    this.#outages.report(error instanceof Error ? error.message : "Deno.serve has ended");
    this.#pause =
      performance.now() - this.#startedAt > SOON ? FIRST_PAUSE : Math.min(this.#pause * 2, LONGEST_PAUSE);
    this.#timer = setTimeout(() => {
      try {
        this.listen(port);
      } catch (cause) {
        this.#listenAgain(port, cause);
      }
    }, this.#pause);
  }

  /** Stops accepting connections. Resolves when all are closed. */
  async shutdown(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#servers.map((server) => server.shutdown()));
  }
}
