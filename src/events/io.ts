/**
 * The type of a Socket.IO server with a contract.
 */
import type { DefaultEventsMap, Namespace, Server, Socket } from "socket.io";
import type { EventContract } from "./define.ts";
import type { EmitEvents, ListenEvents, NamespaceName, NamespaceOf } from "./types.ts";

type ServerSocket<C extends EventContract, Name extends NamespaceName<C>, SocketData> = Socket<
  ListenEvents<NamespaceOf<C, Name>>,
  EmitEvents<NamespaceOf<C, Name>>,
  DefaultEventsMap,
  SocketData
>;

/** What knows the namespaces of a contract by their names. */
interface Namespaces<C extends EventContract, SocketData> {
  of<Name extends NamespaceName<C>>(
    name: Name,
    listener?: (socket: ServerSocket<C, Name, SocketData>) => void,
  ): Namespace<
    ListenEvents<NamespaceOf<C, Name>>,
    EmitEvents<NamespaceOf<C, Name>>,
    DefaultEventsMap,
    SocketData
  >;
}

/** A Socket.IO server that knows the events of a contract. `io.of("/board")` is typed like `io` itself. */
export type ContractServer<C extends EventContract, SocketData> = Namespaces<C, SocketData> &
  Server<ListenEvents<C>, EmitEvents<C>, DefaultEventsMap, SocketData>;
