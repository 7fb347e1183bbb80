/**
 * What a contract asks of the sockets of one namespace: it keeps bad and unknown events from listeners, makes what a
 * listener returns the acknowledgement, and in development checks what the server sends.
 */
import type { Socket } from "socket.io";
import { type EventIssue, FAILURE_EVENT } from "../failure.ts";
import { type SocketRules, tellFailure } from "../operation/containment/socket.ts";
import { type AuthorFunction, isFunction } from "../operation/errors.ts";
import { type EventContract, type NamespaceContract, namespacesOf, partsOf } from "./define.ts";
import { type Standard, standardOf, validate, validateNow, validateSoon } from "./validate.ts";

/** An event that clients emit. */
interface KnownEvent {
  readonly name: string;
  readonly data: readonly Standard[];
  readonly ack: Standard | undefined;
}

/** Calls the next middleware of a socket, or the listeners of the event. */
type Proceed = () => void;

/** Tells a client that its event is invalid. */
function refuse(socket: Socket, packet: readonly unknown[], issues: readonly EventIssue[]): void {
  const [event] = packet;
  tellFailure(socket, packet.at(-1), { error: { code: "INVALID", event: String(event), issues } });
}

/** Makes the rules for each namespace of a contract. @param isStrict whether what the server sends is checked */
export function createRules(contract: EventContract, isStrict: boolean): ReadonlyMap<string, SocketRules> {
  const namespaces = Object.entries(namespacesOf(contract));
  return new Map(namespaces.map(([name, events]) => [name, new NamespaceRules(name, events, isStrict)]));
}

class NamespaceRules implements SocketRules {
  readonly #name: string;
  readonly #client = new Map<unknown, KnownEvent>();
  readonly #server = new Map<string, readonly Standard[]>();
  readonly #isStrict: boolean;

  constructor(name: string, { client = {}, server = {} }: NamespaceContract, isStrict: boolean) {
    this.#name = name;
    this.#isStrict = isStrict;
    for (const [name, event] of Object.entries(client)) {
      const { data, ack } = partsOf(event);
      this.#client.set(name, { name, data: data.map(standardOf), ack: ack && standardOf(ack) });
    }
    for (const [name, event] of Object.entries(server)) {
      this.#server.set(name, partsOf(event).data.map(standardOf));
    }
  }

  /**
   * Validates the socket's events before its middlewares and listeners get them. While a schema validates
   * asynchronously, the socket's later events wait, so that none overtakes another.
   */
  guard(socket: Socket): void {
    let pending: Promise<void> | undefined;
    socket.use((packet: unknown[], proceed: Proceed): unknown => {
      const admission = pending
        ? this.#admitAfter(pending, socket, packet, proceed)
        : this.#admit(socket, packet, proceed);
      if (!admission) return undefined;
      pending = admission;
      const settle = () => {
        if (pending === admission) pending = undefined;
      };
      admission.then(settle, settle);
      return admission;
    });
  }

  #admitAfter(pending: Promise<void>, socket: Socket, packet: unknown[], proceed: Proceed): Promise<void> {
    const admit = () => this.#admit(socket, packet, proceed);
    return pending.then(admit, admit);
  }

  /** Replaces the data of an event by what its schemas make of it, and calls `proceed`; or refuses the event. */
  #admit(socket: Socket, packet: unknown[], proceed: Proceed): Promise<void> | void {
    const event = this.#client.get(packet[0]);
    if (!event) return refuse(socket, packet, [{ message: "Unknown event", path: [] }]);
    const { data } = event;
    const count = packet.length - (isFunction(packet.at(-1)) ? 2 : 1);
    if (count > data.length) {
      const message = `Expected ${data.length} arguments but received ${count}`;
      return refuse(socket, packet, [{ message, path: [] }]);
    }
    // Arguments that may be undefined can be left out. The acknowledgement must come after them all the same.
    for (let index = count; index < data.length; index++) packet.splice(index + 1, 0, undefined);
    const issues = validate(data, packet);
    if (issues instanceof Promise) {
      return issues.then((issues) => (issues ? refuse(socket, packet, issues) : proceed()));
    }
    return issues ? refuse(socket, packet, issues) : proceed();
  }

  /** Makes a listener answer with what it returns. A listener that takes the acknowledgement answers by itself. */
  readonly wrapListener = (name: string | symbol, listener: AuthorFunction): AuthorFunction => {
    const event = this.#client.get(name);
    if (!event) return listener;
    const { length } = event.data;
    const createAnswer = (ack: AuthorFunction) => this.#createAnswer(event, ack);
    if (listener.length > length) {
      return function (this: unknown, ...args) {
        const ack = args[length];
        return listener.apply(this, isFunction(ack) ? args.with(length, createAnswer(ack)) : args);
      };
    }
    return function (this: unknown, ...args) {
      const result = listener.apply(this, args);
      const ack = args[length];
      if (!isFunction(ack)) return result;
      const answer = createAnswer(ack);
      return result instanceof Promise ? result.then(answer) : answer(result);
    };
  };

  /** Makes the function that acknowledges an event: with the answer of its listener if the contract has one. */
  #createAnswer({ name, ack: standard }: KnownEvent, ack: AuthorFunction): (answer?: unknown) => unknown {
    if (!standard) return () => ack();
    if (!this.#isStrict) return ack;
    return (answer) => {
      const what = `the acknowledgement of "${name}"`;
      return validateSoon(what, standard, answer, () => ack(answer));
    };
  }

  checkEmit(name: string, args: readonly unknown[]): void {
    if (!this.#isStrict || name === FAILURE_EVENT) return;
    const data = this.#server.get(name);
    const where = `the event "${name}" of the namespace "${this.#name}"`;
    if (!data) throw new TypeError(`Cannot emit ${where}: the contract has no such event of the server`);
    validateNow(where, data, isFunction(args.at(-1)) ? args.slice(0, -1) : args);
  }
}
