/**
 * Connections that come and go: over WebSocket at once, and over long-polling first.
 */
import { speaksSocketIo } from "../contenders.ts";
import { PollingSession } from "../load/sessions.ts";
import { Workers } from "../load/workers.ts";
import { perWholeOperation, type Scenario } from "../scenario.ts";
import type { ServerProcess } from "../server-process.ts";
import { openClient } from "./clients.ts";

const ABREAST = 32;

/** @param once makes one connection, and closes it with a closing handshake */
const storm = (once: (server: ServerProcess) => Promise<void>) => async (server: ServerProcess) => {
  const worker = { work: () => once(server), close: () => {} };
  return perWholeOperation(server, new Workers(ABREAST, () => Promise.resolve(worker)), () =>
    Promise.resolve(),
  );
};

const overWebSocket: Scenario = {
  name: "storm-websocket",
  rows: [{ title: `connect over WebSocket and close, ${ABREAST} abreast`, unit: "µs" }],
  takes: () => true,
  open: storm(async (server) => {
    const client = await openClient(server);
    await client.close();
  }),
};

const withUpgrade: Scenario = {
  name: "storm-upgrade",
  rows: [
    { title: `connect by long-polling, upgrade to WebSocket and close, ${ABREAST} abreast`, unit: "µs" },
  ],
  takes: speaksSocketIo,
  open: storm(async (server) => {
    const session = await PollingSession.open(server);
    const client = await session.upgrade();
    await client.close();
  }),
};

export const connections = [overWebSocket, withUpgrade];
