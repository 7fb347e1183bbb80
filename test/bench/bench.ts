/**
 * npm run bench: the server's CPU time per operation, Hinoko against the default pairing of each runtime.
 *
 * The server has one core, the load generator (this process) the other. Contenders take turns within a scenario.
 * `npm run bench -- --help` tells the options.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chart } from "./chart.ts";
import { findContenders, roles, runtimes } from "./contenders.ts";
import { generatorCost } from "./generator.ts";
import { type Options, parseOptions } from "./options.ts";
import { Progress } from "./progress.ts";
import { type Figure, figuresOf, load, makeReport, type Report, save } from "./report.ts";
import { compare, type Plan, stepsOf } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import { ack } from "./scenarios/ack.ts";
import { connections } from "./scenarios/connections.ts";
import { http } from "./scenarios/http.ts";
import { memories } from "./scenarios/memory.ts";
import { messages } from "./scenarios/messages.ts";
import { printSummary, printTable, writeReadme } from "./table.ts";

const scenarios: readonly Scenario[] = [...messages, ack, ...connections, ...http, ...memories];

/** A file of the repository: this runs from dist/bench. */
const repository = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));

function planOf({ quick, rounds }: Options): Plan {
  const usual = rounds ?? (quick ? 3 : 7);
  // Those with few rounds take their time.
  const few = quick && rounds === undefined ? 1 : usual;
  return {
    duration: quick ? 600 : 1200,
    rounds: (scenario) => (scenario.rounds === undefined ? usual : Math.min(scenario.rounds, few)),
  };
}

async function measureAll(options: Options): Promise<Report> {
  /** The load generator keeps to its core, with all of its threads. */
  execFileSync("taskset", ["-apc", "1", String(process.pid)], { stdio: "ignore" });
  const { contenders, missing } = await findContenders();
  const taking = contenders.filter(
    ({ runtime, role }) => options.takesRuntime(runtime) && options.takesRole(role),
  );
  const plan = planOf(options);
  const chosen = scenarios
    .filter(({ name }) => options.takesScenario(name))
    .map((scenario) => ({ scenario, taking: taking.filter((contender) => scenario.takes(contender)) }));
  const progress = new Progress(
    chosen.reduce((sum, { scenario, taking }) => sum + taking.length * stepsOf(scenario, plan), 0),
  );
  for (const line of missing) progress.say(line);

  const leftOut = [...missing];
  const figures: Figure[] = [];
  const generator = await generatorCost(contenders);
  for (const [i, { scenario, taking }] of chosen.entries()) {
    progress.begin(scenario.name, `${i + 1}/${chosen.length}`, taking.length);
    const compared = await compare(scenario, taking, plan, progress);
    const found = figuresOf(compared.results);
    printTable(found);
    figures.push(...found);
    leftOut.push(...compared.leftOut);
  }
  return makeReport(figures, leftOut, generator);
}

const options = parseOptions(process.argv.slice(2), {
  scenarios: scenarios.map(({ name }) => name),
  runtimes,
  roles,
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const report = options.from ? load(options.from) : await measureAll(options);
printSummary(report);
const file =
  options.save ?? options.from ?? (options.isFull ? repository("test/bench/results.json") : undefined);
if (file) {
  save(file, report);
  writeFileSync(file.replace(/\.json$/, ".svg"), chart(report));
}
if (options.readme) writeReadme(repository("README.md"), report);
process.exit(0);
