/**
 * The long-polling transport. The client sends a GET (a poll), which is answered when there are packets for it, and
 * sends its own packets in POSTs.
 * @see https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
 */
import { clearTimeout, setTimeout } from "node:timers";
import { type Answer, emptyAnswer, pollAnswer, postAnswer } from "./answer.ts";
import { decodePayload, encodePayload, type Packet } from "./parser.ts";
import { type PostBody, PostReader, violationAnswer } from "./post.ts";
import { Transport } from "./transport.ts";

/**
 * How long a session that is being closed waits for a poll that it can answer with the close packet, in milliseconds.
 */
export const LAST_POLL_TIMEOUT = 30_000;

export class Polling extends Transport {
  readonly name = "polling";
  readonly #maxPackets: number;
  /** Answers the pending poll, if there is one. */
  #answer: ((answer: Answer) => void) | undefined;
  readonly #posts = new PostReader();
  #isDiscarded = false;
  /** Finishes closing. Set while the close packet waits for a poll. */
  #finishClose: (() => void) | undefined;

  /** @param maxPackets the most packets that the body of a POST may have */
  constructor(maxPackets: number) {
    super();
    this.#maxPackets = maxPackets;
  }

  get writable(): boolean {
    return this.#answer !== undefined;
  }

  /** Handles a poll. It is answered at once if packets are waiting, else when there are some. */
  poll(request: Request): Answer | Promise<Answer> {
    if (this.#answer) {
      this.fail("overlap from client");
      return emptyAnswer(400);
    }
    let answer: Answer | undefined;
    this.#answer = (given) => {
      answer = given;
    };
    this.listener.onReady();
    if (this.#finishClose) this.#releasePoll();
    return answer ?? this.#waitForPackets(request);
  }

  /** Waits until the poll can be answered, or the client gives it up. */
  #waitForPackets(request: Request): Promise<Answer> {
    return new Promise((resolve) => this.#answerUnlessAborted(request.signal, resolve));
  }

  /**
   * Has `#answer` answer the poll, unless the client aborts it first. It stops listening to the signal with the answer,
   * because some runtimes abort the signal after a normal answer too.
   */
  #answerUnlessAborted(signal: AbortSignal, resolve: (answer: Answer) => void): void {
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

  /** Handles a POST, whose body has packets from the client. */
  async receive(body: PostBody): Promise<Answer> {
    const text = await this.#posts.read(body);
    if (text === undefined) return emptyAnswer(413);
    if (typeof text !== "string") {
      this.fail(text.violation);
      return violationAnswer(text);
    }
    if (this.readyState !== "open") return emptyAnswer(400);
    this.#decode(text);
    return postAnswer();
  }

  #decode(text: string): void {
    for (const packet of decodePayload(text, this.#maxPackets)) {
      if (packet.type !== "close") this.listener.onPacket(packet);
      else {
        this.#releasePoll();
        this.markClosed();
      }
    }
  }

  send(packets: readonly Packet[]): number {
    const payload = encodePayload(this.#finishClose ? [...packets, { type: "close" }] : packets);
    const answer = this.#answer;
    this.#answer = undefined;
    const compress = packets.some(({ options }) => options?.compress);
    answer?.(pollAnswer(payload, compress));
    this.#finishClose?.();
    return packets.length;
  }

  /** Answers a pending poll with a noop packet, so that the client does not wait for its answer. */
  #releasePoll(): void {
    if (this.writable) this.send([{ type: "noop" }]);
  }

  override discard(): void {
    this.#isDiscarded = true;
    this.#finishClose?.();
  }

  protected doClose(done: () => void): void {
    const finish = () => {
      this.#finishClose = undefined;
      clearTimeout(timer);
      done();
      this.#releasePoll();
      this.markClosed();
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (this.writable) {
      this.send([{ type: "close" }]);
      finish();
    } else if (this.#isDiscarded) {
      finish();
    } else {
      this.#finishClose = finish;
      timer = setTimeout(finish, LAST_POLL_TIMEOUT);
    }
  }
}
