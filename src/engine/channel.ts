/**
 * How an engine sends one message to many of its sessions at once: they subscribe to a channel. Published messages bypass
 * a session's write buffer and events, so a session subscribes only while nobody can tell the difference.
 */

/** The part of an engine that publishes. */
export interface Publisher {
  openChannel(): Channel;
}

export interface Channel {
  /**
   * Has a session get what is published, from now on and in order with what is sent to it alone.
   * @param session a session of the engine that opened the channel
   * @param ended is called, once, when messages must go through the session again, before the next one is sent to it
   * @returns undefined when publishing is not right for the session now, or when it subscribes already
   */
  subscribe(session: object, ended: () => void): Subscription | undefined;
  /**
   * Sends a message to all subscribers, behind what was sent to them before; also to readers that do not keep up.
   * @param frame the message as an Engine.IO packet: a string begins with the packet's type
   * @returns whether all of them keep up; if not, ask each subscription before more is published
   */
  publish(frame: string | Uint8Array): boolean;
}

export interface Subscription {
  /** Whether what is sent to the session now is on its way at once. If not, the subscription is to be ended. */
  readonly keepsUp: boolean;
  /** Leaves the session out of what is published, until `resume()`. */
  pause(): void;
  resume(): void;
  end(): void;
}

/** Who gets what is published to a channel: by the runtime's own topics, or in a loop. */
export interface Members<Member> {
  /** @returns false when the member is in already, or its connection is closed */
  add(member: Member): boolean;
  delete(member: Member): void;
  /** Sends a frame to each member. @returns whether all of them keep up */
  send(frame: string | Uint8Array): boolean;
}

/** A session as a channel uses it. */
export interface Outlet<Member> {
  /** Who takes frames past the session; a session on long-polling has nobody. */
  readonly member: Member | undefined;
  /** Whether what is sent now is on its way at once. */
  readonly isClear: boolean;
  /**
   * Lets frames go past the session, if sending would do nothing but pass them on now: nothing waits, and nobody listens
   * to what is sent.
   * @returns whether they may
   */
  bypass(bypass: Bypass): boolean;
  /** The bypass is not needed any more. */
  unbypass(bypass: Bypass): void;
}

/** Who lets frames go past a session. */
export interface Bypass {
  /** From now on messages must go through the session again. */
  bypassEnded(): void;
}

/** The channel of an engine whose sessions have outlets. */
export class OutletChannel<Member> implements Channel {
  readonly #members: Members<Member>;
  readonly #outletOf: (session: object) => Outlet<Member> | undefined;

  /** @param outletOf a session's outlet; undefined for one that is never published to */
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

  /** @returns whether the session subscribes now */
  begin(): boolean {
    if (!this.#outlet.bypass(this)) return false;
    if (this.#members.add(this.#member)) return true;
    this.#outlet.unbypass(this);
    return false;
  }

  get keepsUp(): boolean {
    return this.#outlet.isClear;
  }

  pause(): void {
    this.#members.delete(this.#member);
  }

  resume(): void {
    this.#members.add(this.#member);
  }

  end(): void {
    this.pause();
    this.#outlet.unbypass(this);
  }

  bypassEnded(): void {
    this.pause();
    this.#ended();
  }
}

/** Members on a runtime whose WebSockets have no topics. */
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
