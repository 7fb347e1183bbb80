/**
 * Contains the functions that authors give to a namespace and its adapter, to its sockets and to their sessions. A
 * socket and its session are contained before an author's function can get them.
 */
import { EventEmitter } from "node:events";
import { type ExtendedError, Namespace, Socket } from "socket.io";
import { UNKNOWN_ERROR } from "../../failure.ts";
import { type AuthorFunction, callContained, callDecider, type ErrorReporter } from "../errors.ts";
import { Containment, listenerOf, reportErrors } from "./emitter.ts";
import { createSocketContainment, placeIn, type SocketRules } from "./socket.ts";

type Next = (error?: ExtendedError) => void;
type Middleware = (socket: Socket, next: Next) => unknown;

export class NamespaceContainment {
  readonly #errors: ErrorReporter;
  readonly #rules: ReadonlyMap<string, SocketRules>;
  /** The containment of sockets in a namespace that has rules. */
  readonly #ruled = new Map<string, Containment>();
  /** The containment of all other sockets. */
  readonly #sockets: Containment;
  readonly #sessions: Containment;
  readonly #adapters: Containment;
  readonly #namespaces: Containment;

  /**
   * @param sessions the containment of the engine's sessions
   * @param rules for the sockets of some namespaces, by the namespaces' names
   */
  constructor(errors: ErrorReporter, sessions: Containment, rules: ReadonlyMap<string, SocketRules>) {
    this.#errors = errors;
    this.#rules = rules;
    for (const [name, rule] of rules) this.#ruled.set(name, createSocketContainment(errors, rule));
    this.#sessions = sessions;
    this.#sockets = createSocketContainment(errors);
    this.#adapters = new Containment(reportErrors(errors, "an adapter"));
    this.#namespaces = new Containment(
      (event, listener) => this.#wrapListener(event, listener),
      this.#createOverrides(),
    );
  }

  /** Contains a namespace with the listeners that it has already: a dynamic one has got those of its parent. */
  contain(namespace: Pick<Namespace, "adapter">): void {
    this.#adapters.contain(namespace.adapter);
    if (namespace instanceof Namespace) this.#namespaces.containAll(namespace);
  }

  #containSocket(socket: Socket): void {
    const { name } = socket.nsp;
    const sockets = this.#ruled.get(name) ?? this.#sockets;
    if (sockets.contain(socket)) this.#rules.get(name)?.guard(socket);
    this.#sessions.contain(socket.conn);
  }

  #wrapListener(event: string | symbol, listener: AuthorFunction): AuthorFunction {
    const errors = this.#errors;
    const place = { in: listenerOf(event), event: String(event) };
    return function (this: unknown, ...args) {
      // The listeners of "connection" get a socket.
      return callContained(listener, this, args, (error) => {
        const [first] = args;
        errors.report(error, placeIn(first instanceof Socket ? first : this, place));
      });
    };
  }

  /** Makes the methods that a contained namespace has in place of those of its class. */
  #createOverrides(): object {
    const wrapMiddleware = (middleware: Middleware) => this.#wrapMiddleware(middleware);
    const containSubject = (event: string, subject: unknown) => {
      if (event === "connect" && subject instanceof Socket) this.#containSocket(subject);
      if (event === "new_namespace" && subject instanceof Namespace) this.contain(subject);
    };
    return {
      use(this: Namespace, middleware: Middleware) {
        return Namespace.prototype.use.call(this, wrapMiddleware(middleware));
      },
      /** Socket.IO emits "connect" and "new_namespace" with this method before it calls a listener of either. */
      emitReserved(this: Namespace, event: string, ...args: unknown[]) {
        containSubject(event, args[0]);
        return EventEmitter.prototype.emit.call(this, event, ...args);
      },
    };
  }

  /** Wraps a middleware: if it fails, the client is refused. */
  #wrapMiddleware(middleware: Middleware): Middleware {
    return (socket, next) => {
      this.#containSocket(socket);
      callDecider((decide: Next) => middleware(socket, decide), next, {
        report: (error) => this.#errors.report(error, placeIn(socket, { in: "a middleware of a namespace" })),
        fail: () => next(createRefusal()),
      });
    };
  }
}

/** Makes the error that refuses a client without telling it what has gone wrong. */
const createRefusal = (): ExtendedError =>
  Object.assign(new Error(UNKNOWN_ERROR.message), { data: { code: UNKNOWN_ERROR.code } });
