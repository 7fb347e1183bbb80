/**
 * Engine.IO's rules for the body of a POST: one POST of a session at a time, and text only.
 * @see https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
 */
import { type Answer, emptyAnswer } from "./answer.ts";
import { SilenceError } from "./silence.ts";

/** The body of a POST. */
export interface PostBody {
  readonly type: string | undefined;
  /** Reads the whole text. Resolves with undefined when it is too large; rejects when the connection is lost. */
  text(): Promise<string | undefined>;
}

/** Why a POST ends its session, in engine.io's words. */
export interface PostViolation {
  readonly violation: string;
  /** The status of the answer. */
  readonly status: 400 | 408;
}

/** The answer to a POST that ends its session. After a time-out the rest of the body is not waited for. */
export const violationAnswer = ({ status }: PostViolation): Answer =>
  status === 408 ? { status, headers: { Connection: "close" } } : emptyAnswer(status);

/** Reads the POSTs of one session. */
export class PostReader {
  #isReading = false;

  /** @returns the text; undefined for a body that is too large, which the session survives */
  async read(body: PostBody): Promise<string | undefined | PostViolation> {
    if (this.#isReading) return { violation: "data request overlap from client", status: 400 };
    if (body.type === "application/octet-stream") return { violation: "invalid content", status: 400 };
    this.#isReading = true;
    try {
      return await body.text();
    } catch (error) {
      const status = error instanceof SilenceError ? 408 : 400;
      return { violation: "data request connection closed prematurely", status };
    } finally {
      this.#isReading = false;
    }
  }
}
