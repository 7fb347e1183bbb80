/**
 * Limits the namespaces of a client. Each namespace that a client joins costs a socket and, if the author has opened
 * names by a pattern (`io.of(/^\/room-\w+$/)`), a namespace of its own: a few bytes for the client, kilobytes and much
 * more time for the service. Socket.IO has no such limit, and its `Client` is private, so the packets are counted where
 * they are decoded, before Socket.IO acts on them.
 */
import type { EventEmitter } from "node:events";
import { setImmediate } from "node:timers";
import type { Server, Socket } from "socket.io";

const MAIN = "/";

/** What is needed of an Engine.IO session. */
interface Connection {
  readonly protocol: number;
  write(packet: string): unknown;
}

/** The namespaces of one client. */
export class Memberships {
  readonly #connection: Connection;
  readonly #max: number;
  /**
   * By the names of namespaces other than the main one: the socket there, once the client is connected. Nobody tells
   * when a middleware has refused the client, so such a namespace stays, without a socket.
   */
  #sockets: Map<string, Socket | undefined> | undefined;
  /** How many CONNECT packets have come in this turn of the event loop. */
  #connects = 0;

  constructor(connection: Connection, max: number) {
    this.#connection = connection;
    this.#max = max;
  }

  /**
   * Decides about a CONNECT packet. A client that is refused gets a CONNECT_ERROR packet.
   * @returns whether Socket.IO may see the packet
   * @throws {RangeError} when a client sends many at once. Socket.IO refuses a second connection to a namespace only
   * when the first one is complete, so a client could make any number of sockets in one namespace.
   */
  admit(name: string): boolean {
    const mostAtOnce = 2 * (this.#max + 1); // as many as can be accepted, and as many that are refused
    if (this.#connects === 0) setImmediate(Memberships.#endTurn, this);
    if (++this.#connects > mostAtOnce)
      throw new RangeError(`A client may send ${mostAtOnce} CONNECT packets at once at the most`);
    const key = this.#keyOf(name);
    if (key === MAIN) return true;
    const sockets = (this.#sockets ??= new Map());
    if (sockets.size >= this.#max && !sockets.has(key)) this.#forgetDisconnected(sockets);
    if (sockets.size >= this.#max && !sockets.has(key)) {
      this.#refuse(name);
      return false;
    }
    if (!sockets.has(key)) sockets.set(key, undefined);
    return true;
  }

  static #endTurn(this: void, memberships: Memberships): void {
    memberships.#connects = 0;
  }

  /** Forgets namespaces from which the server has disconnected the client. */
  #forgetDisconnected(sockets: Map<string, Socket | undefined>): void {
    for (const [name, socket] of sockets) if (socket?.connected === false) sockets.delete(name);
  }

  #refuse(name: string): void {
    const message = `A client may be in ${this.#max} namespaces at the most`;
    this.#connection.write(`4${name},${JSON.stringify({ message })}`);
  }

  /** Takes a namespace from the list, because the client leaves it. */
  leave(name: string): void {
    this.#sockets?.delete(this.#keyOf(name));
  }

  /** Notes the socket that the client has in a namespace. */
  join(socket: Socket): void {
    const name = socket.nsp.name;
    if (this.#sockets?.has(name)) this.#sockets.set(name, socket);
  }

  /** Clients of Engine.IO 3 (`allowEIO3`) send their credentials as a query behind the name. */
  #keyOf(name: string): string {
    return this.#connection.protocol === 3 ? (name.split("?")[0] ?? name) : name;
  }
}

/** Keeps the memberships of all clients of a service. */
export class NamespaceLimit {
  readonly #max: number;
  readonly #memberships = new WeakMap<object, Memberships>();
  /** The memberships of the session that is being opened. */
  #opening: Memberships | undefined;

  /** @param max the most namespaces of a client, besides the main one */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Watches for new sessions. Call it before `io.bind(engine)`: Socket.IO makes a client, and a decoder for it, in its
   * own listener of "connection", which must come behind this one.
   */
  watchSessions(engine: EventEmitter): void {
    engine.on("connection", (connection: Connection) => {
      this.#opening = new Memberships(connection, this.#max);
      this.#memberships.set(connection, this.#opening);
    });
  }

  /** Watches for sockets in the namespaces other than the main one. */
  watchSockets(io: Server): void {
    io.on("new_namespace", (namespace) => {
      namespace.on("connection", (socket) => this.#memberships.get(socket.conn)?.join(socket));
    });
  }

  /** Takes the memberships of the client whose decoder is being made. */
  takeOpening(): Memberships | undefined {
    const memberships = this.#opening;
    this.#opening = undefined;
    return memberships;
  }
}
