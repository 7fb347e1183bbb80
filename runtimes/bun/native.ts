/**
 * Hinoko's own engine on Bun.serve.
 */
import type { Exchange } from "../../src/engine/exchange.ts";
import { type EngineOptions, readOptions } from "../../src/engine/options.ts";
import { HIGH_WATER_MARK, type Peer, type PeerListener } from "../../src/engine/peer.ts";
import type { Answer } from "../../src/engine/polling.ts";
import { NativeEngine, type Upgrade } from "../../src/engine/server.ts";
import type { Socket } from "../../src/engine/socket.ts";
import { subscribe } from "../../src/engine/subscription.ts";
import type { Engine } from "../../src/realtime/engine.ts";
import type { Publisher } from "../../src/realtime/publisher.ts";
import type { Mounted } from "../../src/runtime.ts";
import { commands } from "../commands.ts";
import { NO_STATUS, violationOf } from "./close.ts";
import type { EngineBinding, SocketBinding } from "./listen.ts";
import type { BunEnv } from "./route.ts";

class BunEngine extends NativeEngine<BunEnv> {
  readonly publisher: Publisher;

  constructor(engine: Engine, options: EngineOptions, publish: Publisher["publish"]) {
    super(engine, options);
    this.publisher = { subscribe, publish };
  }

  protected override pass(exchange: Exchange<BunEnv>, session: Socket): Answer | Promise<Answer> {
    const answer = super.pass(exchange, session);
    // A long poll is silent for longer than Bun waits.
    if (answer instanceof Promise && exchange.method === "GET") exchange.env.server.timeout(exchange.raw, 0);
    return answer;
  }
}

/** What Bun's `send()` answers for what it could not write at once. */
const BUFFERED = -1;

/** Bun's WebSocket as a peer of the engine. */
class BunPeer implements Peer, SocketBinding {
  /** Until the WebSocket is there. */
  #upgrade: Upgrade | undefined;
  #socket: Bun.ServerWebSocket<SocketBinding> | undefined;
  #listener: PeerListener | undefined;
  #subscriptions = 0;
  /** Something was buffered when it was last sent, or published without this peer's knowing. */
  #mayBuffer = false;

  constructor(upgrade: Upgrade) {
    this.#upgrade = upgrade;
  }

  opened(socket: Bun.ServerWebSocket<SocketBinding>): void {
    this.#socket = socket;
    this.#listener = this.#upgrade?.connect(this);
    this.#upgrade = undefined;
  }

  received(message: string | Buffer<ArrayBuffer>): void {
    this.#listener?.received(message);
  }

  drained(): void {
    if (this.bufferedAmount < HIGH_WATER_MARK) this.#listener?.drained();
  }

  closed(_: number, reason: string): void {
    const violation = violationOf(reason);
    if (violation) this.#listener?.failed(new Error(violation));
    this.#listener?.closed();
  }

  get bufferedAmount(): number {
    // To ask Bun costs an eighth of a send.
    if (!this.#mayBuffer) return 0;
    const amount = this.#socket?.getBufferedAmount() ?? 0;
    if (amount === 0 && this.#subscriptions === 0) this.#mayBuffer = false;
    return amount;
  }

  send(frame: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket?.send(frame) === BUFFERED) this.#mayBuffer = true;
  }

  close(code = NO_STATUS, reason?: string): void {
    this.#socket?.close(code, reason);
  }

  terminate(): void {
    this.#socket?.terminate();
  }

  subscribe(topic: string): boolean {
    const socket = this.#socket;
    if (!socket || socket.isSubscribed(topic) || !socket.subscribe(topic)) return false;
    this.#mayBuffer = true;
    this.#subscriptions++;
    return true;
  }

  unsubscribe(topic: string): void {
    if (this.#socket?.unsubscribe(topic)) this.#subscriptions--;
  }
}

/** Makes the engine of a service. */
export function bindNative({ engine, settings }: Mounted, publish: Publisher["publish"]): EngineBinding {
  const options = readOptions(settings.socketio, commands.bun.name);
  const driver = new BunEngine(engine, options, publish);
  return {
    driver,
    maxSize: options.maxHttpBufferSize,
    handshakeOf(env) {
      const upgrade = driver.upgradeOf(env);
      return (
        upgrade &&
        ((request, server, headers) => server.upgrade(request, { headers, data: new BunPeer(upgrade) }))
      );
    },
  };
}
