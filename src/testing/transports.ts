/**
 * socket.io-client's own transports, over the line of one client. They speak Engine.IO as ever; only the requests and
 * the WebSocket below them are given to the line.
 */
import { Fetch, type ManagerOptions, NodeWebSocket, WebSocket } from "socket.io-client";
import type { Line, OwnWebSocket } from "./line.ts";
import type { MemoryWebSocket } from "./websocket.ts";

export type TransportName = "polling" | "websocket";

/** The `transports` of a client, as socket.io-client takes them. */
type Transports = Exclude<NonNullable<ManagerOptions["transportImplementations"]>, undefined>;

/** Makes the transports of a client. */
export function createTransports(line: Line, names: readonly TransportName[]): Transports {
  class Polling extends Fetch {
    override doPoll(): void {
      line.whenReading(
        () => this.#exchange("read", undefined, (text) => this.#take(text)),
        () => this.#fail("read", "the connection is lost"),
      );
    }

    override doWrite(data: string, callback: () => void): void {
      this.#exchange("write", data, callback);
    }

    #take(text: string): void {
      line.whenReading(
        () => this.onData(text),
        () => this.#fail("read", "the connection is lost"),
      );
    }

    #fail(what: string, description: unknown): void {
      this.onError(`fetch ${what} error`, description);
    }

    #exchange(what: string, body: string | undefined, use: (text: string) => void): void {
      line.request(this.uri(), body).then(
        async (answer) => (answer.ok ? use(await answer.text()) : this.#fail(what, answer.status)),
        (error) => this.#fail(what, error),
      );
    }
  }

  class Memory extends WebSocket {
    override createSocket(url: string): MemoryWebSocket | undefined {
      return line.openWebSocket(url);
    }
  }

  class Own extends NodeWebSocket {
    override createSocket(
      url: string,
      protocols: string | string[] | undefined,
      options: object,
    ): OwnWebSocket {
      const socket: OwnWebSocket = super.createSocket(url, protocols, { ...options, headers: line.headers });
      line.keepWebSocket(socket, (status) => this.onError("websocket error", status));
      return socket;
    }
  }

  const known = { polling: Polling, websocket: line.isInMemory ? Memory : Own };
  return names.map((name) => known[name]);
}
