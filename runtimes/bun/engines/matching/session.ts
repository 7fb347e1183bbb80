/**
 * A session of bun-engine with the members and events of engine.io's, on which Socket.IO and authors rely. It wraps
 * bun-engine's socket, which keeps the write buffer, the heartbeat and the state of an upgrade.
 */
import { EventEmitter } from "node:events";
import type { RawData, Server } from "@socket.io/bun-engine";
import { type Answer, emptyAnswer, pollAnswer, postAnswer } from "../../../../src/engine/answer.ts";
import { afterDispatch } from "../../../../src/engine/dispatch.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import type { EngineOptions } from "../../../../src/engine/options.ts";
import {
  encodePayload,
  exceedsPackets,
  type Packet,
  type PacketOptions,
} from "../../../../src/engine/parser.ts";
import type { Opening } from "../../../../src/engine/pipeline.ts";
import { LAST_POLL_TIMEOUT } from "../../../../src/engine/polling.ts";
import { type PostBody, PostReader, violationAnswer } from "../../../../src/engine/post.ts";
import type { EngineRequest } from "../../../../src/engine/request.ts";
import type { CloseReason } from "../../../../src/engine/socket.ts";
import { VolatileFilter } from "../../../../src/engine/volatile.ts";
import type { Link } from "./link.ts";

/** bun-engine's socket, whose type it does not export. */
export type BunEngineSocket = Parameters<Parameters<typeof Server.prototype.on<"connection">>[1]>[0];

type Transport = BunEngineSocket["transport"];
type SentCallback = (transport: Transport) => void;

/** Has bun-engine answer a polling request to this session. */
type AskBunEngine = (init: RequestInit) => Promise<Response>;

/** Events of bun-engine's socket that a session passes on unchanged. */
const FORWARDED_EVENTS = ["packetCreate", "flush", "drain", "heartbeat", "upgrading"] as const;

