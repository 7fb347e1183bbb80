/**
 * Hinoko's own engine on Bun: its channels are topics of Bun's.
 */
import type { Answer } from "../../../src/engine/answer.ts";
import type { Members } from "../../../src/engine/channel.ts";
import type { Engine } from "../../../src/engine/engine.ts";
import type { Exchange } from "../../../src/engine/exchange.ts";
import { NativeEngine } from "../../../src/engine/native.ts";
import type { EngineOptions } from "../../../src/engine/options.ts";
import type { Peer } from "../../../src/engine/peer.ts";
import type { Socket } from "../../../src/engine/socket.ts";
import { BunTopic, type Publish } from "../peer.ts";
import type { BunEnv } from "../visitor.ts";

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
    // A long poll is silent for longer than Bun waits.
    if (answer instanceof Promise && exchange.method === "GET") exchange.env.server.timeout(exchange.raw, 0);
    return answer;
  }
}
