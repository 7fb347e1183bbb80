/**
 * Decides which volatile messages are dropped: those that would have to wait behind anything else. Socket.IO drops a
 * volatile message while the transport is not writable, and engine.io's transport is not while what was sent before is
 * being written. Hinoko's transports take more before that is written, which is faster for all other messages.
 */

/** Decides for one session. */
export class VolatileFilter {
  /** The options of the message whose packets are being sent. */
  #message: object | undefined;
  #isDropped = false;

  /**
   * Whether a packet of a volatile message is dropped.
   * @param options of the packet. The packets of one message are sent in a row, and share the object.
   * @param outlet through which it would be sent
   */
  drops(options: object, outlet: { readonly isIdle: boolean }): boolean {
    if (options === this.#message) return this.#isDropped;
    if (!this.#message) queueMicrotask(this.#forget);
    this.#message = options;
    this.#isDropped = !outlet.isIdle;
    return this.#isDropped;
  }

  /** The options may hold the encoded message, which would be kept with them. */
  readonly #forget = (): void => {
    this.#message = undefined;
  };
}
