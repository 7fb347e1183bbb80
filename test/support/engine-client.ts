/**
 * Engine.IO clients that send and receive single packets, also such as a well-behaved client would never send.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import type { Socket as IoSocket, Server } from "socket.io";
import { WebSocket } from "ws";
import { inTime, until } from "./until.ts";

export const POLLING = "/socket.io/?EIO=4&transport=polling";
export const WEBSOCKET = "/socket.io/?EIO=4&transport=websocket";

/** Separates the packets in the body of a polling request or answer. */
export const SEPARATOR = "\x1e";

/** The data of an open packet. */
export interface Open {
  readonly sid: string;
  readonly upgrades: string[];
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxPayload: number;
}

const parseOpen = (packet: string): Open => {
  assert.match(packet, /^0\{/);
  return JSON.parse(packet.slice(1));
};

/** A session over polling. */
export class PollingClient {
  readonly open: Open;
  readonly response: Response;
  readonly url: string;

  private constructor(url: string, open: Open, response: Response) {
    this.url = `${url}${POLLING}&sid=${open.sid}`;
    this.open = open;
    this.response = response;
  }

  static async connect(url: string): Promise<PollingClient> {
    const response = await fetch(url + POLLING);
    const packet = await response.text();
    assert.equal(response.status, 200, packet);
    return new PollingClient(url, parseOpen(packet), response);
  }

  /** Connects to the main namespace of Socket.IO. */
  async join(): Promise<this> {
    assert.equal(await (await this.post("40")).text(), "ok");
    assert.match((await this.packets())[0] ?? "", /^40\{"sid":/);
    return this;
  }

  poll(init?: RequestInit): Promise<Response> {
    return fetch(this.url, init);
  }

  /** The packets of the next poll. */
  async packets(): Promise<string[]> {
    const response = await this.poll();
    const body = await response.text();
    assert.equal(response.status, 200, body);
    return body.split(SEPARATOR);
  }

  post(body: RequestInit["body"], headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url, { method: "POST", body: body ?? null, headers });
  }
}

/** Sends the head and the beginning of a POST. @returns the connection, on which the rest of the body can be sent */
export async function beginPost(client: PollingClient, length: string, body: string): Promise<Socket> {
  const { hostname, port, pathname, search } = new URL(client.url);
  const connection = connectTcp(Number(port), hostname);
  connection.on("error", () => {});
  await once(connection, "connect");
  connection.write(`POST ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n${body}`);
  return connection;
}

/** A session over WebSocket, whose frames are read one by one. */
export class FrameClient {
  readonly socket: WebSocket;
  /** Resolves with the code when the socket is closed. */
  readonly closed: Promise<number>;
  readonly #frames: (string | Buffer)[] = [];
  readonly #waiting: ((frame: string | Buffer) => void)[] = [];

  private constructor(url: string) {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data: Buffer, isBinary) => {
      const frame = isBinary ? data : String(data);
      const waiting = this.#waiting.shift();
      if (waiting) waiting(frame);
      else this.#frames.push(frame);
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => this.socket.once("close", (code) => resolve(code)));
  }

  /** Connects; with a `sid`, as the new transport of that session. */
  static async connect(url: string, sid?: string): Promise<FrameClient> {
    const client = new FrameClient(url.replace(/^http/, "ws") + WEBSOCKET + (sid ? `&sid=${sid}` : ""));
    await new Promise<void>((resolve, reject) => {
      client.socket.once("open", resolve);
      client.socket.once("error", reject);
    });
    return client;
  }

  /** Opens a session, and reads its open packet. */
  static async begin(url: string): Promise<FrameClient> {
    const client = await FrameClient.connect(url);
    await client.open();
    return client;
  }

  /** Opens a session, and connects to the main namespace of Socket.IO. */
  static async join(url: string): Promise<FrameClient> {
    const client = await FrameClient.begin(url);
    client.send("40");
    assert.match(String(await client.frame()), /^40\{"sid":/);
    return client;
  }

  async open(): Promise<Open> {
    return parseOpen(String(await this.frame()));
  }

  frame(): Promise<string | Buffer> {
    const frame = this.#frames.shift();
    if (frame !== undefined) return Promise.resolve(frame);
    return inTime("a frame from the server", new Promise((resolve) => this.#waiting.push(resolve)));
  }

  send(frame: string | Uint8Array): void {
    this.socket.send(frame);
  }

  /** Probes the transport, as the first step of an upgrade. */
  async probe(): Promise<void> {
    this.send("2probe");
    assert.equal(await this.frame(), "3probe");
  }
}

/** Resolves with the next session that the service opens. */
export function nextSession(engine: NodeJS.EventEmitter): Promise<Session> {
  return new Promise((resolve) => engine.once("connection", resolve));
}

/** Resolves with both ends of the session that a client is opening. */
async function bothEnds<Client>(
  engine: NodeJS.EventEmitter,
  opening: Promise<Client>,
): Promise<[client: Client, session: Session]> {
  const session = nextSession(engine);
  return [await opening, await session];
}

/** Opens a session over polling, and resolves with both of its ends. */
export const openPolling = (url: string, engine: NodeJS.EventEmitter) =>
  bothEnds(engine, PollingClient.connect(url));

/** Opens a session over WebSocket, and resolves with both of its ends. */
export const openWebSocket = (url: string, engine: NodeJS.EventEmitter) =>
  bothEnds(engine, FrameClient.begin(url));

/** Opens a session over WebSocket, connects to the main namespace, and resolves with both ends. */
export async function joinWebSocket(
  url: string,
  io: Server,
): Promise<[client: FrameClient, socket: IoSocket]> {
  const joined = new Promise<IoSocket>((resolve) => io.once("connection", resolve));
  return [await FrameClient.join(url), await joined];
}

/** The members of a session on the server that the tests use. */
export interface Session extends NodeJS.EventEmitter {
  readonly id: string;
  readonly protocol: number;
  readonly readyState: string;
  readonly upgraded: boolean;
  readonly remoteAddress: string;
  readonly transport: { readonly name: string; readonly writable: boolean };
  readonly writeBuffer: unknown[];
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Record<string, string>;
    readonly _query: Record<string, string>;
    readonly connection: { readonly encrypted?: boolean };
  };
  send(data: string | Uint8Array, options?: object, callback?: () => void): void;
  close(discard?: boolean): void;
}

/** Resolves with the reason and the description when a session closes. */
export const ending = (session: Session): Promise<[reason: string, description: unknown]> =>
  new Promise((resolve) => session.once("close", (reason, description) => resolve([reason, description])));

/** Resolves when a transport is writable: polling while a poll is pending, WebSocket while its client keeps up. */
export const writable = (session: Pick<Session, "transport">): Promise<void> =>
  until("a session that can be written to", () => session.transport.writable);

/** Resolves when a server has no session left. */
export const allGone = (engine: { readonly clientsCount: number }): Promise<void> =>
  until("the end of all sessions", () => engine.clientsCount === 0);
