/**
 * npm run bench: the server's CPU time per operation, Hinoko against the default pairing of each runtime.
 *
 *   npm run bench                           all of it; takes about an hour
 *   npm run bench -- --quick                few and short rounds
 *   npm run bench -- --only echo,broadcast  the scenarios whose names begin so
 *   npm run bench -- --on node,bun          some runtimes; "--as hinoko,default" some roles
 *
 * The server has one core, the load generator (this process) the other. Contenders take turns within a scenario.
 */
import { execFileSync } from "node:child_process";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Contender, contenders } from "./contenders.ts";
import { printTable, type Result, save } from "./report.ts";
import type { Scenario, Trial } from "./scenario.ts";
import { ack } from "./scenarios/ack.ts";
import { connections } from "./scenarios/connections.ts";
import { http } from "./scenarios/http.ts";
import { memories } from "./scenarios/memory.ts";
import { messages } from "./scenarios/messages.ts";
import { ServerProcess } from "./server-process.ts";

const scenarios: Scenario[] = [...messages, ack, ...connections, ...http, ...memories];

const { values: flags } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    on: { type: "string", default: "" },
    as: { type: "string", default: "hinoko,default,plain,ceiling,python" },
    rounds: { type: "string" },
    save: { type: "string" },
  },
});
const rounds = Number(flags.rounds ?? (flags.quick ? 3 : 7));
const duration = flags.quick ? 600 : 1200;

const isListed = (list: string, name: string) =>
  list === "" || list.split(",").some((item) => name.startsWith(item));

/** The load generator keeps to its core, with all of its threads. */
execFileSync("taskset", ["-apc", "1", String(process.pid)], { stdio: "ignore" });

const progress = (line: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${line}`);

interface Place {
  readonly server: ServerProcess;
  readonly trial: Trial;
}

async function place(scenario: Scenario, contender: Contender): Promise<Place> {
  const server = await ServerProcess.start(contender);
  const trial = await scenario.open(server).catch(async (cause: unknown) => {
    await server.stop();
    throw new Error(`${contender.name} cannot take part in ${scenario.name}`, { cause });
  });
  return { server, trial };
}

async function leave({ server, trial }: Place): Promise<void> {
  await server.stop();
  await trial.close();
}

/** What a round took of the load generator's core, 1 being all of it. */
async function measure({ trial }: Place): Promise<{ figures: number[]; load: number }> {
  const [usage, start] = [process.cpuUsage(), performance.now()];
  const figures = await trial.measure(duration);
  const { user, system } = process.cpuUsage(usage);
  return { figures, load: (user + system) / 1000 / (performance.now() - start) };
}

async function compare(scenario: Scenario, taking: readonly Contender[]): Promise<Result[]> {
  const results = taking.map((contender): Result => ({ scenario, contender, samples: [], loads: [] }));
  const places = new Map<Contender, Place>();
  if (!scenario.isFresh) {
    for (const contender of taking) {
      progress(`${scenario.name}: ${contender.name} warms up`);
      const here = await place(scenario, contender);
      places.set(contender, here);
      await measure(here);
      await measure(here);
    }
  }
  const most = flags.quick ? 1 : (scenario.rounds ?? rounds);
  for (let round = 1; round <= (scenario.rounds ? Math.min(rounds, most) : rounds); round++) {
    for (const { contender, samples, loads } of results) {
      progress(`${scenario.name}: round ${round} of ${rounds}, ${contender.name}`);
      const here = places.get(contender) ?? (await place(scenario, contender));
      const { figures, load } = await measure(here);
      samples.push(figures);
      loads.push(load);
      if (scenario.isFresh) await leave(here);
    }
  }
  for (const here of places.values()) await leave(here);
  progress("");
  return results;
}

const all = (await contenders()).filter(
  ({ runtime, role }) => isListed(flags.on, runtime) && isListed(flags.as, role),
);
const results: Result[] = [];
for (const scenario of scenarios.filter(({ name }) => isListed(flags.only, name))) {
  const taken = await compare(
    scenario,
    all.filter((contender) => scenario.takes(contender)),
  );
  printTable(taken);
  results.push(...taken);
}
if (flags.save) save(flags.save, results);
process.exit(0);
