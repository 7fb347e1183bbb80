/**
 * How an engine sends one message to many of its sessions at once. What is published passes by the sessions, so only
 * those subscribe for whom that does just what sending to them does.
 */

/** A session as Socket.IO has it: that of whichever engine is bound. */
type Session = object;

/** The part of an engine that publishes. */
export interface Publisher {
  /**
   * Has a session get what is published to a topic, from now on and in order with what is sent to it alone.
   * @param ended is called, once, when the session has to be told by itself again, before it is told anything
   * @returns undefined when publishing is not right for the session now, or it gets what is published already
   */
  subscribe(session: Session, topic: string, ended: () => void): Subscription | undefined;
  /**
   * Sends a message to the subscribers of a topic, behind all that was sent to them; to readers that do not keep up, too.
   * @param frame the message as a packet: a string begins with its type
   * @returns whether all of them keep up; if not, they are to be asked one by one before more is published
   */
  publish(topic: string, frame: string | Uint8Array): boolean;
}

export interface Subscription {
  /** Whether what is sent to the session now is on its way at once. If not, the subscription is to be ended. */
  readonly keepsUp: boolean;
  /** Leaves the session out of what is published, until `resume()`. */
  pause(): void;
  resume(): void;
  end(): void;
}
