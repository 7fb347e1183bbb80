/**
 * The type of a client's socket. It alone needs socket.io-client, and only its types.
 */
import type { Socket } from "socket.io-client";
import type { EventContract } from "./define.ts";
import type { ClientToServer, NamespaceName, ServerToClient } from "./types.ts";

/**
 * A socket of socket.io-client that knows the events of a contract.
 * @example
 * const socket: ClientOf<typeof events> = io();
 * const board: ClientOf<typeof events, "/board"> = io("/board");
 */
export type ClientOf<Contract extends EventContract, Name extends NamespaceName<Contract> = "/"> = Socket<
  ServerToClient<Contract, Name>,
  ClientToServer<Contract, Name>
>;
