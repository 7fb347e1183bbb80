/**
 * A session: Engine.IO's "socket". It keeps what is to be sent until a transport takes it, watches over the heartbeat,
 * and moves from polling to WebSocket. Socket.IO's Client is written against this class of engine.io's.
 */
import { EventEmitter } from "node:events";
import { clearTimeout, setTimeout } from "node:timers";
import type { Bypass, Outlet } from "./channel.ts";
import type { Engine } from "./engine.ts";
import type { EngineOptions } from "./options.ts";
import type { Data, Packet, PacketOptions } from "./parser.ts";
import type { Peer } from "./peer.ts";
import { Probe } from "./probe.ts";
import type { EngineRequest } from "./request.ts";
import type { Transport, TransportError, TransportListener } from "./transport.ts";

type Timer = ReturnType<typeof setTimeout>;

/** Is called when the transport has taken a packet. */
export type SentCallback = (transport: Transport) => void;

/** Why a session ended, as engine.io says it. */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced close";

/** What is in an empty write buffer. It stays empty: what is sent begins an array of its own. */
const NOTHING: Packet[] = [];

/** Events that tell of each packet, to whom Socket.IO does not listen: without listeners they are not even emitted. */
const TELLING = new Set<string | symbol>(["packetCreate", "flush", "drain", "packet", "message"]);

/**
 * Events: `open`, `packet`, `packetCreate`, `data` and `message` (the same), `flush`, `drain`, `heartbeat`,
 * `upgrading`, `upgrade`, `close` with a reason and a description.
 */
export class Socket extends EventEmitter implements TransportListener, Outlet<Peer> {
  readonly id: string;
  readonly protocol = 4;
  /** `io.engine`. */
  readonly server: Engine;
  /** The request that opened the session. */
  readonly request: EngineRequest;
  /** The address of who opened the session. `io.engine` sets it: the HTTP side knows the trusted proxies. */
  readonly remoteAddress: string | undefined;
  readyState: "opening" | "open" | "closing" | "closed" = "opening";
  transport: Transport;
  upgrading = false;
  upgraded = false;
  /** What no transport has taken yet. */
  writeBuffer: Packet[] = NOTHING;

  readonly #options: EngineOptions;
  /** Most sessions have none. */
  #callbacks: Map<Packet, SentCallback> | undefined;
  #bypasses: Set<Bypass> | undefined;
  /** Somebody has listened to what tells of each packet. */
  #isWatched = false;
  #probe: Probe | undefined;
  /** Runs from a pong to the next ping. */
  #pingTimer: Timer | undefined;
  /** Runs from a ping to the latest time for its pong. */
  #pongTimer: Timer | undefined;
  /** Another packet has put off the end of a session that owes a pong: once for each ping. */
  #hasExtended = false;

  constructor(
    id: string,
    transport: Transport,
    { request, server, options }: { request: EngineRequest; server: Engine; options: EngineOptions },
  ) {
    super();
    this.on("newListener", onListener);
    this.id = id;
    this.request = request;
    this.server = server;
    this.#options = options;
    this.transport = transport;
    transport.listener = this;
    this.#open();
  }

  #open(): void {
    const { pingInterval, pingTimeout, maxHttpBufferSize: maxPayload, initialPacket } = this.#options;
    this.readyState = "open";
    const handshake = { sid: this.id, upgrades: this.#upgrades(), pingInterval, pingTimeout, maxPayload };
    this.#send("open", JSON.stringify(handshake));
    if (initialPacket) this.#send("message", initialPacket);
    this.emit("open");
    this.#pingTimer = setTimeout(Socket.#ping, pingInterval, this);
  }

