/**
 * Waits for Socket.IO to pass received events on. It calls the listeners of an event two ticks after the packet has
 * come (`Client.ondecoded()` and `Socket.dispatch()` take one each), and drops the event if its socket is disconnected
 * by then. So whatever ends a session or a socket, and came behind events in the same turn, must wait as long.
 * @see https://github.com/socketio/socket.io/blob/4.8.4/packages/socket.io/lib/socket.ts
 */
import { nextTick } from "node:process";

/** Calls back when the listeners of all events that were received until now have been called. */
export const afterDispatch = (callback: () => void): void => nextTick(nextTick, callback);
