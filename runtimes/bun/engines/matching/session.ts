/**
 * A session of bun-engine's, with what engine.io's has and Socket.IO or authors rely on: it is around bun-engine's
 * socket, which keeps the write buffer, the heartbeat and the state of an upgrade.
 */
import { EventEmitter } from "node:events";
import type { RawData, Server } from "@socket.io/bun-engine";
import { type Answer, emptyAnswer, pollAnswer, postAnswer } from "../../../../src/engine/answer.ts";
import type { Engine } from "../../../../src/engine/engine.ts";
import type { EngineOptions } from "../../../../src/engine/options.ts";
import { encodePayload, type Packet, type PacketOptions } from "../../../../src/engine/parser.ts";
import type { Opening } from "../../../../src/engine/pipeline.ts";
import { CLOSE_TIMEOUT, type PostBody } from "../../../../src/engine/polling.ts";
import type { EngineRequest } from "../../../../src/engine/request.ts";
import type { CloseReason } from "../../../../src/engine/socket.ts";
import type { Link } from "./link.ts";

/** bun-engine's socket. */
export type BunEngineSocket = Parameters<Parameters<typeof Server.prototype.on<"connection">>[1]>[0];

type Transport = BunEngineSocket["transport"];
type SentCallback = (transport: Transport) => void;

/** Has bun-engine answer a request to this session. */
type Ask = (init: RequestInit) => Promise<Response>;

const FORWARDED = ["packetCreate", "flush", "drain", "heartbeat", "upgrading"] as const;