/** Emits the events of engine.io's Socket. */
export class Session extends EventEmitter {
  readonly id: string;
  readonly protocol = 4;
  /** `io.engine`. */
  readonly server: Engine;
  /** The request that opened the session. */
  readonly request: EngineRequest;
  /**
   * The address of the client that opened the session. `io.engine` sets it, because the Hono side knows the trusted
   * proxies.
   */
  readonly remoteAddress: string | undefined;
  readonly #socket: BunEngineSocket;
  readonly #options: EngineOptions;
  #link: Link | undefined;
  /** The WebSocket to which the session is being upgraded. */
  #upgradeLink: Link | undefined;
  /** What the listeners of "close" get as its cause. */
  #closeError: Error | undefined;
  readonly #forwardedEvents = new Set<string>();
  #isPolling = false;
  readonly #posts = new PostReader();
  /** Whether a packet that waits for the next poll may be compressed: if one may, its answer is. */
  #canCompress = false;
  /** Most sessions never send a volatile message, and have none. */
  #volatileFilter: VolatileFilter | undefined;
  /** The timeout of the latest ping that was answered or whose timeout was extended. It is not extended again. */
  #settledTimer: unknown;
  /** Runs while a closing session waits for a poll, to tell the client of the end. */
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    socket: BunEngineSocket,
    { id, request }: Opening,
    { server, options }: { server: Engine; options: EngineOptions },
  ) {
    super();
    this.id = id;
    this.request = request;
    this.server = server;
    this.#socket = socket;
    this.#options = options;
    this.#listenToTransport();
    socket.on("upgrade", (transport) => this.#onUpgrade(transport));
    socket.on("close", (reason) => this.#onClose(reason));
    this.on("newListener", (event) => this.#forwardEvent(event));
  }

  /** Begins to forward an event when it gets its first listener: some are emitted for each packet. */
  #forwardEvent(event: string | symbol): void {
    const name = FORWARDED_EVENTS.find((name) => name === event);
    if (!name || this.#forwardedEvents.has(name)) return;
    this.#forwardedEvents.add(name);
    this.#socket.on(name, (...args: unknown[]) => void this.emit(name, ...args));
  }

  get readyState(): BunEngineSocket["readyState"] {
    return this.#socket.readyState;
  }

  get transport(): Transport {
    return this.#socket.transport;
  }

  /** The packets that no transport has taken yet. */
  get writeBuffer(): Packet[] {
    return this.#socket["writeBuffer"];
  }

  get upgrading(): boolean {
    return this.#socket["upgradeState"] === "upgrading";
  }

  get upgraded(): boolean {
    return this.#socket["upgradeState"] === "upgraded";
  }

  /** The id by which bun-engine knows the session. */
  get bunEngineId(): string {
    return this.#socket.id;
  }

  /**
   * Creates the first packets. They replace bun-engine's, which name bun-engine's id and offer an upgrade even if none
   * is allowed.
   */
  #createFirstPackets(): Packet[] {
    const { pingInterval, pingTimeout, maxHttpBufferSize: maxPayload, initialPacket } = this.#options;
    const { allowUpgrades, transports } = this.#options;
    const upgrades = allowUpgrades && transports.includes("websocket") ? this.transport.upgradesTo : [];
    const handshake = { sid: this.id, upgrades, pingInterval, pingTimeout, maxPayload };
    const open: Packet = { type: "open", data: JSON.stringify(handshake) };
    return initialPacket ? [open, { type: "message", data: initialPacket }] : [open];
  }

  /** Creates the answer to the poll that opened the session. */
  createGreeting(): Answer {
    const body = encodePayload(this.#createFirstPackets());
    return pollAnswer(body, true);
  }

  /** Opens the session on a WebSocket. */
  openOn(link: Link): void {
    this.#socket["writeBuffer"] = this.#createFirstPackets();
    this.#link = link;
    link.openTransport();
    this.#flush();
  }

  /** Answers a GET when there are packets to send. */
  async answerPoll(signal: AbortSignal, askBunEngine: AskBunEngine): Promise<Answer> {
    if (this.#isPolling) return this.#failRequest("overlap from client");
    if (signal.aborted) return this.#failRequest("poll connection closed prematurely");
    this.#isPolling = true;
    const onAbort = () => this.#failRequest("poll connection closed prematurely");
    signal.addEventListener("abort", onAbort, { once: true });
    const response = await askBunEngine({ method: "GET" });
    signal.removeEventListener("abort", onAbort);
    this.#isPolling = false;
    if (!response.ok) return emptyAnswer(response.status);
    const body = await response.text();
    const compress = this.#canCompress;
    this.#canCompress = false;
    return pollAnswer(body, compress);
  }

  /** Receives the packets of a POST, and answers it. */
  async receivePost(posted: PostBody, askBunEngine: AskBunEngine): Promise<Answer> {
    const body = await this.#posts.read(posted);
    if (body === undefined) return emptyAnswer(413);
    if (typeof body !== "string") {
      this.#failRequest(body.violation);
      return violationAnswer(body);
    }
    if (exceedsPackets(body, this.#options.maxPackets)) {
      this.#endSession("parse error");
      return postAnswer();
    }
    const response = await askBunEngine({ method: "POST", body });
    return response.ok ? postAnswer() : emptyAnswer(400);
  }

  /** Sends a message. It stays in the write buffer until a transport takes it. */
  send(data: RawData, options?: PacketOptions | SentCallback, callback?: SentCallback): this {
    if (typeof options === "function") return this.send(data, {}, options);
    if (this.readyState !== "open") return this;
    // Over polling, Socket.IO itself drops what no pending poll can take.
    const link = this.#link;
    if (options?.volatile && link && (this.#volatileFilter ??= new VolatileFilter()).drops(options, link))
      return this;
    if (options?.compress !== false) this.#canCompress = true;
    if (callback) this.#socket.once("drain", () => callback(this.transport));
    this.#socket.write(data);
    this.#link?.holdPackets();
    return this;
  }

  /** Alias of {@link send}. */
  write(data: RawData, options?: PacketOptions | SentCallback, callback?: SentCallback): this {
    return this.send(data, options, callback);
  }

  /**
   * Closes the session when its write buffer has been sent.
   * @param discard whether to close it at once, without that
   */
  close(discard = false): void {
    const { readyState, transport } = this;
    if (discard && readyState !== "closed") return this.#endSession("forced close");
    if (readyState !== "open") return;
    if (transport.name !== "polling" || transport.writable) return this.#socket.close();
    // No poll is pending. bun-engine would close without telling the client; wait for its next poll instead.
    this.#socket.readyState = "closing";
    this.#closeTimer = setTimeout(() => this.#endSession("forced close"), LAST_POLL_TIMEOUT);
  }

  cutOff(description: Error): void {
    this.#link?.cutOff();
    this.#endSession("transport error", description);
  }

  /** Whether an upgrade may begin now. */
  get canUpgrade(): boolean {
    return this.readyState === "open" && this.#socket["upgradeState"] === "not_upgraded";
  }

  /** Has bun-engine upgrade to a WebSocket. If that is closed before the upgrade is done, another one may try. */
  upgrade(link: Link): void {
    this.#upgradeLink = link;
    link.transport?.on("close", () => {
      if (this.#upgradeLink !== link) return;
      this.#upgradeLink = undefined;
      link.abandonUpgrade();
      // bun-engine leaves the state at "upgrading", in which it refuses every later upgrade.
      this.#socket["upgradeState"] = "not_upgraded";
    });
    link.openTransport();
  }

  #onUpgrade(transport: Transport): void {
    this.#link = this.#upgradeLink;
    this.#upgradeLink = undefined;
    this.#link?.endUpgrade();
    this.#listenToTransport();
    this.emit("upgrade", transport);
    if (this.readyState !== "closing") return;
    this.#flush();
    this.#endSession("forced close");
  }

  /**
   * Listens to the transport in the place of bun-engine's socket, which takes "upgrade" and "noop" packets for errors,
   * and closes without the error that was the cause.
   */
  #listenToTransport(): void {
    const { transport } = this;
    transport.off();
    transport.on("packet", (packet) => this.#onPacket(packet));
    transport.on("drain", () => this.#onDrain());
    transport.on("error", (error) => afterDispatch(() => this.#endSession("transport error", error)));
    transport.on("close", () => afterDispatch(() => this.#endSession("transport close")));
  }

  #onPacket(packet: { type: string; data?: unknown }): void {
    if (this.readyState !== "open") return;
    this.emit("packet", packet);
    if (packet.type === "pong") {
      this.#settledTimer = this.#socket["pingTimeoutTimer"];
      return void this.#socket["onPacket"](packet);
    }
    this.#extendPingTimeout();
    if (packet.type === "message") {
      this.emit("data", packet.data);
      this.emit("message", packet.data);
    } else if (packet.type === "ping") {
      this.#endSession("transport error", new Error("invalid heartbeat direction"));
    } else if (packet.type === "error") {
      this.#endSession("parse error");
    }
  }

  /**
   * Extends the time that a client has to answer a ping, once for each ping, because another packet shows that it
   * lives. engine.io does this, bun-engine does not.
   */
  #extendPingTimeout(): void {
    const timer = this.#socket["pingTimeoutTimer"]; // a new one for each ping
    if (timer === this.#settledTimer) return;
    this.#settledTimer = timer;
    timer.refresh();
  }

  #onDrain(): void {
    if (!this.#closeTimer || this.writeBuffer.length > 0) return this.#flush();
    this.transport.send([{ type: "noop" }, { type: "close" }]);
    this.#endSession("forced close");
  }

  #flush(): void {
    this.#socket["flush"]();
    this.#link?.holdPackets();
  }

  /** Ends the session because its client violated the protocol, and answers the request that did. */
  #failRequest(message: string): Answer {
    this.transport["onError"](message);
    return emptyAnswer(400);
  }

  #endSession(reason: CloseReason, error?: Error): void {
    this.#closeError = error;
    this.#socket["onClose"](reason);
  }

  #onClose(reason: CloseReason): void {
    clearTimeout(this.#closeTimer);
    this.#upgradeLink?.abandonUpgrade();
    // Empty the write buffer later: listeners of "close" may look at what was not sent.
    queueMicrotask(() => {
      this.#socket["writeBuffer"] = [];
    });
    this.emit("close", reason, this.#closeError);
  }
}
