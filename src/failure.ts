/**
 * What a client is told when its event fails. It imports nothing: browsers load it as part of "hinoko/events".
 */

/** What a schema has found wrong in the data of an event. */
export interface EventIssue {
  readonly message: string;
  /** The keys that lead to the wrong value: `["author", "name"]`. It is empty when the data as a whole is wrong. */
  readonly path: readonly (string | number)[];
}

/** The event is not in the contract, or its data is not as the contract has it. No listener was called. */
export interface InvalidEvent {
  readonly code: "INVALID";
  readonly event: string;
  readonly issues: readonly EventIssue[];
}

/** The listener has failed: by an `EventError` with this code, or with the code "UNKNOWN_ERROR" by any other error. */
export interface FailedEvent {
  readonly code: string;
  readonly message: string;
  readonly data?: unknown;
}

/**
 * What a client gets when its event fails: in the acknowledgement, or as the event "hinoko:error" when it has asked for
 * none.
 */
export interface EventFailure {
  readonly error: InvalidEvent | FailedEvent;
}

/** The event that tells a client of a failure when it waits for no acknowledgement. */
export const FAILURE_EVENT = "hinoko:error";

/** What a client is told of an error that is not its fault. The error itself may hold secrets. */
export const UNKNOWN_ERROR: FailedEvent = { code: "UNKNOWN_ERROR", message: "Internal server error" };

/**
 * An error that the client shall know. A listener of a Socket.IO event throws it, or rejects with it; then the client
 * gets `{ error: { code, message, data } }` in the acknowledgement, or as "hinoko:error". It is not logged.
 * @example throw new EventError("FULL", "The room is full", { seats: 4 });
 */
export class EventError extends Error {
  override readonly name = "EventError";
  /** What a program tells apart by: "FULL". */
  readonly code: string;
  /** More about it. It is sent to the client. */
  readonly data: unknown;

  constructor(code: string, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }

  /** The form in which the client gets it. Without data it has no such property. */
  toFailure(): EventFailure {
    const { code, message, data } = this;
    return { error: data === undefined ? { code, message } : { code, message, data } };
  }
}