  #upgrades(): string[] {
    const { allowUpgrades, transports } = this.#options;
    const canUpgrade = allowUpgrades && this.transport.name === "polling" && transports.includes("websocket");
    return canUpgrade ? ["websocket"] : [];
  }

  /** Sends a message. It waits in the write buffer until a transport takes it. */
  send(data: Data, options?: PacketOptions | SentCallback, callback?: SentCallback): this {
    if (typeof options === "function") this.#send("message", data, {}, options);
    else this.#send("message", data, options, callback);
    return this;
  }

  /** Alias of {@link send}. */
  write(data: Data, options?: PacketOptions | SentCallback, callback?: SentCallback): this {
    return this.send(data, options, callback);
  }

  #send(type: Packet["type"], data?: Data, given?: PacketOptions, callback?: SentCallback): void {
    if (this.readyState === "closing" || this.readyState === "closed") return;
    const options = given?.compress === undefined ? { ...given, compress: true } : given;
    const packet: Packet = data ? { type, options, data } : { type, options };
    if (this.#isWatched) this.emit("packetCreate", packet);
    else if (!callback && this.writeBuffer.length === 0 && this.transport.writable) {
      this.transport.send([packet]); // which is all that there is to do for most packets
      return;
    }
    // An array with the packet in it is made faster than an empty one grows.
    if (this.writeBuffer.length === 0) this.writeBuffer = [packet];
    else this.writeBuffer.push(packet);
    if (callback) (this.#callbacks ??= new Map()).set(packet, callback);
    this.flush();
  }

  /** Hands the transport what it can take now. */
  flush(): void {
    if (this.readyState === "closed" || this.writeBuffer.length === 0) return;
    if (!this.transport.writable) return this.#endBypasses();
    if (this.#isWatched) this.emit("flush", this.writeBuffer);
    const packets = this.writeBuffer;
    this.writeBuffer = NOTHING;
    const sent = this.transport.send(packets);
    if (sent < packets.length) {
      this.writeBuffer = [...packets.slice(sent), ...this.writeBuffer];
      this.#endBypasses();
    }
    if (this.#callbacks?.size) this.#tellSent(packets.slice(0, sent), this.#callbacks);
    if (this.#isWatched && this.writeBuffer.length === 0) this.emit("drain");
  }

  #tellSent(packets: readonly Packet[], callbacks: Map<Packet, SentCallback>): void {
    for (const packet of packets) {
      const callback = callbacks.get(packet);
      callbacks.delete(packet);
      callback?.(this.transport);
    }
  }

  /** The peer that takes published messages. */
  get member(): Peer | undefined {
    return this.transport.peer;
  }

  get isClear(): boolean {
    return this.transport.writable;
  }

  bypass(bypass: Bypass): boolean {
    if (this.readyState !== "open" || this.writeBuffer.length > 0 || !this.transport.writable) return false;
    if (this.#isWatched) return false;
    this.#bypasses ??= new Set();
    this.#bypasses.add(bypass);
    return true;
  }

  unbypass(bypass: Bypass): void {
    this.#bypasses?.delete(bypass);
  }

  /** From now on each packet is told of: somebody listens. */
  watch(): void {
    this.#isWatched = true;
    this.#endBypasses();
  }

  #endBypasses(): void {
    if (!this.#bypasses) return;
    const bypasses = [...this.#bypasses];
    this.#bypasses.clear();
    for (const bypass of bypasses) bypass.bypassEnded();
  }

  ready(): void {
    this.flush();
    this.#probe?.polled();
  }

  packet(packet: Packet): void {
    if (this.readyState !== "open") return;
    if (this.#isWatched) this.emit("packet", packet);
    if (this.#pongTimer && !this.#hasExtended && packet.type !== "pong") {
      this.#pongTimer.refresh();
      this.#hasExtended = true;
    }
    switch (packet.type) {
      case "message":
        this.emit("data", packet.data);
        if (this.#isWatched) this.emit("message", packet.data);
        break;
      case "pong":
        clearTimeout(this.#pongTimer);
        this.#pongTimer = undefined;
        this.#pingTimer?.refresh();
        this.emit("heartbeat");
        break;
      case "ping":
        this.#end("transport error", new Error("invalid heartbeat direction"));
        break;
      case "error":
        this.#end("parse error");
        break;
      default: // "upgrade" is the probe's, and the rest says nothing in this direction
    }
  }

  error(error: TransportError): void {
    this.#end("transport error", error);
  }

  closed(): void {
    this.#end("transport close");
  }

  static #ping(this: void, socket: Socket): void {
    socket.#hasExtended = false;
    socket.#send("ping");
    clearTimeout(socket.#pongTimer);
    socket.#pongTimer = setTimeout(Socket.#timeOut, socket.#options.pingTimeout, socket);
  }

  static #timeOut(this: void, socket: Socket): void {
    socket.#end("ping timeout");
  }

  /** Whether an upgrade may be tried now. */
  get canUpgrade(): boolean {
    return this.readyState === "open" && !this.upgrading && !this.upgraded;
  }

  /** Lets a transport take over when the client has probed it. */
  upgrade(transport: Transport): void {
    this.upgrading = true;
    this.#probe = new Probe(transport, this.#options.upgradeTimeout, {
      probed: () => this.emit("upgrading", transport),
      nudge: () => {
        if (this.transport.name === "polling" && this.transport.writable)
          this.transport.send([{ type: "noop" }]);
      },
      ended: (isUpgraded) => {
        this.#probe = undefined;
        this.upgrading = false;
        if (isUpgraded) this.#moveTo(transport);
      },
    });
  }

  #moveTo(transport: Transport): void {
    const previous = this.transport;
    this.#endBypasses();
    this.upgraded = true;
    this.transport = transport;
    transport.listener = this;
    previous.abandon();
    if (this.readyState === "closed") return transport.abandon();
    this.emit("upgrade", transport);
    this.flush();
  }

  /**
   * Closes the session when what is in the write buffer was sent.
   * @param discard closes it at once
   */
  close(discard = false): void {
    if (discard && this.readyState !== "closed") return this.#closeTransport(discard);
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    if (this.writeBuffer.length > 0) this.once("drain", () => this.#closeTransport(false));
    else this.#closeTransport(false);
  }

  #closeTransport(discard: boolean): void {
    if (discard) this.transport.discard();
    this.transport.close(() => this.#end("forced close"));
  }

  #end(reason: CloseReason, description?: Error): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    clearTimeout(this.#pingTimer);
    clearTimeout(this.#pongTimer);
    this.#probe?.fail();
    this.transport.abandon();
    this.#callbacks = undefined;
    this.#endBypasses();
    // Listeners of "close" can still see what was not sent.
    queueMicrotask(() => {
      this.writeBuffer = NOTHING;
    });
    this.emit("close", reason, description);
  }
}

/** One for all sessions. */
function onListener(this: Socket, event: string | symbol): void {
  if (TELLING.has(event)) this.watch();
}
