/**
 * Hinoko's own engine on Bun. It differs from the other runtimes in two things: its channels are Bun topics, and it
 * takes Bun's idle timeout off long polls.
 */
import type { Answer } from "../../../src/engine/answer.ts";
import type { Members } from "../../../src/engine/channel.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { Exchange } from "../../../src/engine/exchange.ts";
import { NativeEngine } from "../../../src/engine/native.ts";
import type { EngineOptions } from "../../../src/engine/options.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import type { Socket } from "../../../src/engine/socket.ts";
import type { BunEnv } from "../visitor.ts";
import { BunTopic, type Publish } from "./topic.ts";

export class BunEngine extends NativeEngine<BunEnv> {
  readonly #publish: Publish;

  constructor(engine: Engine, options: EngineOptions, publish: Publish) {
    super(engine, options);
    this.#publish = publish;
  }

  protected override createMembers(): Members<Peer> {
    return new BunTopic(this.#publish);
  }

  protected override answerPolling(exchange: Exchange<BunEnv>, session: Socket): Answer | Promise<Answer> {
    const answer = super.answerPolling(exchange, session);
    // The poll waits for packets, and Bun would close its connection after `idleTimeout`.
    if (answer instanceof Promise && exchange.method === "GET") exchange.env.server.timeout(exchange.raw, 0);
    return answer;
  }
}
