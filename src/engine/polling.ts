/**
 * The long-polling transport: the client waits for packets in a GET, and sends its own in POSTs.
 * @see https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
 */
import { clearTimeout, setTimeout } from "node:timers";
import { type Answer, emptyAnswer, pollAnswer, postAnswer } from "./answer.ts";
import { decodePayload, encodePayload, type Packet } from "./parser.ts";
import { Transport } from "./transport.ts";

/** The body of a POST. */
export interface PostBody {
  readonly type: string | undefined;
  /** The whole text, or `undefined` when it is too large. Rejects when the connection is lost. */
  text(): Promise<string | undefined>;
}

/** How long a session that is being closed waits for a poll to tell the client, in milliseconds. */
export const CLOSE_TIMEOUT = 30_000;

export class Polling extends Transport {
  readonly name = "polling";
  /** Answers the poll that is pending. */
  #answer: ((answer: Answer) => void) | undefined;
  #isReceiving = false;
  #isDiscarded = false;
  /** Ends an orderly close, when the client was told. */
  #finish: (() => void) | undefined;

  get writable(): boolean {
    return this.#answer !== undefined;
  }

  /** Takes a GET: it is answered when there are packets to send. */
  poll(request: Request): Answer | Promise<Answer> {
    if (this.#answer) {
      this.fail("overlap from client");
      return emptyAnswer(400);
    }
    let answer: Answer | undefined;
    this.#answer = (given) => {
      answer = given;
    };
    this.listener.ready();
    if (this.#finish) this.#noop();
    return answer ?? this.#wait(request);
  }

  /** Has the poll answered when there is something to tell, unless the client gives it up. */
  #wait(request: Request): Promise<Answer> {
    return new Promise((resolve) => this.#watch(request.signal, resolve));
  }

  /** The signal is aborted after a normal answer too: it is minded only while the poll is pending. */
  #watch(signal: AbortSignal, resolve: (answer: Answer) => void): void {
    const onAbort = () => {
      this.#answer = undefined;
      resolve(emptyAnswer(400));
      this.fail("poll connection closed prematurely");
    };
    this.#answer = (answer) => {
      signal.removeEventListener("abort", onAbort);
      resolve(answer);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }

  /** Takes a POST. */
  async receive(body: PostBody): Promise<Answer> {
    if (this.#isReceiving) {
      this.fail("data request overlap from client");
      return emptyAnswer(400);
    }
    if (body.type === "application/octet-stream") {
      this.fail("invalid content");
      return emptyAnswer(400);
    }
    this.#isReceiving = true;
    const text = await body.text().catch(() => null);
    this.#isReceiving = false;
    if (text === undefined) return emptyAnswer(413);
    if (text === null) this.fail("data request connection closed prematurely");
    if (text === null || this.readyState !== "open") return emptyAnswer(400);
    this.#decode(text);
    return postAnswer();
  }

  #decode(text: string): void {
    for (const packet of decodePayload(text)) {
      if (packet.type !== "close") this.listener.packet(packet);
      else {
        this.#noop();
        this.onClosed();
      }
    }
  }

  send(packets: readonly Packet[]): number {
    const payload = encodePayload(this.#finish ? [...packets, { type: "close" }] : packets);
    const answer = this.#answer;
    this.#answer = undefined;
    const compress = packets.some(({ options }) => options?.compress);
    answer?.(pollAnswer(payload, compress));
    this.#finish?.();
    return packets.length;
  }

  /** Lets a pending poll go. */
  #noop(): void {
    if (this.writable) this.send([{ type: "noop" }]);
  }

  override discard(): void {
    this.#isDiscarded = true;
    this.#finish?.();
  }

  protected doClose(done: () => void): void {
    const finish = () => {
      this.#finish = undefined;
      clearTimeout(timer);
      done();
      this.#noop();
      this.onClosed();
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.writable) {
      this.send([{ type: "close" }]);
      finish();
    } else if (this.#isDiscarded) {
      finish();
    } else {
      this.#finish = finish;
      timer = setTimeout(finish, CLOSE_TIMEOUT);
    }
  }
}
