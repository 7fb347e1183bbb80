/**
 * A client of a test: socket.io-client's socket, with waits that are bounded, and with what a test does to a connection.
 */
import { Manager, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import type { Events } from "../realtime/server.ts";
import { Inbox, type ReceivedEvent } from "./inbox.ts";
import { Line } from "./line.ts";
import type { Network } from "./network.ts";
import { omitOffset } from "./offset.ts";
import { ConnectError, inTime } from "./refusal.ts";
import { createTransports, type TransportName } from "./transports.ts";

/** Options of socket.io-client that a test may give too: `query`, `parser`, `reconnection`, `ackTimeout`… */
type OwnOptions = Omit<
  Partial<ManagerOptions & SocketOptions>,
  "auth" | "extraHeaders" | "timeout" | "transports" | "transportImplementations" | "forceNew" | "autoConnect"
>;

/** How a client connects. */
export interface ConnectOptions extends OwnOptions {
  /** What `socket.handshake.auth` is. @default none */
  auth?: Record<string, unknown>;
  /** Headers of each request and handshake; a `host` too. @default none */
  headers?: Record<string, string>;
  /** Cookies, as `{ session: "abc" }`. Values are URI-encoded, as Hono's `setCookie()` does it. @default none */
  cookies?: Record<string, string>;
  /** The client's IP address, in memory only. @default "127.0.0.1" */
  address?: string;
  /** The transports to try; with both, the client upgrades from polling to WebSocket. @default ["websocket"] */
  transports?: TransportName[];
  /** How long each wait of this client may take, in milliseconds. @default that of the service's options */
  timeout?: number;
}

/** What `next()` resolves with: the one argument, or the arguments of an event with none or several. */
export type Payload<Args extends readonly unknown[]> = number extends Args["length"]
  ? Args[number]
  : Args extends readonly [infer One]
    ? One
    : 1 extends Args["length"]
      ? Args | Args[0]
      : Args;

/** The arguments of an event. */
type ArgsOf<Listener> = Listener extends (...args: infer Args) => void ? Args : never;

/**
 * A namespace that no service has, but for a number behind it. The answer to a connection to it comes behind all that was
 * sent before.
 */
const ROUND_TRIP = "/hinoko:round-trip:";

/** What a client needs to know of its test. */
export interface Surroundings {
  readonly network: Network;
  readonly path: string;
  readonly timeout: number;
  /** Whether the server offers a WebSocket to clients on polling. */
  readonly offersUpgrades: boolean;
  /** Whether the server adds offsets to its events, for connection state recovery. */
  readonly hasOffsets: boolean;
  /** Resolves when the server has taken what any client has sent. */
  settle(): Promise<void>;
}

export class TestClient<
  ServerEvents extends Events<ServerEvents>,
  ClientEvents extends Events<ClientEvents>,
> {
  /** The plain Socket of socket.io-client. */
  readonly socket: Socket<ServerEvents, ClientEvents>;
  /** Sends an event, as `socket.emit()`. */
  readonly emit: Socket<ServerEvents, ClientEvents>["emit"];
  /** Sends an event, and resolves with its acknowledgement; rejects when that takes too long. */
  readonly emitWithAck: Socket<ServerEvents, ClientEvents>["emitWithAck"];
  readonly #inbox = new Inbox();
  readonly #line: Line;
  readonly #surroundings: Surroundings;
  readonly #timeout: number;
  readonly #namespace: string;
  #lastReason: string | undefined;
  /** Resolves at the end of the upgrade from polling to WebSocket, if there is one. */
  #upgrade: Promise<void> | undefined;
  /** The round trip under way: they go one after the other. */
  #roundTrip: Promise<void> = Promise.resolve();
  /** The number behind ROUND_TRIP. */
  #number = 0;

  /** Makes a client that is not connected yet. */
  constructor(
    namespace: string,
    { auth, headers, cookies = {}, address, transports = ["websocket"], timeout, ...own }: ConnectOptions,
    surroundings: Surroundings,
  ) {
    const { network, path } = surroundings;
    this.#namespace = namespace;
    this.#surroundings = surroundings;
    this.#timeout = timeout ?? surroundings.timeout;
    this.#line = new Line(network, { headers: withCookies(headers, cookies), address });
    const manager = new Manager<ServerEvents, ClientEvents>(network.url, {
      path,
      // Short, so that a test does not wait for a client that connects again.
      reconnectionDelay: 10,
      reconnectionDelayMax: 100,
      randomizationFactor: 0,
      ...own,
      transports: createTransports(this.#line, transports),
      autoConnect: false,
    });
    const socket: Socket<ServerEvents, ClientEvents> = manager.socket(namespace, auth ? { auth } : {});
    this.socket = socket;
    this.emit = (event, ...args) => socket.emit(event, ...args);
    this.emitWithAck = async (event, ...args) =>
      await this.#inTime(`an acknowledgement of "${String(event)}"`, socket.emitWithAck(event, ...args));
    const canUpgrade = transports.length > 1 && (own.upgrade ?? true) && surroundings.offersUpgrades;
    manager.on("open", () => {
      const isUpgrading = canUpgrade && manager.engine.transport.name === "polling";
      this.#upgrade = isUpgrading ? whenUpgraded(manager.engine) : undefined;
    });
    const { hasOffsets } = surroundings;
    socket.onAny((event: string, ...args: unknown[]) =>
      this.#inbox.add(event, hasOffsets ? omitOffset(args) : args),
    );
    socket.on("connect", () => this.#inbox.open());
    socket.on("disconnect", (reason) => this.#noteEnd(reason));
  }

  /** All events that have arrived, in order. */
  get received(): readonly ReceivedEvent[] {
    return this.#inbox.received;
  }

  /** Connects. @throws {ConnectError} when the service refuses the client */
  async connect(): Promise<this> {
    const { socket } = this;
    const failed = new Promise<Error>((resolve) => socket.once("connect_error", resolve));
    const refused = failed.then(async (error) => Promise.reject(await this.#explain(error)));
    socket.connect();
    try {
      await this.#inTime(
        `the connection to "${this.#namespace}"`,
        Promise.race([this.#whenConnected(), refused]),
      );
    } catch (error) {
      socket.disconnect();
      throw error;
    }
    return this;
  }

  /**
   * Takes the next event of this name: the first one that was not taken yet, or else the next one that arrives.
   * @param timeout in milliseconds @default that of the client
   * @returns its argument, or the arguments of an event with none or several
   * @throws {Error} that tells what came instead, when none comes in time or the client was disconnected for good
   */
  next<Name extends keyof ServerEvents & string>(
    event: Name,
    timeout?: number,
  ): Promise<Payload<ArgsOf<ServerEvents[Name]>>>;
  async next(event: string, timeout = this.#timeout): Promise<unknown> {
    const { args } = await this.#inbox.take(event, timeout);
    return args.length === 1 ? args[0] : args;
  }

  /**
   * Fails if an event of this name (of any name, if none is given) has arrived that `next()` has not taken, or is on its
   * way. It does not sleep: it makes a round trip behind all that was sent.
   *
   * What it proves: everything that any client of this test has emitted before the call has reached its listeners, and
   * what these have sent before they waited for a timer, a file or a network has arrived here. It cannot know what a
   * listener sends after such a wait: wait for that first, for example with `emitWithAck()`.
   */
  async nothing(event?: keyof ServerEvents & string): Promise<void> {
    const what = event === undefined ? "no event" : `no "${event}"`;
    if (this.#line.isStalled) throw new Error(`Cannot tell that ${what} comes to a client that is stalled`);
    if (!this.socket.connected)
      throw new Error(`Cannot tell that ${what} comes to a client without a connection`);
    await this.#surroundings.settle();
    await this.roundTrip();
    this.#inbox.expectNone(event);
  }

  /** Loses the connection without a word, and resolves when the client has noticed. It connects again by itself. */
  async drop(): Promise<void> {
    // A server finds out only by its ping timeout that it has lost a client during an upgrade.
    if (this.#upgrade) await this.#inTime("the end of the upgrade", this.#upgrade);
    if (this.#upgrade && this.isAnswering) await this.roundTrip();
    const lost = this.#whenLost();
    this.#line.cut();
    await this.#inTime("the loss of the connection", lost);
  }

  /** Stops to read: what the server sends waits there. In memory, or on polling. */
  stall(): void {
    this.#line.stall();
  }

  /** Reads again. */
  resume(): void {
    this.#line.resume();
  }

  /** Waits until the client is connected, again after `drop()`. */
  async connected(): Promise<void> {
    await this.#inTime(`the connection to "${this.#namespace}"`, this.#whenConnected());
  }

  /** Waits until the client is disconnected. @returns the reason, as socket.io-client's "disconnect" event has it */
  async disconnected(): Promise<string> {
    await this.#inTime("the end of the connection", this.#whenLost());
    return this.#lastReason ?? "it was never connected";
  }

  /** Disconnects, as the client's user does: it does not connect again. */
  disconnect(): void {
    if (!this.socket.active) return;
    this.socket.disconnect();
    this.#noteEnd("io client disconnect"); // it emits no event while it is connecting again
  }

  /** Whether it can make a round trip. @internal */
  get isAnswering(): boolean {
    return this.socket.connected && !this.#line.isStalled;
  }

  /** Waits for an answer of the server's that comes behind all that it has sent to this client. @internal */
  roundTrip(): Promise<void> {
    const trip = this.#roundTrip.then(() => this.#goAround());
    this.#roundTrip = trip.catch(() => {});
    return trip;
  }

  /** Disconnects for the end of the test, with all namespaces that were opened over its connection. @internal */
  leave(): void {
    this.socket.io.reconnection(false);
    this.disconnect();
  }

  /** Cuts the connection, if there still is one. @internal */
  cut(): void {
    this.#line.cut();
  }

  async #goAround(): Promise<void> {
    const { io: manager } = this.socket;
    const probe = manager.socket(ROUND_TRIP + this.#number);
    let lose = (): void => {};
    const answered = new Promise<void>((resolve, reject) => {
      probe.once("connect_error", () => resolve()); // there is no such namespace
      probe.once("connect", () => {
        // The author's function accepts any name. Socket.IO loses track of a client that leaves and joins in one turn.
        this.#number++;
        resolve();
      });
      lose = () => reject(new Error("The connection was lost on a round trip to the server"));
    });
    manager.once("close", lose);
    try {
      probe.connect();
      await this.#inTime("a round trip to the server", answered);
    } finally {
      manager.off("close", lose);
      probe.removeAllListeners();
      probe.disconnect();
    }
  }

  #whenConnected(): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      if (socket.connected) resolve();
      else socket.once("connect", () => resolve());
    });
  }

  #whenLost(): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      if (!socket.connected) resolve();
      else socket.once("disconnect", () => resolve());
    });
  }

  #noteEnd(reason: string): void {
    this.#lastReason = reason;
    if (!this.socket.active) this.#inbox.close(`the client was disconnected (${reason})`);
  }

  async #explain(error: Error & { type?: string; data?: unknown }): Promise<ConnectError> {
    // The others come from a middleware of a namespace: the requests below were accepted.
    const refusal = error.type === "TransportError" ? await this.#line.refusal : undefined;
    if (!refusal) return new ConnectError(error.message, { data: error.data }, error);
    const body = typeof refusal.body === "string" ? refusal.body : JSON.stringify(refusal.body);
    return new ConnectError(`The connection was refused with ${refusal.status}: ${body}`, refusal, error);
  }

  async #inTime<T>(what: string, promise: Promise<T>): Promise<T> {
    return await inTime(promise, this.#timeout, () => `Waited ${this.#timeout} ms for ${what} in vain`);
  }
}

/** Waits for the end of an upgrade, good or bad. */
function whenUpgraded(engine: Manager["engine"]): Promise<void> {
  return new Promise((resolve) => {
    engine.once("upgrade", () => resolve());
    engine.once("upgradeError", () => resolve());
    engine.once("close", () => resolve());
  });
}

/** Adds cookies to the headers, behind those that the headers have. */
export function withCookies(
  given: ConstructorParameters<typeof Headers>[0],
  cookies: Record<string, string>,
): Headers {
  const headers = new Headers(given);
  const own = Object.entries(cookies).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  const all = [headers.get("cookie"), ...own].filter(Boolean);
  if (all.length > 0) headers.set("cookie", all.join("; "));
  return headers;
}
