/**
 * Socket.IO's server, with the errors of authors' functions contained: what one of them throws or rejects with is
 * reported, and ends neither the process nor anything else.
 */
import { EventEmitter } from "node:events";
import type { DefaultEventsMap, Namespace, Server, ServerOptions, Socket } from "socket.io";
import type { Engine } from "../../engine/engine.ts";
import { type Events, RoutedServer } from "../../realtime/server.ts";
import { callDecider, type ErrorReporter } from "../errors.ts";
import { containAck, hookBroadcasts } from "./broadcast.ts";
import { Containment, reportErrors } from "./emitter.ts";
import { NamespaceContainment } from "./namespace.ts";
import type { SocketRules } from "./socket.ts";

type AdapterClass = NonNullable<ServerOptions["adapter"]>;

/** Decides whether a dynamic namespace exists: what `io.of()` takes besides a name and a regular expression. */
type NamespaceMatch = Exclude<Parameters<Server["of"]>[0], string | RegExp>;

export class ContainedServer<
  ClientEvents extends Events<ClientEvents> = DefaultEventsMap,
  ServerEvents extends Events<ServerEvents> = ClientEvents,
  InterServerEvents extends Events<InterServerEvents> = DefaultEventsMap,
  SocketData = Socket["data"],
> extends RoutedServer<ClientEvents, ServerEvents, InterServerEvents, SocketData> {
  readonly #errors: ErrorReporter;
  readonly #sessions: Containment;
  readonly #containment: NamespaceContainment;

  /** @param rules for the sockets of some namespaces, by the namespaces' names */
  constructor(
    options: Partial<ServerOptions>,
    errors: ErrorReporter,
    rules: ReadonlyMap<string, SocketRules>,
  ) {
    super(options);
    this.#errors = errors;
    this.#sessions = new Containment(reportErrors(errors, "a session"));
    this.#containment = new NamespaceContainment(errors, this.#sessions, rules);
    this.#containment.contain(this.sockets);
    hookBroadcasts(this.sockets, (namespace, event, args) => {
      rules.get(namespace)?.checkEmit(event, args);
      containAck(errors, event, args);
    });
  }

  override bind(engine: Engine): this {
    super.bind(engine);
    this.#containEngine(engine);
    return this;
  }

  override of(
    name: Parameters<Server["of"]>[0],
    listener?: (socket: Socket<ClientEvents, ServerEvents, InterServerEvents, SocketData>) => void,
  ): Namespace<ClientEvents, ServerEvents, InterServerEvents, SocketData> {
    // Server's constructor calls this before this class has its fields.
    if (!(#containment in this)) return super.of(name, listener);
    const namespace = super.of(typeof name === "function" ? this.#wrapMatch(name) : name, listener);
    this.#containment.contain(namespace);
    return namespace;
  }

  override adapter(): AdapterClass | undefined;
  override adapter(replacement: AdapterClass): this;
  override adapter(...given: [AdapterClass?]): this | AdapterClass | undefined {
    const [replacement] = given;
    if (!replacement) return super.adapter();
    super.adapter(replacement);
    if (#containment in this)
      for (const namespace of this._nsps.values()) this.#containment.contain(namespace);
    return this;
  }

  /** Wraps a function that decides whether a dynamic namespace exists: if it fails, there is none. */
  #wrapMatch(match: NamespaceMatch): NamespaceMatch {
    return (name, auth, next) =>
      callDecider((decide: typeof next) => match(name, auth, decide), next, {
        report: (error) =>
          this.#errors.report(error, { in: "a function that was given to io.of()", namespace: name }),
        fail: () => next(null, false),
      });
  }

  /** Contains `io.engine`, whose listeners of "connection" get sessions. */
  #containEngine(engine: Engine): void {
    const wrap = reportErrors(this.#errors, "io.engine");
    const engines = new Containment((event, listener) => {
      const wrapped = wrap(event, listener);
      if (event !== "connection") return wrapped;
      return (session, ...rest) => {
        if (session instanceof EventEmitter) this.#sessions.contain(session);
        return wrapped.call(engine, session, ...rest);
      };
    });
    engines.contain(engine);
  }
}
