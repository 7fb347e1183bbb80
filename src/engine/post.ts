/**
 * Engine.IO's rules for the body of a POST: one POST of a session at a time, and text only.
 * @see https://socket.io/docs/v4/engine-io-protocol/#http-long-polling
 */

/** The body of a POST. */
export interface PostBody {
  readonly type: string | undefined;
  /** Reads the whole text. Resolves with undefined when it is too large; rejects when the connection is lost. */
  text(): Promise<string | undefined>;
}

/** Why a POST ends its session, in engine.io's words. */
export interface PostViolation {
  readonly violation: string;
}

/** Reads the POSTs of one session. */
export class PostReader {
  #isReading = false;

  /** @returns the text; undefined for a body that is too large, which the session survives */
  async read(body: PostBody): Promise<string | undefined | PostViolation> {
    if (this.#isReading) return { violation: "data request overlap from client" };
    if (body.type === "application/octet-stream") return { violation: "invalid content" };
    this.#isReading = true;
    try {
      return await body.text();
    } catch {
      return { violation: "data request connection closed prematurely" };
    } finally {
      this.#isReading = false;
    }
  }
}
