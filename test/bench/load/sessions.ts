/**
 * Socket.IO sessions for the load generator, and the packets that they send.
 * @see https://socket.io/docs/v4/socket-io-protocol/
 */
import { HttpClient, request } from "./http.ts";
import { Client, type Endpoint, frame } from "./websocket.ts";

const PATH = "/socket.io/?EIO=4&transport=";

/** "4" is Engine.IO's message, "0" Socket.IO's CONNECT. */
const CONNECT = frame("40");
const PONG = frame("3");
const PROBE = frame("2probe");
const UPGRADE = frame("5");
const OPEN = "0".charCodeAt(0);
const PING = "2".charCodeAt(0);

/** Opens a session over WebSocket, and answers its heartbeat from then on. */
export async function openSession(endpoint: Endpoint): Promise<Client> {
  const client = await Client.open(endpoint, `${PATH}websocket`);
  await new Promise<void>((resolve, reject) => {
    client.onClose = () => reject(new Error("The session was closed"));
    client.onMessage = (data) => {
      if (data[0] === OPEN) client.send(CONNECT);
      else resolve();
    };
  });
  client.onClose = () => {};
  listen(client, () => {});
  return client;
}

/** Has a session's messages counted or looked at; its pings are answered. */
export function listen(client: Client, onMessage: (data: Buffer, isBinary: boolean) => void): void {
  client.onMessage = (data, isBinary) => {
    if (!isBinary && data.length === 1 && data[0] === PING) client.send(PONG);
    else onMessage(data, isBinary);
  };
}

/** Opens many sessions, some at a time. */
export async function openSessions(
  count: number,
  openOne: () => Promise<Client>,
  abreast = 50,
): Promise<Client[]> {
  const clients: Client[] = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) clients.push(await openOne());
  };
  await Promise.all(Array.from({ length: Math.min(abreast, count) }, worker));
  return clients;
}

/** A session over long-polling, whose requests take turns on one connection. */
export class PollingSession {
  readonly #http: HttpClient;
  readonly #endpoint: Endpoint;
  readonly #sid: string;
  readonly #poll: Buffer;
  readonly #pong: Buffer;

  private constructor(endpoint: Endpoint, http: HttpClient, sid: string) {
    this.#endpoint = endpoint;
    this.#http = http;
    this.#sid = sid;
    this.#poll = request(endpoint, "GET", `${PATH}polling&sid=${sid}`);
    this.#pong = this.posting("3");
  }

  static async open(endpoint: Endpoint): Promise<PollingSession> {
    const http = new HttpClient(endpoint);
    const greeting = await http.ask(request(endpoint, "GET", `${PATH}polling`));
    const { sid }: { sid: string } = JSON.parse(greeting.toString().slice(1));
    const session = new PollingSession(endpoint, http, sid);
    await session.send(session.posting("40"));
    await session.poll();
    return session;
  }

  /** A request that sends a packet. */
  posting(packet: string): Buffer {
    return request(this.#endpoint, "POST", `${PATH}polling&sid=${this.#sid}`, packet);
  }

  send(posting: Buffer): Promise<Buffer> {
    return this.#http.ask(posting);
  }

  /** Resolves with the packets that a poll brings; a ping among them is answered. */
  async poll(): Promise<string[]> {
    const packets = (await this.#http.ask(this.#poll)).toString().split("\x1e");
    if (packets.includes("2")) await this.send(this.#pong);
    return packets;
  }

  /** Moves the session to a WebSocket as clients do: with a poll pending, which the server ends. */
  async upgrade(): Promise<Client> {
    const polled = this.poll();
    const opened = Client.open(this.#endpoint, `${PATH}websocket&sid=${this.#sid}`);
    const [client] = await Promise.all([opened.then(probe), polled]);
    client.send(UPGRADE);
    listen(client, () => {});
    this.#http.close();
    return client;
  }

  /** Ends the session. */
  async close(): Promise<void> {
    await this.send(this.posting("1"));
    this.#http.close();
  }
}

/** Resolves when the server has answered over the WebSocket. */
const probe = (client: Client): Promise<Client> =>
  new Promise((resolve, reject) => {
    client.onMessage = () => resolve(client);
    client.onClose = () => reject(new Error("The upgrade was refused"));
    client.send(PROBE);
  });

/** Closes all of them, and waits until the server has closed its ends. */
export async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}
