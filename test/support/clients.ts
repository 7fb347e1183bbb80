/**
 * Clients of every kind: socket.io-client, raw WebSockets, and bytes on a TCP connection.
 */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { type ClientOptions, WebSocket } from "ws";

/** The `transports` option of a client for each way to connect; "upgraded" starts with polling, then upgrades. */
export const TRANSPORTS = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgraded: ["polling", "websocket"],
} satisfies Record<string, ("polling" | "websocket")[]>;
export type Over = keyof typeof TRANSPORTS;
export const overs: Over[] = ["polling", "websocket", "upgraded"];

/** Connects a socket.io-client with a connection of its own; rejects when the server refuses it. */
export async function connect(
  url: string,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<Socket> {
  const socket = io(url, { forceNew: true, reconnection: false, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", (error) => {
      socket.disconnect();
      reject(error);
    });
  });
  return socket;
}

/** Resolves with the arguments of the next event of this name. */
export const next = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

/** Collects the first argument of each event of this name from now on, in an array that grows. */
export function collect(socket: Socket, event: string): unknown[] {
  const heard: unknown[] = [];
  socket.on(event, (value: unknown) => heard.push(value));
  return heard;
}

export interface Handshake {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body of a refusal; "" when the handshake succeeded. */
  readonly body: string;
  /** The open WebSocket when the handshake succeeded. */
  readonly socket: WebSocket | undefined;
  /** The first message on the WebSocket, which may arrive in the same packet as the 101. */
  readonly greeting: Promise<string>;
}

/** Makes a WebSocket handshake, and resolves with the answer. The caller must close the socket. */
export function handshake(
  url: string,
  headers: Record<string, string> = {},
  options: ClientOptions = {},
): Promise<Handshake> {
  const socket = new WebSocket(url, { ...options, headers });
  const greeting = new Promise<string>((resolve) => {
    socket.once("message", (data) => resolve(String(data)));
  });
  return new Promise((resolve, reject) => {
    let answer: Pick<Handshake, "status" | "headers"> = { status: 0, headers: {} };
    socket.on("upgrade", ({ statusCode, headers }) => {
      answer = { status: statusCode ?? 0, headers };
    });
    socket.on("open", () => resolve({ ...answer, body: "", socket, greeting }));
    socket.on("unexpected-response", (request, response) => {
      text(response).then((body) => {
        request.destroy();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          socket: undefined,
          greeting,
        });
      }, reject);
    });
    socket.on("error", reject);
  });
}

/** A path for which no test has a route. */
export const CATCH_UP = "/catch-up";

/**
 * Resolves when a server has had time to process what was sent to it before on other connections: it has answered a few
 * more requests by then. For what a server does without telling anybody.
 */
export async function catchUp(url: string): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await (await fetch(url + CATCH_UP)).text();
}

/** Sends bytes on a TCP connection, waits until the server closes it, and resolves with everything received. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connectTcp(port, "127.0.0.1");
  socket.setEncoding("utf8");
  let answer = "";
  socket.on("data", (chunk) => {
    answer += String(chunk);
  });
  socket.write(bytes.replace(/\r?\n/g, "\r\n"));
  await once(socket, "close");
  return answer;
}
