/**
 * The public face of "hinoko/events": all that a contract needs, and nothing of the server, so that browsers load it.
 */
export {
  EventError,
  type EventFailure,
  type EventIssue,
  type FailedEvent,
  type InvalidEvent,
} from "../failure.ts";
export type { ClientOf } from "./client.ts";
export {
  type ClientEvent,
  defineEvents,
  type EventContract,
  type EventData,
  type NamespaceContract,
} from "./define.ts";
export type {
  ClientToServer,
  EmitEvents,
  ListenEvents,
  NamespaceName,
  NamespaceOf,
  ServerToClient,
} from "./types.ts";
