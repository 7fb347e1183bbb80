/**
 * Contains the acknowledgements of broadcasts: `io.timeout(1000).emit("event", (error, answers) => …)`.
 */
import type { BroadcastOperator, DefaultEventsMap } from "socket.io";
import { type AuthorFunction, callContained, type Errors, isFunction } from "../errors.ts";

type Operator = BroadcastOperator<DefaultEventsMap, unknown>;

/** What of the namespace "/" is needed here. */
interface MainNamespace {
  readonly server: object;
  /** An operator. */
  readonly local: object;
}

/** Where the errors of each server are reported whose broadcasts are contained. */
const errorsOf = new WeakMap<object, Errors>();
const contained = new WeakSet<object>();

/**
 * Contains the acknowledgements of a server's broadcasts.
 *
 * This replaces `emit()` of Socket.IO's class BroadcastOperator, for every server in the process, though it does
 * nothing for others. There is no other place: Socket.IO makes an operator for each link of a chain such as
 * `io.to("room").timeout(1000)`, does not export the class, and calls the acknowledgement from a timer of its own.
 */
export function containBroadcastAcks({ server, local }: MainNamespace, errors: Errors): void {
  errorsOf.set(server, errors);
  const operator: Operator = Object.getPrototypeOf(local);
  if (contained.has(operator)) return;
  contained.add(operator);
  const emit: Operator["emit"] = Reflect.get(operator, "emit");
  operator.emit = function (this: Operator, event, ...args) {
    const ack: unknown = args.at(-1);
    const errors = isFunction(ack) ? errorsOf.get(this["adapter"].nsp.server) : undefined;
    if (errors && isFunction(ack)) args[args.length - 1] = wrapAck(errors, event, ack);
    return emit.call(this, event, ...args);
  };
}

function wrapAck(errors: Errors, event: string, ack: AuthorFunction): AuthorFunction {
  const place = { in: `an acknowledgement of the broadcast "${event}"`, event };
  return function (this: unknown, ...answers) {
    return callContained(ack, this, answers, (error) => errors.report(error, place));
  };
}
