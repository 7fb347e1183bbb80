/**
 * Contains the errors of listeners: it wraps each listener that is added to an EventEmitter.
 *
 * Socket.IO calls listeners without catching their errors, and in a turn of its own, so that each error ends the
 * process (https://github.com/socketio/socket.io/pull/2682), and it makes the objects that authors add listeners to by
 * itself. So such an object gets a new prototype, which derives from its own and overrides the methods that add
 * listeners: a subclass, given to an object that exists already.
 */
import type { EventEmitter } from "node:events";
import { type AuthorFunction, callContained, type ErrorReporter, isFunction } from "../errors.ts";

/** A listener as it is added in place of the author's. EventEmitter knows `listener`: off() and listeners() use it. */
interface WrappedListener extends AuthorFunction {
  listener?: AuthorFunction;
}

/** Makes the function that is added in place of an author's listener: it calls that, and never throws. */
export type WrapListener = (event: string | symbol, listener: AuthorFunction) => AuthorFunction;

/** Contains the errors of listeners for emitters of one kind. */
export class Containment {
  readonly #wrap: WrapListener;
  readonly #overrides: PropertyDescriptorMap;
  /** The prototypes that emitters were given, by the prototype that each derives from. */
  readonly #derived = new Map<object, object>();
  readonly #ours = new WeakSet<object>();

  /** @param overrides an object with more methods that these emitters are given */
  constructor(wrap: WrapListener, overrides: object = {}) {
    this.#wrap = wrap;
    this.#overrides = Object.getOwnPropertyDescriptors(overrides);
  }

  /**
   * Wraps each listener that is added to the emitter from now on.
   * @returns false when the emitter was contained before
   */
  contain(emitter: EventEmitter): boolean {
    const own: EventEmitter = Object.getPrototypeOf(emitter);
    if (this.#ours.has(own)) return false;
    Object.setPrototypeOf(emitter, this.#derived.get(own) ?? this.#derive(own));
    return true;
  }

  /** Wraps the listeners that the emitter has already, too. */
  containAll(emitter: EventEmitter): void {
    if (!this.contain(emitter)) return;
    for (const event of emitter.eventNames()) {
      for (const listener of emitter.rawListeners(event)) {
        if (!isFunction(listener)) continue; // TypeScript knows it only as a Function, which nothing can be called with
        emitter.removeListener(event, listener);
        emitter.on(event, listener);
      }
    }
  }

  #derive(base: EventEmitter): object {
    const methods = Object.getOwnPropertyDescriptors(createMethods(base, this.#wrap));
    const derived: object = Object.create(base, { ...methods, ...this.#overrides });
    this.#derived.set(base, derived);
    this.#ours.add(derived);
    return derived;
  }
}

/** Names a listener in words: `a listener of "chat"`. */
export const listenerOf = (event: string | symbol): string => `a listener of "${String(event)}"`;

/** Wraps listeners so that their errors are reported. @param owner what they were added to: "an adapter" */
export const reportErrors =
  (errors: ErrorReporter, owner: string): WrapListener =>
  (event, listener) => {
    const place = { in: `${listenerOf(event)} of ${owner}`, event: String(event) };
    return function (this: unknown, ...args) {
      return callContained(listener, this, args, (error) => errors.report(error, place));
    };
  };

/** Makes the methods that add listeners, for emitters whose prototype is `base`. */
function createMethods(base: EventEmitter, wrap: WrapListener) {
  const wrapListener = (event: string | symbol, listener: AuthorFunction): AuthorFunction => {
    const wrapped: WrappedListener = wrap(event, listener);
    wrapped.listener = listener;
    return wrapped;
  };

  /** Makes a listener that removes itself when it is called. */
  const wrapOnce = (event: string | symbol, listener: AuthorFunction): AuthorFunction => {
    const wrapped = wrap(event, listener);
    const once: WrappedListener = function (this: unknown, ...args) {
      // The emitter is `this`, as for every listener of it.
      base.removeListener.call(this, event, once);
      return wrapped.apply(this, args);
    };
    once.listener = listener;
    return once;
  };

  return {
    on(this: EventEmitter, event: string | symbol, listener: AuthorFunction) {
      return base.on.call(this, event, wrapListener(event, listener));
    },
    addListener(this: EventEmitter, event: string | symbol, listener: AuthorFunction) {
      return base.addListener.call(this, event, wrapListener(event, listener));
    },
    prependListener(this: EventEmitter, event: string | symbol, listener: AuthorFunction) {
      return base.prependListener.call(this, event, wrapListener(event, listener));
    },
    once(this: EventEmitter, event: string | symbol, listener: AuthorFunction) {
      return base.on.call(this, event, wrapOnce(event, listener));
    },
    prependOnceListener(this: EventEmitter, event: string | symbol, listener: AuthorFunction) {
      return base.prependListener.call(this, event, wrapOnce(event, listener));
    },
  };
}
