/**
 * The browser's way to listen to a WebSocket, which ws documents too: `addEventListener()` and the properties from
 * `onopen` to `onclose`. Each listener is wrapped and added to the WebSocket's EventEmitter.
 */
import type { WebSocket } from "ws";

type Events = WebSocket.WebSocketEventMap;
type EventName = keyof Events;

/** The arguments that the WebSocket emits with each event. */
interface EventArgs {
  open: [];
  message: [data: WebSocket.Data, isBinary: boolean];
  close: [code: number, reason: Buffer];
  error: [error: Error];
}

/** A WebSocket that can say whether both sides have sent a close frame. */
interface Target extends WebSocket {
  readonly wasClosedCleanly: boolean;
}

type PropertyHandler<Name extends EventName> = (event: Events[Name]) => void;
export type EventHandler<Name extends EventName> =
  | PropertyHandler<Name>
  | { handleEvent(event: Events[Name]): void };

const createEvent: { [Name in EventName]: (target: Target, ...args: EventArgs[Name]) => Events[Name] } = {
  open: (target) => ({ type: "open", target }),
  message: (target, data, isBinary) => ({ type: "message", target, data: isBinary ? data : String(data) }),
  close: (target, code, reason) => ({
    type: "close",
    target,
    code,
    reason: String(reason),
    wasClean: target.wasClosedCleanly,
  }),
  error: (target, error) => ({ type: "error", target, error, message: error.message }),
};

/** The handler inside each wrapper that was added by `addEventListener()`. */
const addedHandlers = new WeakMap<object, unknown>();

/** The handler inside each wrapper that was set as a property. */
const propertyHandlers: { readonly [Name in EventName]: WeakMap<object, PropertyHandler<Name>> } = {
  open: new WeakMap(),
  message: new WeakMap(),
  close: new WeakMap(),
  error: new WeakMap(),
};

function wrapHandler<Name extends EventName>(target: Target, name: Name, handler: EventHandler<Name>) {
  return (...args: EventArgs[Name]): void => {
    const event = createEvent[name](target, ...args);
    if (typeof handler === "function") handler.call(target, event);
    else handler.handleEvent(event);
  };
}

/** Adds a handler, unless it was added for this event before. Like ws, ignores other names than the four events'. */
export function addEventHandler<Name extends EventName>(
  target: Target,
  name: Name,
  handler: EventHandler<Name>,
  isOnce: boolean,
): void {
  if (!Object.hasOwn(createEvent, name)) return;
  if (target.listeners(name).some((wrapper) => addedHandlers.get(wrapper) === handler)) return;
  const wrapper = wrapHandler(target, name, handler);
  addedHandlers.set(wrapper, handler);
  if (isOnce) target.once(name, wrapper);
  else target.on(name, wrapper);
}

/** Removes a handler that `addEventHandler()` has added. */
export function removeEventHandler<Name extends EventName>(
  target: Target,
  name: Name,
  handler: EventHandler<Name>,
): void {
  for (const wrapper of target.listeners(name))
    if (addedHandlers.get(wrapper) === handler) target.off(name, wrapper);
}

/** Returns the value of a property such as `onmessage`. */
export function getPropertyHandler<Name extends EventName>(
  target: Target,
  name: Name,
): PropertyHandler<Name> | null {
  for (const wrapper of target.listeners(name)) {
    const handler = propertyHandlers[name].get(wrapper);
    if (handler) return handler;
  }
  return null;
}

/** Sets a property such as `onmessage`. A value that is no function only removes the previous handler. */
export function setPropertyHandler<Name extends EventName>(
  target: Target,
  name: Name,
  handler: PropertyHandler<Name> | null,
): void {
  for (const wrapper of target.listeners(name))
    if (propertyHandlers[name].has(wrapper)) target.off(name, wrapper);
  if (typeof handler !== "function") return;
  const wrapper = wrapHandler(target, name, handler);
  propertyHandlers[name].set(wrapper, handler);
  target.on(name, wrapper);
}
