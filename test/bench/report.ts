/**
 * What was measured, as a table and as JSON.
 */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { type Contender, versions } from "./contenders.ts";
import type { Scenario } from "./scenario.ts";
import { median } from "./statistics.ts";

export interface Result {
  readonly scenario: Scenario;
  readonly contender: Contender;
  /** For each round, a figure for each row of the scenario. */
  readonly samples: number[][];
  /** For each round, what it took of the load generator's core. */
  readonly loads: number[];
}

/** A figure as it is reported. */
export interface Figure {
  readonly scenario: string;
  readonly title: string;
  readonly unit: string;
  readonly contender: string;
  readonly runtime: string;
  readonly role: string;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Of the median to that of the runtime's default pairing, and of its ceiling. */
  readonly toDefault: number | undefined;
  readonly toCeiling: number | undefined;
  /** What the load generator used of its core, 1 being all. */
  readonly load: number;
}

/** The median of the ratios of each round: what slows the machine down for a while slows both. */
function ratio(result: Result, other: Result | undefined, row: number): number | undefined {
  if (!other || other === result) return undefined;
  return median(
    result.samples.map((sample, i) => (sample[row] ?? Number.NaN) / (other.samples[i]?.[row] ?? 1)),
  );
}

/** The figures of one scenario. */
export function figures(results: readonly Result[]): Figure[] {
  const [first] = results;
  const rows = first?.scenario.rows ?? [];
  return rows.flatMap(({ title, unit }, row) =>
    results.map((result): Figure => {
      const { contender, scenario, samples, loads } = result;
      const values = samples.map((sample) => sample[row] ?? Number.NaN);
      const peer = (role: string) =>
        results.find(
          (other) => other.contender.runtime === contender.runtime && other.contender.role === role,
        );
      return {
        scenario: scenario.name,
        title,
        unit,
        contender: contender.name,
        runtime: contender.runtime,
        role: contender.role,
        median: median(values),
        least: Math.min(...values),
        most: Math.max(...values),
        toDefault: ratio(result, peer("default"), row),
        toCeiling: ratio(result, peer("ceiling"), row),
        load: median(loads),
      };
    }),
  );
}

const number = (value: number | undefined, digits = 2) =>
  value === undefined || Number.isNaN(value) ? "" : value.toFixed(digits);

/** Prints the figures of one scenario. */
export function printTable(results: readonly Result[]): void {
  let title = "";
  for (const figure of figures(results)) {
    if (figure.title !== title) {
      title = figure.title;
      const heads = ["median", "least", "most", "/default", "/ceiling", "load"];
      console.log(
        `\n${title} [${figure.unit}]\n${" ".repeat(26)}${heads.map((head) => head.padStart(10)).join("")}`,
      );
    }
    const { median, least, most, toDefault, toCeiling, load } = figure;
    const cells = [median, least, most, toDefault, toCeiling, load].map((value) =>
      number(value).padStart(10),
    );
    console.log(`${figure.contender.padEnd(26)}${cells.join("")}`);
  }
}

/** Writes all figures, and what they were taken on, as JSON. */
export function save(file: string, results: readonly Result[]): void {
  const scenarios = [...new Set(results.map(({ scenario }) => scenario))];
  const report = {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model, cores: cpus().length, memory: totalmem() },
    versions: versions(),
    figures: scenarios.flatMap((scenario) =>
      figures(results.filter((result) => result.scenario === scenario)),
    ),
  };
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
