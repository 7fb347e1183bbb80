/**
 * Clients of every kind: socket.io-client, raw WebSockets, and bytes on a TCP connection.
 */
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { io, type ManagerOptions, type Socket, type SocketOptions } from "socket.io-client";
import { type ClientOptions, WebSocket } from "ws";

/** The ways in which a client talks to a server: over one transport, or over polling upgraded to WebSocket. */
export const TRANSPORTS = {
  polling: ["polling"],
  websocket: ["websocket"],
  upgraded: ["polling", "websocket"],
} satisfies Record<string, ("polling" | "websocket")[]>;
export type Over = keyof typeof TRANSPORTS;
export const overs: Over[] = ["polling", "websocket", "upgraded"];

/** Connects a socket.io-client that shares nothing with others; rejects when the server refuses it. */
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

/** The next event of this name, as the array of its arguments. */
export const next = (socket: Socket, event: string): Promise<unknown[]> =>
  new Promise((resolve) => socket.once(event, (...args: unknown[]) => resolve(args)));

/** What events of this name bring from now on, as a list that grows: the first argument of each. */
export function collect(socket: Socket, event: string): unknown[] {
  const heard: unknown[] = [];
  socket.on(event, (value: unknown) => heard.push(value));
  return heard;
}

export interface Handshake {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What a refusal said; "" for a handshake that was made. */
  readonly body: string;
  /** The open WebSocket of a handshake that was made. */
  readonly socket: WebSocket | undefined;
  /** The first message on it, which may come with the handshake's answer. */
  readonly greeting: Promise<string>;
}

/** Makes a raw WebSocket handshake and tells how it was answered. The caller closes the socket. */
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

/** A path that no test has a route for. */
export const CATCH_UP = "/catch-up";

/**
 * Resolves when a server has taken in what was sent to it before, on other connections: it answers one more request.
 * For what a server does that nobody is told of.
 */
export async function catchUp(url: string): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await (await fetch(url + CATCH_UP)).text();
}

/** Sends bytes on a TCP connection and resolves with all that came back when the server has closed it. */
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
