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

/** A session over long-polling. */
export class PollingSession {
  readonly #endpoint: Endpoint;
  readonly #http: HttpClient;
  readonly sid: string;

  private constructor(endpoint: Endpoint, http: HttpClient, sid: string) {
    this.#endpoint = endpoint;
    this.#http = http;
    this.sid = sid;
  }

  static async open(endpoint: Endpoint): Promise<PollingSession> {
    const http = new HttpClient(endpoint);
    const greeting = await http.ask(request(endpoint, "GET", `${PATH}polling`));
    const { sid }: { sid: string } = JSON.parse(greeting.toString().slice(1));
    const session = new PollingSession(endpoint, http, sid);
    await session.ask(session.posting("40"));
    await session.ask(session.polling());
    return session;
  }

  /** A request that polls. */
  polling(): Buffer {
    return request(this.#endpoint, "GET", `${PATH}polling&sid=${this.sid}`);
  }

  /** A request that sends a packet. */
  posting(packet: string): Buffer {
    return request(this.#endpoint, "POST", `${PATH}polling&sid=${this.sid}`, packet);
  }

  ask(request: Buffer): Promise<Buffer> {
    return this.#http.ask(request);
  }

  /** Moves the session to a WebSocket. */
  async upgrade(): Promise<Client> {
    const client = await Client.open(this.#endpoint, `${PATH}websocket&sid=${this.sid}`);
    const probed = new Promise<void>((resolve) => {
      client.onMessage = () => resolve();
    });
    client.send(frame("2probe"));
    await probed;
    client.send(frame("5"));
    this.#http.close();
    listen(client, () => {});
    return client;
  }

  close(): void {
    this.#http.close();
  }
}

/** Closes all of them, and waits until the server has closed its ends. */
export async function closeAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}
