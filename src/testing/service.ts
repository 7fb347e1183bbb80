/**
 * testService(): serves a service for a test, in memory or on a port, and closes it with everything that is connected.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { DefaultEventsMap, Socket } from "socket.io";
import type { Events } from "../realtime/server.ts";
import type { Serve } from "../serve.ts";
import { createService, type Service } from "../service.ts";
import type { ServiceOptions } from "../settings.ts";
import { type ConnectOptions, TestClient, withCookies } from "./client.ts";
import { MemoryNetwork, type Network, PortNetwork } from "./network.ts";

/** How a service is served for a test. */
export interface TestOptions {
  /** Serves on this port of 127.0.0.1, 0 for a free one, with the launcher of the runtime. @default none: in memory */
  port?: number;
  /** How long each wait may take, in milliseconds. @default 2000 */
  timeout?: number;
}

/** The same for an app, whose service is created for the test. */
export interface TestAppOptions extends TestOptions {
  /** What `createService()` gets. @default none */
  settings?: ServiceOptions;
}

/** A request of a test. */
export interface TestRequest extends RequestInit {
  /** Cookies, as `{ session: "abc" }`. @default none */
  cookies?: Record<string, string>;
  /** The client's IP address, in memory only. @default "127.0.0.1" */
  address?: string;
}

/** How long `close()` waits for the clients to have left, in milliseconds. */
const LEAVE_TIMEOUT = 500;

/** A service that is served for a test. `await using` closes it; without that, call `close()`. */
export class TestService<
  ClientEvents extends Events<ClientEvents>,
  ServerEvents extends Events<ServerEvents>,
  InterServerEvents extends Events<InterServerEvents>,
  SocketData,
> {
  readonly service: Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>;
  readonly #network: Network;
  readonly #timeout: number;
  readonly #clients: Pick<TestClient<never, never>, "isAnswering" | "roundTrip" | "leave" | "cut">[] = [];
  #closed: Promise<void> | undefined;

  constructor(
    service: Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>,
    network: Network,
    { timeout = 2000 }: TestOptions,
  ) {
    this.service = service;
    this.#network = network;
    this.#timeout = timeout;
  }

  /** Where the service is: `http://127.0.0.1:PORT`, or `http://localhost` in memory, where only `request` reaches it. */
  get url(): string {
    return this.#network.url;
  }

  /**
   * Makes a request, as Hono's `app.request()`, but through the guards and with an address, as one that arrives from a
   * network. It can be given to Hono's client: `hc<App>(t.url, { fetch: t.request })`.
   * @param input a path, a URL or a Request
   */
  readonly request = (input: string | URL | Request, init: TestRequest = {}): Promise<Response> => {
    const { cookies = {}, address, ...own } = init;
    this.#checkAddress(address);
    const target = input instanceof Request ? input : new URL(input, this.url);
    const request = new Request(target, own);
    if (Object.keys(cookies).length === 0) return this.#network.fetch(request, address);
    return this.#network.fetch(
      new Request(request, { headers: withCookies(request.headers, cookies) }),
      address,
    );
  };

  /**
   * Connects a client, with a connection of its own.
   * @throws {ConnectError} when the service refuses it, with the status and the body of the answer, or with the message
   *   and the data of a middleware of `io`
   */
  connect<Received extends Events<Received> = ServerEvents, Sent extends Events<Sent> = ClientEvents>(
    namespace = "/",
    options: ConnectOptions = {},
  ): Promise<TestClient<Received, Sent>> {
    this.#checkAddress(options.address);
    const { transports, allowUpgrades, connectionStateRecovery } = this.service.settings.socketio;
    const client = new TestClient<Received, Sent>(namespace, options, {
      network: this.#network,
      path: this.service.io.path(),
      timeout: this.#timeout,
      offersUpgrades: allowUpgrades !== false && (transports?.includes("websocket") ?? true),
      hasOffsets: Boolean(connectionStateRecovery),
      settle: () => this.#settle(),
    });
    this.#clients.push(client);
    return client.connect();
  }

  /** Waits until the server has taken what the clients have sent. */
  async #settle(): Promise<void> {
    const answering = this.#clients.filter(({ isAnswering }) => isAnswering);
    const trips = answering.map((client) =>
      client.roundTrip().catch((error) => {
        if (client.isAnswering) throw error; // one that was lost meanwhile has nothing on its way any more
      }),
    );
    await Promise.all(trips);
  }

  #checkAddress(address: string | undefined): void {
    if (address === undefined || this.#network.isInMemory) return;
    throw new TypeError(`address can be chosen in memory only, not on a port (got "${address}")`);
  }

  /** Ends every client, and closes the service. Later calls return the same promise. */
  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /**
   * Waits until no session is open. A session that the service has to close itself while its client is between two polls
   * would keep the process alive for half a minute, with engine.io.
   */
  async #whenLeft(): Promise<void> {
    const { engine } = this.service.io;
    const deadline = performance.now() + LEAVE_TIMEOUT;
    while (engine.clientsCount > 0 && performance.now() < deadline) await sleep(1);
  }

  async #close(): Promise<void> {
    for (const client of this.#clients) client.leave();
    await this.#whenLeft();
    await this.#network.close();
    for (const client of this.#clients) client.cut();
    await setImmediate(); // what the two ends of a connection still had to tell each other
  }
}

/** The function that `hinoko/testing` exports. */
export interface TestServe {
  /** Serves a service for a test. It must not be served already. */
  <
    ClientEvents extends Events<ClientEvents>,
    ServerEvents extends Events<ServerEvents>,
    InterServerEvents extends Events<InterServerEvents>,
    SocketData,
  >(
    service: Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>,
    options?: TestOptions,
  ): Promise<TestService<ClientEvents, ServerEvents, InterServerEvents, SocketData>>;
  /** Serves an app for a test, as `hinoko runserver --app` does: a function that adds routes and listeners. */
  <
    ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
    ServerEvents extends Events<ServerEvents> = ClientEvents,
    InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
    SocketData = Socket["data"],
  >(
    app: (service: Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>) => unknown,
    options?: TestAppOptions,
  ): Promise<TestService<ClientEvents, ServerEvents, InterServerEvents, SocketData>>;
}

/** Makes `testService()`. @param findServe finds the `serve()` of the runtime at hand */
export function defineTestService(findServe: () => Promise<Serve>): TestServe {
  return async <
    ClientEvents extends Events<ClientEvents>,
    ServerEvents extends Events<ServerEvents>,
    InterServerEvents extends Events<InterServerEvents>,
    SocketData,
  >(
    given:
      | Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>
      | ((service: Service<ClientEvents, ServerEvents, InterServerEvents, SocketData>) => unknown),
    { settings, ...options }: TestAppOptions = {},
  ) => {
    const create = () => createService<ClientEvents, ServerEvents, InterServerEvents, SocketData>(settings);
    const service = typeof given === "function" ? create() : given;
    if (typeof given === "function") await given(service);
    const { port } = options;
    const network =
      port === undefined
        ? await MemoryNetwork.serve(service)
        : await PortNetwork.serve(service, await findServe(), port);
    return new TestService(service, network, options);
  };
}
