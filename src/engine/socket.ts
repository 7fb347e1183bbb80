/**
 * A session, which Engine.IO calls a socket. It buffers packets until its transport can send them, keeps up the
 * heartbeat, and moves from polling to WebSocket. Its members and events are those of engine.io's class Socket,
 * because Socket.IO's Client uses them.
 */
import { EventEmitter } from "node:events";
import { clearTimeout, setTimeout } from "node:timers";
import { type Bypass, type Outlet, SENDING_EVENTS } from "./channel.ts";
import { afterDispatch } from "./dispatch.ts";
import type { Engine } from "./engine.ts";
import type { EngineOptions } from "./options.ts";
import type { Data, Packet, PacketOptions } from "./parser.ts";
import type { Peer } from "./peer.ts";
import { Probe } from "./probe.ts";
import type { EngineRequest } from "./request.ts";
import type { Transport, TransportError, TransportListener } from "./transport.ts";
import { VolatileFilter } from "./volatile.ts";

type Timer = ReturnType<typeof setTimeout>;

/** Called when the transport has taken a packet. */
export type SentCallback = (transport: Transport) => void;

/** Why a session ended, in engine.io's words. */
export type CloseReason =
  | "transport close"
  | "transport error"
  | "ping timeout"
  | "parse error"
  | "forced close";

/**
 * The write buffer of every session that has nothing to send. Nothing is ever pushed to it: `#send()` makes a new
 * array.
 */
const EMPTY_BUFFER: Packet[] = [];

/**
 * The events that are emitted for each packet. Socket.IO listens to none of them, so they are emitted only once an
 * author listens to one.
 */
