/**
 * Bun.serve that stops listening while the process has no file descriptors left, which anybody can bring about with
 * enough idle connections. Bun itself would try again and again to accept the connection that waits, which keeps the
 * processor busy. Clients that are connected stay; others are refused until descriptors are free.
 */
import { closeSync, openSync } from "node:fs";
import { clearInterval, setInterval } from "node:timers";
import type { Logger } from "../../src/settings.ts";
import { OutageLog } from "../outage-log.ts";

type Server<Data> = Bun.Server<Data>;

/** How often to look for free descriptors, in milliseconds. */
const INTERVAL = 500;

/** How many have to be free before it listens again. */
const SPARE = 4;

export class LastingServer<Data> {
  readonly #open: (port: number) => Server<Data>;
  readonly #outages: OutageLog;
  /** The one that listens, and those that have stopped and still have connections. */
  readonly #servers = new Set<Server<Data>>();
  #listening: Server<Data> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param open calls Bun.serve; throws if the address cannot be listened on */
  constructor(open: (port: number) => Server<Data>, logger: Logger) {
    this.#open = open;
    this.#outages = new OutageLog(logger);
  }

  /** Starts to listen. @returns the port @throws {Error} if the address cannot be listened on */
  listen(given: number): number {
    this.#listening = this.#open(given);
    this.#servers.add(this.#listening);
    const port = this.#listening.port ?? given;
    this.#timer ??= setInterval(() => this.#look(port), INTERVAL);
    this.#timer.unref();
    return port;
  }

  #look(port: number): void {
    if (this.#listening) {
      if (hasDescriptors(1)) return;
      this.#outages.report("no file descriptors are left (see ulimit -n)");
      const server = this.#listening;
      this.#listening = undefined;
      this.#timer?.ref(); // nothing else may keep the process alive now
      void server.stop().finally(() => this.#servers.delete(server));
    } else if (hasDescriptors(SPARE)) {
      try {
        this.listen(port);
      } catch (error) {
        this.#outages.report(error instanceof Error ? error.message : String(error));
      }
    }
  }

  /** Publishes a frame to a topic. @returns whether all of its subscribers keep up */
  publish(topic: string, frame: string | Uint8Array): boolean {
    let keepUp = true;
    for (const server of this.#servers) {
      if (server.publish(topic, frame) === -1) keepUp = false;
    }
    return keepUp;
  }

  /** Stops accepting connections. Resolves when all are closed. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    const servers = [...this.#servers];
    const stopped = Promise.all(servers.map((server) => server.stop()));
    // Bun waits for connections on which no request was made yet, and browsers open some in advance. Look again and
    // again: others become idle when their request is answered.
    const sweep = setInterval(() => {
      for (const server of servers) server.closeIdleConnections();
    }, 50);
    await stopped;
    clearInterval(sweep);
  }

  /** Drops the connections that are still open. */
  terminate(): void {
    for (const server of this.#servers) void server.stop(true);
  }
}

/** Whether this process can open so many more files or connections. */
function hasDescriptors(count: number): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync("/dev/null", "r"));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code !== "EMFILE" && code !== "ENFILE";
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
