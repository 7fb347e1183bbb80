/**
 * Cuts off clients that stop in the middle of a body. Node's own `requestTimeout` limits the time of a whole request,
 * and would cut off uploads that are slow but steady.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A body that is being received. */
interface Body {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** How many bytes the connection had received when it was last looked at. */
  bytesRead: number;
  /** How often it was looked at since anything has come. */
  silentChecks: number;
}

/** The timeout is divided into so many checks. */
const CHECKS = 4;

const ANSWER = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/** Whether a client may send more of a body, and Node would read it. */
const isAwaited = ({ readableLength, readableHighWaterMark, readableFlowing }: IncomingMessage): boolean =>
  // Node stops reading the connection while nobody takes what has come. The client cannot be blamed for that.
  readableFlowing !== false && readableLength < readableHighWaterMark;

export class SilentBodies {
  /** The last body on each connection. Those that have come completely are removed by the next check. */
  readonly #bodies = new Map<Socket, Body>();
  readonly #timeout: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout for how long a client may send nothing, in milliseconds; 0 sets no limit */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** Watches the body of a request, if it has one. */
  watch(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { headers, socket } = incoming;
    if (this.#timeout === 0 || (!headers["content-length"] && !headers["transfer-encoding"])) return;
    this.#timer ??= setInterval(() => this.#check(), this.#timeout / CHECKS).unref();
    this.#bodies.set(socket, { incoming, outgoing, bytesRead: socket.bytesRead, silentChecks: 0 });
  }

  #check(): void {
    for (const [socket, body] of this.#bodies) {
      const { incoming, outgoing } = body;
      if (incoming.complete || socket.destroyed) {
        this.#bodies.delete(socket);
      } else if (socket.bytesRead > body.bytesRead || !isAwaited(incoming)) {
        body.bytesRead = socket.bytesRead;
        body.silentChecks = 0;
      } else if (++body.silentChecks > CHECKS) {
        this.#bodies.delete(socket);
        if (!outgoing.headersSent) socket.write(ANSWER);
        socket.destroySoon();
      }
    }
    if (this.#bodies.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