const PACKET_EVENTS = new Set<string | symbol>([...SENDING_EVENTS, "packet", "message"]);

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
  /** The client's IP address. `io.engine` sets it, because only the HTTP side knows the trusted proxies. */
  readonly remoteAddress: string | undefined;
  readyState: "opening" | "open" | "closing" | "closed" = "opening";
  transport: Transport;
  upgrading = false;
  upgraded = false;
  /** The packets that no transport has taken yet. */
  writeBuffer: Packet[] = EMPTY_BUFFER;

  readonly #options: EngineOptions;
  /** What is called when a packet was sent. Most sessions have no callbacks, and no map. */
  #callbacks: Map<Packet, SentCallback> | undefined;
  #bypasses: Set<Bypass> | undefined;
  /** Most sessions never send a volatile message, and have none. */
  #volatileFilter: VolatileFilter | undefined;
  /** Whether somebody has listened to one of the packet events. It stays true when the listener is removed. */
  #hasPacketListeners = false;
  #probe: Probe | undefined;
  /** Sends the next ping, `pingInterval` after a pong. */
  #pingTimer: Timer | undefined;
  /** Ends the session, `pingTimeout` after a ping. Undefined when no pong is awaited. */
  #pongTimer: Timer | undefined;
  /**
   * Whether a packet has restarted the pong timer since the last ping. A client that is busy sending may be late with
   * its pong; only one packet for each ping counts, so that a client that never sends a pong is found out.
   */
  #hasExtended = false;

  constructor(
    id: string,
    transport: Transport,
    { request, server, options }: { request: EngineRequest; server: Engine; options: EngineOptions },
  ) {
    super();
    this.on("newListener", onNewListener);
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
    const handshake = { sid: this.id, upgrades: this.#listUpgrades(), pingInterval, pingTimeout, maxPayload };
    this.#send("open", JSON.stringify(handshake));
    if (initialPacket) this.#send("message", initialPacket);
    this.emit("open");
    this.#pingTimer = setTimeout(Socket.#ping, pingInterval, this);
  }

  #listUpgrades(): string[] {
    const { allowUpgrades, transports } = this.#options;
    const canUpgrade = allowUpgrades && this.transport.name === "polling" && transports.includes("websocket");
    return canUpgrade ? ["websocket"] : [];
  }

  /**
   * Sends a message. If the transport cannot send it now, it waits in the write buffer.
   * @param callback called when the transport has taken the message
   */
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
    if (given?.volatile && (this.#volatileFilter ??= new VolatileFilter()).drops(given, this)) return;
    const options = given?.compress === undefined ? { ...given, compress: true } : given;
    const packet: Packet = data ? { type, options, data } : { type, options };
    if (this.#hasPacketListeners) this.emit("packetCreate", packet);
    else if (!callback && this.writeBuffer.length === 0 && this.transport.writable) {
      // The fast path of most packets: nobody listens, and nothing is waiting before it.
      this.transport.send([packet]);
      return;
    }
    // EMPTY_BUFFER is shared, so the first packet needs an array of its own.
    if (this.writeBuffer.length === 0) this.writeBuffer = [packet];
    else this.writeBuffer.push(packet);
    if (callback) (this.#callbacks ??= new Map()).set(packet, callback);
    this.flush();
  }

  /** Passes the write buffer to the transport, as far as it can send now. */
  flush(): void {
    if (this.readyState === "closed" || this.writeBuffer.length === 0) return;
    if (!this.transport.writable) return this.#endBypasses();
    if (this.#hasPacketListeners) this.emit("flush", this.writeBuffer);
    const packets = this.writeBuffer;
    this.writeBuffer = EMPTY_BUFFER;
    const sent = this.transport.send(packets);
    if (sent < packets.length) {
      this.writeBuffer = [...packets.slice(sent), ...this.writeBuffer];
      this.#endBypasses();
    }
    if (this.#callbacks?.size) this.#callSentCallbacks(packets.slice(0, sent), this.#callbacks);
    if (this.#hasPacketListeners && this.writeBuffer.length === 0) this.emit("drain");
  }

  #callSentCallbacks(packets: readonly Packet[], callbacks: Map<Packet, SentCallback>): void {
    for (const packet of packets) {
      const callback = callbacks.get(packet);
      callbacks.delete(packet);
      callback?.(this.transport);
    }
  }

  /** The peer that published messages are sent to. */
  get member(): Peer | undefined {
    return this.transport.peer;
  }

  get canSendNow(): boolean {
    return this.transport.writable;
  }

  get isIdle(): boolean {
    return this.writeBuffer.length === 0 && this.transport.isIdle;
  }

  startBypass(bypass: Bypass): boolean {
    if (this.readyState !== "open" || this.writeBuffer.length > 0 || !this.transport.writable) return false;
    if (this.#hasPacketListeners) return false;
    this.#bypasses ??= new Set();
    this.#bypasses.add(bypass);
    return true;
  }

  stopBypass(bypass: Bypass): void {
    this.#bypasses?.delete(bypass);
  }

  /** Starts to emit the packet events. Published messages would bypass them, so bypasses end. */
  reportPackets(): void {
    this.#hasPacketListeners = true;
    this.#endBypasses();
  }

  #endBypasses(): void {
    if (!this.#bypasses) return;
    const bypasses = [...this.#bypasses];
    this.#bypasses.clear();
    for (const bypass of bypasses) bypass.bypassEnded();
  }

  onReady(): void {
    this.flush();
    this.#probe?.onPolled();
  }

  onPacket(packet: Packet): void {
    if (this.readyState !== "open") return;
    if (this.#hasPacketListeners) this.emit("packet", packet);
    if (this.#pongTimer && !this.#hasExtended && packet.type !== "pong") {
      this.#pongTimer.refresh();
      this.#hasExtended = true;
    }
    switch (packet.type) {
      case "message":
        this.emit("data", packet.data);
        if (this.#hasPacketListeners) this.emit("message", packet.data);
        break;
      case "pong":
        clearTimeout(this.#pongTimer);
        this.#pongTimer = undefined;
        this.#pingTimer?.refresh();
        this.emit("heartbeat");
        break;
      case "ping":
        this.#endAfterDispatch("transport error", new Error("invalid heartbeat direction"));
        break;
      case "error":
        this.#endAfterDispatch("parse error");
        break;
      default: // "upgrade" is handled by the probe; a client has no use for "open" and "noop", so they are ignored
    }
  }

  onError(error: TransportError): void {
    this.#endAfterDispatch("transport error", error);
  }

  onClosed(): void {
    this.#endAfterDispatch("transport close");
  }

  /** Ends the session because of its client, whose last events may have come in the same turn. */
  #endAfterDispatch(reason: CloseReason, description?: Error): void {
    if (this.readyState === "open") this.readyState = "closing"; // takes no further packets
    afterDispatch(() => this.#end(reason, description));
  }

  static #ping(this: void, socket: Socket): void {
    socket.#hasExtended = false;
    socket.#send("ping");
    clearTimeout(socket.#pongTimer);
    socket.#pongTimer = setTimeout(Socket.#endAfterTimeout, socket.#options.pingTimeout, socket);
  }

  static #endAfterTimeout(this: void, socket: Socket): void {
    socket.#end("ping timeout");
  }

  /** Whether an upgrade may start now. */
  get canUpgrade(): boolean {
    return this.readyState === "open" && !this.upgrading && !this.upgraded;
  }

  /** Starts an upgrade: the transport takes over when the client has probed it. */
  upgrade(transport: Transport): void {
    this.upgrading = true;
    this.#probe = new Probe(transport, this.#options.upgradeTimeout, {
      onProbed: () => this.emit("upgrading", transport),
      releasePoll: () => {
        if (this.transport.name === "polling" && this.transport.writable)
          this.transport.send([{ type: "noop" }]);
      },
      onEnded: (isUpgraded) => {
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
   * Closes the session when its write buffer has been sent.
   * @param discard closes at once, and drops what is still to be sent
   */
  close(discard = false): void {
    if (discard && this.readyState !== "closed") return this.#closeTransport(discard);
    if (this.readyState !== "open") return;
    this.readyState = "closing";
    if (this.writeBuffer.length > 0) this.once("drain", () => this.#closeTransport(false));
    else this.#closeTransport(false);
  }

  cutOff(description: Error): void {
    this.transport.cutOff();
    this.#end("transport error", description);
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
    // Not cleared at once: listeners of "close" can still see which packets were not sent.
    queueMicrotask(() => {
      this.writeBuffer = EMPTY_BUFFER;
    });
    this.emit("close", reason, description);
  }
}

/** The listener of "newListener", one function for all sessions. A closure for each would take memory. */
function onNewListener(this: Socket, event: string | symbol): void {
  if (PACKET_EVENTS.has(event)) this.reportPackets();
}
