/**
 * variablesOf(): gives the handlers of a Socket.IO socket what the author's Hono middleware has put into `c.var`.
 */
import type { ContextVariableMap } from "hono";

/** A Socket.IO socket. Its `request` is the one that opened its session. */
interface SocketWithRequest {
  readonly request: object;
}

/** Whether the request opened a session of a service: `io.engine` has put `c.var` on it as `var` then. */
const hasVariables = (request: object): request is { var: Readonly<ContextVariableMap> } => "var" in request;

/**
 * Returns the variables that middleware has put into Hono's `c.var` for the request that opened this socket's session:
 * after `c.set("user", user)` there is `variablesOf(socket).user`, with the type that Hono's `ContextVariableMap` gives
 * it. They stay the same until the session ends, also after the upgrade from polling to WebSocket. In plain JavaScript
 * they are `socket.request.var`.
 * @throws {TypeError} when the socket is not one of a service's `io`
 */
export function variablesOf(socket: SocketWithRequest): Readonly<ContextVariableMap> {
  const { request } = socket;
  if (hasVariables(request)) return request.var;
  throw new TypeError(
    "variablesOf() must be given a socket of service.io (got one without socket.request.var)",
  );
}
