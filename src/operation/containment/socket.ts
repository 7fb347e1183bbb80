/**
 * Contains the functions that authors give to a Socket.IO socket: listeners, middlewares and acknowledgements. A client
 * that waits for an acknowledgement gets an error in it.
 */
import { Namespace, Socket } from "socket.io";
import { EventError, type EventFailure, FAILURE_EVENT, UNKNOWN_ERROR } from "../../failure.ts";
import {
  type AuthorFunction,
  callContained,
  type ErrorPlace,
  type ErrorReporter,
  isFunction,
} from "../errors.ts";
import { Containment, listenerOf, type WrapListener } from "./emitter.ts";

/** What a contract asks of the sockets of a namespace. */
export interface SocketRules {
  /** Gets each socket before an author's function does. */
  guard(socket: Socket): void;
  /** Makes of an author's listener the function that is called, and contained, in its place. */
  readonly wrapListener: WrapListener;
  /**
   * Checks what the server emits.
   * @param args the data, and perhaps an acknowledgement
   * @throws {TypeError} when it must not be sent
   */
  checkEmit(event: string, args: readonly unknown[]): void;
}

/** What a listener gets in the place of an acknowledgement that the client has not asked for. */
const ignoreAck = () => {};

/**
 * Finds the acknowledgement in what is emitted. A listener may emit what it got,
 * `(text, to) => io.emit("chat", text, to)`: there, what stands for an acknowledgement is an argument that is missing.
 */
export function takeAck(args: unknown[]): AuthorFunction | undefined {
  const ack = args.at(-1);
  if (ack === ignoreAck) args[args.length - 1] = undefined;
  return isFunction(ack) && ack !== ignoreAck ? ack : undefined;
}

/** The events that Socket.IO itself emits on a socket: none has an acknowledgement. */
const OWN_EVENTS = new Set<string | symbol>(["disconnecting", "disconnect", "error"]);

/** Adds to a place the socket or the namespace that the function was called on. */
export function placeIn(holder: unknown, place: Pick<ErrorPlace, "in" | "event">): ErrorPlace {
  if (holder instanceof Namespace) return { ...place, namespace: holder.name };
  if (!(holder instanceof Socket)) return place;
  const { nsp, id, request } = holder;
  return { ...place, namespace: nsp.name, socket: id, requestId: requestIdOf(request) };
}

/** The `c.var.requestId` of the request that opened the socket's session, if Hono's `requestId()` has set one. */
function requestIdOf(request: object): string | undefined {
  const variables: unknown = "var" in request ? request.var : undefined;
  if (typeof variables !== "object" || variables === null || !("requestId" in variables)) return undefined;
  return String(variables.requestId);
}

/** Tells a client that its event has failed: in the acknowledgement, if it waits for one, else by an event. */
export function tellFailure(socket: unknown, ack: unknown, failure: EventFailure): void {
  if (isFunction(ack) && ack !== ignoreAck) ack(failure);
  else if (socket instanceof Socket) socket.emit(FAILURE_EVENT, failure);
}

/**
 * Tells the client of an `EventError`. Any other error is reported, and the client told that there is one, if it waits
 * for an answer.
 */
function failEvent(errors: ErrorReporter, socket: unknown, { error, place, args }: Mistake): void {
  const ack = args.at(-1);
  if (error instanceof EventError && !OWN_EVENTS.has(place.event)) {
    const onError = (error: unknown) => failEvent(errors, socket, { error, place, args }); // its data cannot be sent
    callContained(() => tellFailure(socket, ack, error.toFailure()), undefined, [], onError);
    return;
  }
  errors.report(error, placeIn(socket, place));
  if (isFunction(ack)) ack({ error: UNKNOWN_ERROR });
}

/** An error of a function that was called for an event. */
interface Mistake {
  readonly error: unknown;
  readonly place: { readonly in: string; readonly event: string };
  /** What the function was called with. The last may be the acknowledgement. */
  readonly args: readonly unknown[];
}

/** Makes the containment of sockets. @param rules of the contract for their namespace, if there is one */
export function createSocketContainment(errors: ErrorReporter, rules?: SocketRules): Containment {
  const wrapListener = (event: string | symbol, listener: AuthorFunction): AuthorFunction => {
    const place = { in: listenerOf(event), event: String(event) };
    const expected = OWN_EVENTS.has(event) ? 0 : listener.length;
    const called = rules ? rules.wrapListener(event, listener) : listener;
    return function (this: unknown, ...args) {
      // Without this, a client that asks for no acknowledgement would make `(data, ack) => ack()` throw.
      if (args.length < expected && !isFunction(args.at(-1))) args[expected - 1] = ignoreAck;
      return callContained(called, this, args, (error) => failEvent(errors, this, { error, place, args }));
    };
  };
  return new Containment(wrapListener, createOverrides(errors, rules));
}

type SocketMiddleware = (event: unknown[], next: (error?: Error) => void) => unknown;

/** Makes the methods that a contained socket has in place of those of its class. */
function createOverrides(errors: ErrorReporter, rules: SocketRules | undefined): object {
  /** The wrappers of catch-all listeners. Socket.IO compares them by identity when one is removed. */
  const catchAlls = new WeakMap<AuthorFunction, AuthorFunction>();

  const wrapCatchAll = (listener: AuthorFunction): AuthorFunction => {
    const known = catchAlls.get(listener);
    if (known) return known;
    function wrapped(this: unknown, ...args: unknown[]) {
      const place = { in: "a catch-all listener", event: String(args[0]) };
      return callContained(listener, this, args, (error) => errors.report(error, placeIn(this, place)));
    }
    catchAlls.set(listener, wrapped);
    return wrapped;
  };

  return {
    onAny(this: Socket, listener: AuthorFunction) {
      return Socket.prototype.onAny.call(this, wrapCatchAll(listener));
    },
    prependAny(this: Socket, listener: AuthorFunction) {
      return Socket.prototype.prependAny.call(this, wrapCatchAll(listener));
    },
    offAny(this: Socket, listener?: AuthorFunction) {
      return Socket.prototype.offAny.call(this, listener && wrapCatchAll(listener));
    },
    onAnyOutgoing(this: Socket, listener: AuthorFunction) {
      return Socket.prototype.onAnyOutgoing.call(this, wrapCatchAll(listener));
    },
    prependAnyOutgoing(this: Socket, listener: AuthorFunction) {
      return Socket.prototype.prependAnyOutgoing.call(this, wrapCatchAll(listener));
    },
    offAnyOutgoing(this: Socket, listener?: AuthorFunction) {
      return Socket.prototype.offAnyOutgoing.call(this, listener && wrapCatchAll(listener));
    },

    /** A middleware that fails drops the event, as one that calls `next()` with an error does. */
    use(this: Socket, middleware: SocketMiddleware) {
      return Socket.prototype.use.call(this, (event, next) => {
        const onError = (error: unknown) => {
          const place = { in: "a middleware of a socket", event: event[0] };
          failEvent(errors, this, { error, place, args: event });
        };
        callContained(() => middleware(event, next), this, [], onError);
      });
    },

    emit(this: Socket, event: string, ...args: unknown[]) {
      rules?.checkEmit(event, args);
      const ack = takeAck(args);
      if (ack) {
        const place = { in: `an acknowledgement of "${event}"`, event };
        args[args.length - 1] = (...answers: unknown[]) =>
          callContained(ack, this, answers, (error) => errors.report(error, placeIn(this, place)));
      }
      return Socket.prototype.emit.call(this, event, ...args);
    },
  };
}
