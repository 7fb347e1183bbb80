/**
 * What scenarios say to a contender, be it a Socket.IO server or a ceiling.
 */
import type { Contender } from "../contenders.ts";
import { openSession } from "../load/sessions.ts";
import { Client } from "../load/websocket.ts";
import type { ServerProcess } from "../server-process.ts";

/** A ceiling sends back what it gets as it is, and to everybody what begins with "!". */
export const isCeiling = ({ role }: Contender): boolean => role === "ceiling";

export const text = (size: number): string => "x".repeat(size);

/** "4" is Engine.IO's message, "2" Socket.IO's EVENT. */
export const event = (name: string, data: string, id: number | "" = ""): string =>
  `42${id}["${name}","${data}"]`;

/** What has a contender send something to everybody. */
export const broadcastOf = (contender: Contender, data: string): string =>
  `${isCeiling(contender) ? "!" : ""}${event("cast", data)}`;

export const openClient = (server: ServerProcess): Promise<Client> =>
  isCeiling(server.contender) ? Client.open(server, "/") : openSession(server);
