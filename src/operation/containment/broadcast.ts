/**
 * Gives a server a hook on its broadcasts, and contains their acknowledgements:
 * `io.timeout(1000).emit("event", (error, answers) => …)`.
 */
import type { BroadcastOperator, DefaultEventsMap } from "socket.io";
import { callContained, type ErrorReporter } from "../errors.ts";
import { takeAck } from "./socket.ts";

type Operator = BroadcastOperator<DefaultEventsMap, unknown>;

/** What of the namespace "/" is needed here. */
interface MainNamespace {
  readonly server: object;
  /** An operator. */
  readonly local: object;
}

/**
 * Gets each broadcast before it is sent. If it throws, so does the author's `emit()`, and nothing is sent.
 * @param args the data, and perhaps an acknowledgement, which may be replaced
 */
export type BroadcastHook = (namespace: string, event: string, args: unknown[]) => void;

const hooks = new WeakMap<object, BroadcastHook>();
const hooked = new WeakSet<object>();

/**
 * Gives a server a hook on its broadcasts.
 *
 * This replaces `emit()` of Socket.IO's class BroadcastOperator, for every server in the process, though it does
 * nothing for others. There is no other place: Socket.IO makes an operator for each link of a chain such as
 * `io.to("room").timeout(1000)`, does not export the class, and calls the acknowledgement from a timer of its own.
 */
export function hookBroadcasts({ server, local }: MainNamespace, hook: BroadcastHook): void {
  hooks.set(server, hook);
  const operator: Operator = Object.getPrototypeOf(local);
  if (hooked.has(operator)) return;
  hooked.add(operator);
  const emit: Operator["emit"] = Reflect.get(operator, "emit");
  operator.emit = function (this: Operator, event, ...args) {
    const { name, server } = this["adapter"].nsp;
    hooks.get(server)?.(name, event, args);
    return emit.call(this, event, ...args);
  };
}

/** Contains the acknowledgement of a broadcast, if it has one. */
export function containAck(errors: ErrorReporter, event: string, args: unknown[]): void {
  const ack = takeAck(args);
  if (!ack) return;
  const place = { in: `an acknowledgement of the broadcast "${event}"`, event };
  args[args.length - 1] = function (this: unknown, ...answers: unknown[]) {
    return callContained(ack, this, answers, (error) => errors.report(error, place));
  };
}
