/**
 * Contains the functions that authors give to a Socket.IO socket: listeners, middlewares and acknowledgements. A client
 * that waits for an acknowledgement gets an error in it.
 */
import { Namespace, Socket } from "socket.io";
import { type AuthorFunction, callContained, type ErrorPlace, type Errors, isFunction } from "../errors.ts";
import { Containment, listenerOf } from "./emitter.ts";

/** What a client is told of an error that is not its fault. The error itself may hold secrets. */
export const FAILURE = { code: "UNKNOWN_ERROR", message: "Internal server error" };

/** What a listener gets in the place of an acknowledgement that the client has not asked for. */
const ignoreAck = () => {};

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

/** Reports an error of a function that was called for an event, and tells the client, if it waits for an answer. */
function failEvent(errors: Errors, socket: unknown, { error, place, args }: EventFailure): void {
  errors.report(error, placeIn(socket, place));
  const ack = args.at(-1);
  if (isFunction(ack)) ack({ error: FAILURE });
}

interface EventFailure {
  readonly error: unknown;
  readonly place: Pick<ErrorPlace, "in" | "event">;
  /** What the function was called with. The last may be the acknowledgement. */
  readonly args: readonly unknown[];
}

/** Makes the containment of sockets. */
export function createSocketContainment(errors: Errors): Containment {
  const wrapListener = (event: string | symbol, listener: AuthorFunction): AuthorFunction => {
    const place = { in: listenerOf(event), event: String(event) };
    const expected = OWN_EVENTS.has(event) ? 0 : listener.length;
    return function (this: unknown, ...args) {
      // Without this, a client that asks for no acknowledgement would make `(data, ack) => ack()` throw.
      if (args.length < expected && !isFunction(args.at(-1))) args[expected - 1] = ignoreAck;
      return callContained(listener, this, args, (error) => failEvent(errors, this, { error, place, args }));
    };
  };
  return new Containment(wrapListener, createOverrides(errors));
}

type SocketMiddleware = (event: unknown[], next: (error?: Error) => void) => unknown;

/** Makes the methods that a contained socket has in place of those of its class. */
function createOverrides(errors: Errors): object {
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
        const place = { in: "a middleware of a socket", event: event[0] };
        callContained(
          () => middleware(event, next),
          this,
          [],
          (error) => failEvent(errors, this, { error, place, args: event }),
        );
      });
    },

    emit(this: Socket, event: string, ...args: unknown[]) {
      const ack = args.at(-1);
      if (isFunction(ack)) {
        const place = { in: `an acknowledgement of "${event}"`, event };
        args[args.length - 1] = (...answers: unknown[]) =>
          callContained(ack, this, answers, (error) => errors.report(error, placeIn(this, place)));
      }
      return Socket.prototype.emit.call(this, event, ...args);
    },
  };
}