/** Events: as of engine.io's Socket. */
export class Session extends EventEmitter {
  readonly id: string;
  readonly protocol = 4;
  /** `io.engine`. */
  readonly server: Engine;
  /** The request that opened the session. */
  readonly request: EngineRequest;
  /** The address of who opened the session. `io.engine` sets it: the HTTP side knows the trusted proxies. */
  readonly remoteAddress: string | undefined;
  readonly #socket: BunEngineSocket;
  readonly #options: EngineOptions;
  #link: Link | undefined;
  /** The transport that is probed for an upgrade. */
  #probe: Link | undefined;
  #description: Error | undefined;
  readonly #forwarded = new Set<string>();
  #isPolling = false;
  #isReceiving = false;
  /** A packet of the batch that is being made asks to be compressed. */
  #compresses = false;
  /** The timer of the last ping that was answered, or whose time was put off. */
  #settled: unknown;
  /** Runs while the client is still to be told of the end. */
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
    this.#bind();
    socket.on("upgrade", (transport) => this.#onUpgrade(transport));
    socket.on("close", (reason) => this.#onClose(reason));
    this.on("newListener", (event) => this.#forward(event));
  }

  /** Passes an event of bun-engine's socket on from when it is listened to: some are emitted for each packet. */
  #forward(event: string | symbol): void {
    const name = FORWARDED.find((name) => name === event);
    if (!name || this.#forwarded.has(name)) return;
    this.#forwarded.add(name);
    this.#socket.on(name, (...args: unknown[]) => void this.emit(name, ...args));
  }

  get readyState(): BunEngineSocket["readyState"] {
    return this.#socket.readyState;
  }

  get transport(): Transport {
    return this.#socket.transport;
  }

  /** What no transport has taken yet. */
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
  get innerId(): string {
    return this.#socket.id;
  }

  /** The first packets. bun-engine's own tell an id of its own, and offer an upgrade in any case. */
  #greeting(): Packet[] {
    const { pingInterval, pingTimeout, maxHttpBufferSize: maxPayload, initialPacket } = this.#options;
    const { allowUpgrades, transports } = this.#options;
    const upgrades = allowUpgrades && transports.includes("websocket") ? this.transport.upgradesTo : [];
    const handshake = { sid: this.id, upgrades, pingInterval, pingTimeout, maxPayload };
    const open: Packet = { type: "open", data: JSON.stringify(handshake) };
    return initialPacket ? [open, { type: "message", data: initialPacket }] : [open];
  }

  /** The answer to the poll that opened the session. */
  greet(): Answer {
    const body = encodePayload(this.#greeting());
    return pollAnswer(body, true);
  }

  /** Begins on a WebSocket. */
  begin(link: Link): void {
    this.#socket["writeBuffer"] = this.#greeting();
    this.#link = link;
    link.start();
    this.#flush();
  }

  /** Takes a GET: it is answered when there are packets to send. */
  async poll(signal: AbortSignal, ask: Ask): Promise<Answer> {
    if (this.#isPolling) return this.#fail("overlap from client");
    if (signal.aborted) return this.#fail("poll connection closed prematurely");
    this.#isPolling = true;
    const onAbort = () => this.#fail("poll connection closed prematurely");
    signal.addEventListener("abort", onAbort, { once: true });
    const response = await ask({ method: "GET" });
    signal.removeEventListener("abort", onAbort);
    this.#isPolling = false;
    if (!response.ok) return emptyAnswer(response.status);
    const body = await response.text();
    const compress = this.#compresses;
    this.#compresses = false;
    return pollAnswer(body, compress);
  }

  /** Takes a POST. */
  async receive(posted: PostBody, ask: Ask): Promise<Answer> {
    if (this.#isReceiving) return this.#fail("data request overlap from client");
    if (posted.type === "application/octet-stream") return this.#fail("invalid content");
    this.#isReceiving = true;
    const body = await posted.text().catch(() => null);
    this.#isReceiving = false;
    if (body === undefined) return emptyAnswer(413);
    if (body === null) return this.#fail("data request connection closed prematurely");
    const response = await ask({ method: "POST", body });
    return response.ok ? postAnswer() : emptyAnswer(400);
  }

  /** Sends a message. It waits in the write buffer until a transport takes it. */
  send(data: RawData, options?: PacketOptions | SentCallback, callback?: SentCallback): this {
    if (typeof options === "function") return this.send(data, {}, options);
    if (this.readyState !== "open") return this;
    if (options?.compress !== false) this.#compresses = true;
    if (callback) this.#socket.once("drain", () => callback(this.transport));
    this.#socket.write(data);
    this.#link?.gate();
    return this;
  }

  /** Alias of {@link send}. */
  write(data: RawData, options?: PacketOptions | SentCallback, callback?: SentCallback): this {
    return this.send(data, options, callback);
  }

  /**
   * Closes the session when what is in the write buffer was sent.
   * @param discard closes it at once
   */
  close(discard = false): void {
    const { readyState, transport } = this;
    if (discard && readyState !== "closed") return this.#end("forced close");
    if (readyState !== "open") return;
    if (transport.name !== "polling" || transport.writable) return this.#socket.close();
    // bun-engine would go without a word to a client that has no poll pending.
    this.#socket.readyState = "closing";
    this.#closeTimer = setTimeout(() => this.#end("forced close"), CLOSE_TIMEOUT);
  }

  /** Whether an upgrade may be tried now. */
  get canUpgrade(): boolean {
    return this.readyState === "open" && this.#socket["upgradeState"] === "not_upgraded";
  }

  /** Has bun-engine upgrade to a WebSocket, or to a later one if this is closed before. */
  upgrade(link: Link): void {
    this.#probe = link;
    link.transport?.on("close", () => {
      if (this.#probe !== link) return;
      this.#probe = undefined;
      // bun-engine would refuse every later upgrade.
      this.#socket["upgradeState"] = "not_upgraded";
    });
    link.start();
  }

  #onUpgrade(transport: Transport): void {
    this.#link = this.#probe;
    this.#probe = undefined;
    this.#bind();
    this.emit("upgrade", transport);
    if (this.readyState !== "closing") return;
    this.#flush();
    this.#end("forced close");
  }

  /** Takes bun-engine's place as the transport's listener: it takes "upgrade" and "noop" for errors, and describes none. */
  #bind(): void {
    const { transport } = this;
    transport.off();
    transport.on("packet", (packet) => this.#packet(packet));
    transport.on("drain", () => this.#ready());
    transport.on("error", (error) => this.#end("transport error", error));
    transport.on("close", () => this.#end("transport close"));
  }

  #packet(packet: { type: string; data?: unknown }): void {
    if (this.readyState !== "open") return;
    this.emit("packet", packet);
    if (packet.type === "pong") {
      this.#settled = this.#socket["pingTimeoutTimer"];
      return void this.#socket["onPacket"](packet);
    }
    this.#extend();
    if (packet.type === "message") {
      this.emit("data", packet.data);
      this.emit("message", packet.data);
    } else if (packet.type === "ping") {
      this.#end("transport error", new Error("invalid heartbeat direction"));
    } else if (packet.type === "error") {
      this.#end("parse error");
    }
  }

  /** Puts the end of a session that owes a pong off, once for each ping: bun-engine does not. */
  #extend(): void {
    const timer = this.#socket["pingTimeoutTimer"]; // one for each ping
    if (timer === this.#settled) return;
    this.#settled = timer;
    timer.refresh();
  }

  #ready(): void {
    if (!this.#closeTimer || this.writeBuffer.length > 0) return this.#flush();
    this.transport.send([{ type: "noop" }, { type: "close" }]);
    this.#end("forced close");
  }

  #flush(): void {
    this.#socket["flush"]();
    this.#link?.gate();
  }

  /** Ends the session for what its client did wrong. */
  #fail(message: string): Answer {
    this.transport["onError"](message);
    return emptyAnswer(400);
  }

  #end(reason: CloseReason, description?: Error): void {
    this.#description = description;
    this.#socket["onClose"](reason);
  }

  #onClose(reason: CloseReason): void {
    clearTimeout(this.#closeTimer);
    this.#probe?.transport?.close();
    // Listeners of "close" can still see what was not sent.
    queueMicrotask(() => {
      this.#socket["writeBuffer"] = [];
    });
    this.emit("close", reason, this.#description);
  }
}
