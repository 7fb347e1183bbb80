/**
 * How the clients of a test reach the service: in memory, or over a port.
 */
import type { ConnInfo } from "hono/conninfo";
import { NativeEngine } from "../engine/native.ts";
import { readOptions } from "../engine/options.ts";
import type { Upgrade } from "../engine/peer.ts";
import { nameType } from "../http/content-type.ts";
import { isAllowedHost } from "../http/hosts.ts";
import { addPageHeaders } from "../http/pages.ts";
import { RequestVisitor } from "../http/visitor.ts";
import type { Bindings, Listener, Mounted, Runtime } from "../runtime.ts";
import { defineServe, type Listening, type Servable, type Serve } from "../serve.ts";
import { MemoryWebSocket } from "./websocket.ts";

/** What a test's requests and connections go through. */
export interface Network {
  /** Where the service is, as `http://localhost`. */
  readonly url: string;
  /** Whether there is no port: then a client can choose its address. */
  readonly isInMemory: boolean;
  /** @param address the client's; undefined leaves it to the network */
  fetch(request: Request, address?: string): Promise<Response>;
  /**
   * Makes a WebSocket handshake.
   * @returns undefined on a port: there a WebSocket of socket.io-client's own is used
   */
  openWebSocket(handshake: Request, address?: string, onRefusal?: OnRefusal): MemoryWebSocket | undefined;
  close(): Promise<void>;
}

/** Is told the answer to a request that was refused. */
export type OnRefusal = (answer: Response) => void;

/** What `c.env` holds in memory. */
interface MemoryEnv extends Bindings {
  readonly remote: ConnInfo["remote"];
}

class MemoryVisitor extends RequestVisitor {
  readonly remote: ConnInfo["remote"];

  constructor(request: Request, remote: ConnInfo["remote"]) {
    super(request);
    this.remote = remote;
  }
}

const visitor = (request: Request, { remote }: MemoryEnv): RequestVisitor =>
  new MemoryVisitor(request, remote);

/** The name of the service's runtime, as a setting that it cannot honour is refused with. */
const NAME = "a service in memory";

/** An answer, and what takes the WebSocket if it stands for a 101. */
interface Answered {
  readonly answer: Response;
  readonly upgrade?: Upgrade | undefined;
}

/** A network in memory, with a service on it: no port is opened. It is the `Runtime` of its service. */
export class MemoryNetwork implements Network, Runtime {
  readonly url: string;
  readonly isInMemory = true;
  readonly name = NAME;
  readonly version = "";
  readonly visitor = visitor;
  #service: Mounted | undefined;
  #listening: Listening | undefined;

  /** @param host a host that the service serves */
  private constructor(host: string) {
    this.url = `http://${host}`;
  }

  /** Serves a service. */
  static async serve(service: Servable): Promise<MemoryNetwork> {
    const network = new MemoryNetwork(chooseHost(service.settings.allowedHosts));
    network.#listening = await defineServe(network)(service, { port: 0, hostname: "localhost" });
    return network;
  }

  async listen(service: Mounted): Promise<Listener> {
    service.engine.attachDriver(new NativeEngine(service.engine, readOptions(service.settings, NAME)));
    this.#service = service;
    return {
      port: 0,
      close: async () => {},
      terminate: () => {
        this.#service = undefined;
      },
    };
  }

  async close(): Promise<void> {
    await this.#listening?.close();
  }

  async fetch(request: Request, address?: string): Promise<Response> {
    const { answer, upgrade } = await this.#answer(request, address);
    if (upgrade) throw new TypeError("A WebSocket handshake has no Response: connect() makes it");
    return answer;
  }

  openWebSocket(handshake: Request, address?: string, onRefusal?: OnRefusal): MemoryWebSocket {
    const socket = new MemoryWebSocket();
    const connect = async () => {
      const { answer, upgrade } = await this.#answer(handshake, address);
      if (upgrade) return socket.accept(upgrade);
      onRefusal?.(answer);
      socket.refuse(`Unexpected server response: ${answer.status}`);
    };
    void connect().catch((error: unknown) => socket.refuse(String(error)));
    return socket;
  }

  /** Runs a request through the Hono chain, as runtimes/fetch.ts does. */
  async #answer(given: Request, address = "127.0.0.1"): Promise<Answered> {
    const service = this.#service;
    if (!service) throw new TypeError("The test's service is closed");
    const request = nameHost(given);
    const addressType = address.includes(":") ? "IPv6" : "IPv4";
    const env: MemoryEnv = { hinoko: service.binding, remote: { address, addressType } };
    try {
      const answer = addPageHeaders(nameType(await service.fetch(request, env)));
      return { answer, upgrade: answer.ok ? env.upgrade : undefined };
    } catch (error) {
      service.settings.logger.error(error);
      return { answer: new Response("Internal Server Error", { status: 500 }) };
    }
  }
}

/** Chooses a host for requests that name none: localhost, or else the first one that is allowed. */
function chooseHost(allowed: readonly string[]): string {
  const [first = "localhost"] = isAllowedHost("localhost", allowed) ? [] : allowed;
  return first.replace(/^\./, "");
}

/** Gives a request the Host of its URL or, where it has a Host, the URL of its Host: on a wire there is only the Host. */
function nameHost(request: Request): Request {
  const url = new URL(request.url);
  const host = request.headers.get("host");
  if (host === url.host) return request;
  if (host === null) {
    request.headers.set("host", url.host);
    return request;
  }
  const own = `${url.protocol}//${host}${url.pathname}${url.search}`;
  return URL.canParse(own) ? new Request(own, request) : request; // the guard refuses what is no host
}

/** A service on a real port of this machine. */
export class PortNetwork implements Network {
  readonly isInMemory = false;
  readonly #listening: Listening;

  private constructor(listening: Listening) {
    this.#listening = listening;
  }

  static async serve(service: Servable, serve: Serve, port: number): Promise<PortNetwork> {
    return new PortNetwork(await serve(service, { port, hostname: "127.0.0.1" }));
  }

  get url(): string {
    return this.#listening.url;
  }

  fetch(request: Request): Promise<Response> {
    return fetch(request);
  }

  /** socket.io-client has WebSockets of its own. */
  openWebSocket(): undefined {}

  async close(): Promise<void> {
    await this.#listening.close();
  }
}
