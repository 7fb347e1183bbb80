/**
 * What the load generator itself costs: its own CPU time per echo, against the cheapest server there is.
 */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Contender } from "./contenders.ts";
import { closeAll, openSessions } from "./load/sessions.ts";
import { frame } from "./load/websocket.ts";
import { event, openClient, text } from "./scenarios/clients.ts";
import { Echoes } from "./scenarios/messages.ts";
import { ServerProcess } from "./server-process.ts";
import { median } from "./statistics.ts";

export interface GeneratorCost {
  /** Microseconds of CPU time per echo. */
  readonly cost: number;
  readonly against: string;
}

/** The cheapest first. */
const CEILINGS = ["bun ceiling", "deno ceiling", "node ceiling"];

export async function generatorCost(contenders: readonly Contender[]): Promise<GeneratorCost | undefined> {
  const found = CEILINGS.flatMap((name) => contenders.filter((contender) => contender.name === name));
  for (const contender of found) {
    try {
      return { cost: await costAgainst(contender), against: contender.name };
    } catch {
      // The next will do as well; the scenarios tell what is wrong with this one.
    }
  }
  return undefined;
}

async function costAgainst(contender: Contender): Promise<number> {
  const server = await ServerProcess.start(contender);
  try {
    return await server.whileAlive(measure(server), 30_000);
  } finally {
    await server.stop();
  }
}

async function measure(server: ServerProcess): Promise<number> {
  const clients = await openSessions(100, () => openClient(server));
  const load = new Echoes(clients, frame(event("echo", text(64))), 10);
  const costs: number[] = [];
  load.start();
  for (let round = 0; round < 5; round++) {
    const [operations, usage] = [load.operations, process.cpuUsage()];
    await sleep(300);
    const { user, system } = process.cpuUsage(usage);
    costs.push((user + system) / (load.operations - operations));
  }
  await load.stop();
  await closeAll(clients);
  return median(costs.slice(1));
}
