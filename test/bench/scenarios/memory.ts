/**
 * Memory: what an idle Socket.IO connection over WebSocket takes.
 */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { closeAll, openSessions } from "../load/sessions.ts";
import type { Scenario } from "../scenario.ts";
import { openClient } from "./clients.ts";

/** How many connections a process can have here, with some hundreds of files for itself. */
const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
const MOST = Number(limit ?? Number.POSITIVE_INFINITY) - 500;

const memory = (wanted: number): Scenario => {
  const count = Math.min(wanted, MOST);
  return {
    name: `memory-${wanted}`,
    rows: [{ title: `memory of an idle connection, of ${count.toLocaleString("en")}`, unit: "KiB" }],
    isFresh: true,
    rounds: 3,
    // Python's servers would take minutes to let so many in.
    takes: ({ role }) => role !== "python" || wanted <= 5000,
    async open(server) {
      const open = () => openClient(server);
      await closeAll(await openSessions(500, open));
      await sleep(1000);
      const before = server.memory();
      const clients = await openSessions(count, open);
      return {
        async measure() {
          await sleep(3000);
          return [(server.memory() - before) / count];
        },
        close: () => closeAll(clients),
      };
    },
  };
};

export const memories = [memory(5000), memory(20_000)];
