/**
 * A handshake and a connection without a network. The connection records what is written to it, and can stop accepting
 * more, like the connection of a slow client.
 */
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { Duplex } from "node:stream";

export class FakeConnection extends Duplex {
  /** What was written, one buffer for each system call that a real connection would have made. */
  readonly written: Buffer[] = [];
  #isBlocked = false;
  #proceed: (() => void) | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(Buffer.from(chunk));
    this.#finishWrite(done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.written.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    this.#finishWrite(done);
  }

  /** Stops accepting what is written. */
  block(): void {
    this.#isBlocked = true;
  }

  /** Accepts what was written meanwhile. */
  unblock(): void {
    this.#isBlocked = false;
    this.#proceed?.();
    this.#proceed = undefined;
  }

  #finishWrite(done: () => void): void {
    if (this.#isBlocked) this.#proceed = done;
    else done();
  }
}

/** A handshake request that ws accepts. */
export function upgradeRequest(headers: Record<string, string> = {}): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  request.method = "GET";
  request.headers = {
    upgrade: "websocket",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    "sec-websocket-version": "13",
    ...headers,
  };
  return request;
}
