/**
 * What an author's middleware knew when a session was opened, for the handlers of its socket.
 */
import type { ContextVariableMap } from "hono";

/** A Socket.IO socket of a service, or whatever else has the request that opened its session. */
interface Opened {
  readonly request: object;
}

/** Whether this is the request of a session that a service opened; its `var` was made of `c.var` then. */
const hasVariables = (request: object): request is { var: Readonly<ContextVariableMap> } => "var" in request;

/**
 * What middleware put into Hono's `c.var` when this socket's session was opened: after `c.set("user", user)` it is
 * `variablesOf(socket).user`, with the type that Hono's `ContextVariableMap` gives it. It stays the same until the
 * session ends, through the upgrade from polling to WebSocket too. In plain JavaScript: `socket.request.var`.
 * @throws {TypeError} when the socket is not one of a service's `io`
 */
export function variablesOf(socket: Opened): Readonly<ContextVariableMap> {
  const { request } = socket;
  if (hasVariables(request)) return request.var;
  throw new TypeError(
    "variablesOf() must be given a socket of service.io (got one without socket.request.var)",
  );
}
