/**
 * Channels for engine.io's sessions: a published message is encoded as a frame once, and a loop sends the frame to the
 * WebSocket of each subscriber.
 */
import { Socket } from "engine.io";
import {
  type Bypass,
  type Channel,
  Loop,
  type Outlet,
  OutletChannel,
  SENDING_EVENTS,
} from "../../../../src/engine/channel.ts";
import { encodeMessage } from "../../websocket/index.ts";
import { DirectTransport } from "./transport.ts";

class TransportLoop extends Loop<DirectTransport> {
  /**
   * @returns false, so that each session is asked whether it keeps up before the next message: that costs little here,
   *   and a session may have begun to buffer by then
   */
  send(data: string | Uint8Array): boolean {
    const frames = [encodeMessage(data)];
    for (const transport of this.members) transport.sendFrame(frames);
    return false;
  }
}

/** What a channel needs of a session. engine.io's class has no place for it. */
class SessionOutlet implements Outlet<DirectTransport> {
  readonly #session: Socket;
  readonly #bypasses = new Set<Bypass>();

  constructor(session: Socket) {
    this.#session = session;
    // All bypasses share one listener. With one for each, Node would warn of a leak in a session that is in many rooms.
    session.on("newListener", (event) => {
      if (typeof event === "string" && SENDING_EVENTS.includes(event)) this.#endBypasses();
    });
  }

  get member(): DirectTransport | undefined {
    const { transport } = this.#session;
    return transport instanceof DirectTransport ? transport : undefined;
  }

  get canSendNow(): boolean {
    const session = this.#session;
    const isEmpty = session["writeBuffer"].length === 0;
    return isEmpty && session.readyState === "open" && this.member?.canSendNow === true;
  }

  get isIdle(): boolean {
    return this.canSendNow && this.member?.isIdle === true;
  }

  startBypass(bypass: Bypass): boolean {
    if (!this.canSendNow || !this.member?.isPlain || this.#hasPacketListeners) return false;
    this.#bypasses.add(bypass);
    return true;
  }

  stopBypass(bypass: Bypass): void {
    this.#bypasses.delete(bypass);
  }

  get #hasPacketListeners(): boolean {
    return SENDING_EVENTS.some((event) => this.#session.listenerCount(event) > 0);
  }

  #endBypasses(): void {
    for (const bypass of this.#bypasses) {
      this.#bypasses.delete(bypass);
      bypass.bypassEnded();
    }
  }
}

const outlets = new WeakMap<Socket, SessionOutlet>();

function outletOf(session: object): SessionOutlet | undefined {
  if (!(session instanceof Socket && session.transport instanceof DirectTransport)) return undefined;
  const known = outlets.get(session);
  if (known) return known;
  const outlet = new SessionOutlet(session);
  outlets.set(session, outlet);
  return outlet;
}

export const openTransportChannel = (): Channel => new OutletChannel(new TransportLoop(), outletOf);
