/**
 * Channels: an engine sends one message to many of its sessions at once, which have subscribed to a channel.
 * Published messages bypass a session's write buffer and events, so a session subscribes only while nobody can tell
 * the difference.
 */

/**
 * The events that a session emits for each packet that it sends. Published messages would be hidden from their
 * listeners, so nothing is published to a session that has one.
 */
export const SENDING_EVENTS: readonly string[] = ["packetCreate", "flush", "drain"];

/** The part of an engine that opens channels. */
export interface Publisher {
  openChannel(): Channel;
}

export interface Channel {
  /**
   * Subscribes a session: from now on it gets what is published, in order with what is sent to it alone.
   * @param session a session of the engine that opened the channel
   * @param ended is called once if the session must not be published to any more, before the next message is sent to it
   * @returns undefined when the session must not be published to now, or has subscribed already
   */
  subscribe(session: object, ended: () => void): Subscription | undefined;
  /**
   * Sends a message to all subscribers, also to those whose clients are slow. It arrives after what was sent to them
   * before.
   * @param frame the message as an Engine.IO packet: bytes, or a string that begins with the packet's type ("4")
   * @returns whether all clients keep up; if not, ask each subscription before more is published
   */
  publish(frame: string | Uint8Array): boolean;
}

export interface Subscription {
  /**
   * Whether the session can send at once. If it cannot, the client is slow: end the subscription, so that it buffers.
   */
  readonly isKeepingUp: boolean;
  /** Whether the client has nothing to take before the next message. If it has, a volatile message is not for it. */
  readonly isIdle: boolean;
  /** Publishes nothing to the session until `resume()`. */
  pause(): void;
  resume(): void;
  end(): void;
}

/**
 * Those that a channel publishes to: the subscribers of a topic, on a runtime that has topics, or a set to loop over.
 */
export interface Members<Member> {
  /** @returns false when the member is in already, or its connection is closed */
  add(member: Member): boolean;
  delete(member: Member): void;
  /** Sends a frame to each member. @returns whether all of them keep up */
  send(frame: string | Uint8Array): boolean;
}

/** A session as a channel uses it. `Member` is what sends the published frames: a peer or a transport. */
export interface Outlet<Member> {
  /** What sends frames to the client without the session. Undefined for a session on long-polling. */
  readonly member: Member | undefined;
  /** Whether a packet that is sent now is not buffered, neither by the session nor for long by the WebSocket. */
  readonly canSendNow: boolean;
  /** Whether nothing that was sent waits, and nothing was sent in this turn of the event loop. */
  readonly isIdle: boolean;
  /**
   * Allows published frames to bypass the session, if sending them through it would make no difference: its write
   * buffer is empty, and nobody listens to the events of its packets. It tells the bypass when that changes.
   * @returns whether it is allowed
   */
  startBypass(bypass: Bypass): boolean;
  /** Forgets the bypass, which then is not told any more. */
  stopBypass(bypass: Bypass): void;
}

/** Is told by a session when frames must not bypass it any more. */
export interface Bypass {
  /** Called before the next message is sent. From now on all messages must go through the session. */
  bypassEnded(): void;
}

/** A channel for any engine that can tell the outlet of a session. */
export class OutletChannel<Member> implements Channel {
  readonly #members: Members<Member>;
  readonly #outletOf: (session: object) => Outlet<Member> | undefined;

  /** @param outletOf finds a session's outlet; undefined for a session that cannot be published to now */
  constructor(members: Members<Member>, outletOf: (session: object) => Outlet<Member> | undefined) {
    this.#members = members;
    this.#outletOf = outletOf;
  }

  subscribe(session: object, ended: () => void): Subscription | undefined {
    const outlet = this.#outletOf(session);
    const member = outlet?.member;
    if (!outlet || !member) return undefined;
    const subscription = new OutletSubscription(outlet, member, { members: this.#members, ended });
    return subscription.begin() ? subscription : undefined;
  }

  publish(frame: string | Uint8Array): boolean {
    return this.#members.send(frame);
  }
}

class OutletSubscription<Member> implements Subscription, Bypass {
  readonly #outlet: Outlet<Member>;
  readonly #member: Member;
  readonly #members: Members<Member>;
  readonly #ended: () => void;

  constructor(
    outlet: Outlet<Member>,
    member: Member,
    { members, ended }: { members: Members<Member>; ended: () => void },
  ) {
    this.#outlet = outlet;
    this.#member = member;
    this.#members = members;
    this.#ended = ended;
  }

  /** Subscribes the session. @returns false when it cannot, and nothing has changed */
  begin(): boolean {
    if (!this.#outlet.startBypass(this)) return false;
    if (this.#members.add(this.#member)) return true;
    this.#outlet.stopBypass(this);
    return false;
  }

  get isKeepingUp(): boolean {
    return this.#outlet.canSendNow;
  }

  get isIdle(): boolean {
    return this.#outlet.isIdle;
  }

  pause(): void {
    this.#members.delete(this.#member);
  }

  resume(): void {
    this.#members.add(this.#member);
  }

  end(): void {
    this.pause();
    this.#outlet.stopBypass(this);
  }

  bypassEnded(): void {
    this.pause();
    this.#ended();
  }
}

/** The members of a channel on a runtime whose WebSockets have no topics. A subclass loops over them to send. */
export abstract class Loop<Member> implements Members<Member> {
  protected readonly members = new Set<Member>();

  add(member: Member): boolean {
    const { size } = this.members;
    return this.members.add(member).size > size;
  }

  delete(member: Member): void {
    this.members.delete(member);
  }

  abstract send(frame: string | Uint8Array): boolean;
}
