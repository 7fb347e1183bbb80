/**
 * What was measured, in the form that is kept: figures, and what they were taken on.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Contender } from "./contenders.ts";
import type { GeneratorCost } from "./generator.ts";
import type { Scenario } from "./scenario.ts";
import { median } from "./statistics.ts";
import { versions } from "./versions.ts";

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
  /** The scenario, and which of its rows: "ack p50". */
  readonly label: string;
  readonly title: string;
  readonly unit: string;
  readonly contender: string;
  readonly runtime: string;
  readonly role: string;
  readonly rounds: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Of the median to that of the runtime's default pairing, and of its ceiling. */
  readonly toDefault?: number | undefined;
  readonly toCeiling?: number | undefined;
  /** What the load generator used of its core, 1 being all. */
  readonly load: number;
}

export interface Report {
  readonly date: string;
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memory: number };
  readonly versions: Readonly<Record<string, string>>;
  readonly generator?: GeneratorCost | undefined;
  /** Lines about who could not take part. */
  readonly leftOut: readonly string[];
  readonly figures: readonly Figure[];
}

/** Above this, the load generator could not send as much as the server could have done. */
export const isBusy = ({ load }: Figure): boolean => load > 0.9;

/** The median of the ratios of each round: what slows the machine down for a while slows both. */
function ratio(result: Result, other: Result | undefined, row: number): number | undefined {
  if (!other || other === result) return undefined;
  return median(
    result.samples.map((sample, i) => (sample[row] ?? Number.NaN) / (other.samples[i]?.[row] ?? Number.NaN)),
  );
}

/** The figures of one scenario. */
export function figuresOf(results: readonly Result[]): Figure[] {
  const [first] = results;
  const rows = first?.scenario.rows ?? [];
  return rows.flatMap(({ title, unit, part }, row) =>
    results.map((result): Figure => {
      const { contender, scenario, samples, loads } = result;
      const { name, runtime, role } = contender;
      const values = samples.map((sample) => sample[row] ?? Number.NaN);
      const peer = (role: string) =>
        results.find((other) => other.contender.runtime === runtime && other.contender.role === role);
      return {
        scenario: scenario.name,
        label: part ? `${scenario.name} ${part}` : scenario.name,
        title,
        unit,
        contender: name,
        runtime,
        role,
        rounds: samples.length,
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

export async function makeReport(
  figures: readonly Figure[],
  leftOut: readonly string[],
  generator: GeneratorCost | undefined,
): Promise<Report> {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model.trim() ?? "?", cores: cpus().length, memory: totalmem() },
    versions: await versions(),
    generator,
    leftOut,
    figures,
  };
}

export function save(file: string, report: Report): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

export function load(file: string): Report {
  const report: Report = JSON.parse(readFileSync(file, "utf8"));
  return report;
}

/** A figure by its row and contender. */
export type Find = (label: string, runtime: string, role: string) => Figure | undefined;

/** The rows that a report has, in their order, and a way to find their figures. */
export function rowsOf({ figures }: Report): { rows: Figure[]; find: Find } {
  const key = (label: string, runtime: string, role: string) => `${label}/${runtime}/${role}`;
  const byKey = new Map(figures.map((figure) => [key(figure.label, figure.runtime, figure.role), figure]));
  const rows = new Map(figures.toReversed().map((figure) => [figure.label, figure]));
  return {
    rows: [...rows.values()].reverse(),
    find: (label, runtime, role) => byKey.get(key(label, runtime, role)),
  };
}

/** The three digits that matter. */
export const digits = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(value >= 10 ? 1 : 2);

/** What a report was taken on, in short lines. */
export function circumstances({ date, machine, versions, generator }: Report): string[] {
  const { node, bun, deno, ...others } = versions;
  const list = Object.entries({ Node: node, Bun: bun, Deno: deno, ...others });
  return [
    `${date}, ${machine.cpu}, ${machine.cores} cores, ${Math.round(machine.memory / 2 ** 30)} GiB`,
    list.flatMap(([name, version]) => (version ? [`${name} ${version}`] : [])).join(", "),
    ...(generator
      ? [`The load generator costs ${digits(generator.cost)} µs per echo, against the ${generator.against}.`]
      : []),
  ];
}
