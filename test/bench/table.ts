/**
 * What was measured, as tables: of one scenario, of all of them, and for the README.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { circumstances, digits, type Figure, isBusy, type Report, rowsOf } from "./report.ts";

const RUNTIMES = [
  { runtime: "node", name: "Node" },
  { runtime: "bun", name: "Bun" },
  { runtime: "deno", name: "Deno" },
];

const number = (value: number | undefined) =>
  value === undefined || Number.isNaN(value) ? "" : value.toFixed(2);

const BUSY =
  "* The load generator had no time left: what the server took for an operation holds, " +
  "but it could have done more of them.";

/** Prints the figures of one scenario. */
export function printTable(figures: readonly Figure[]): void {
  let label = "";
  for (const figure of figures) {
    if (figure.label !== label) {
      label = figure.label;
      const heads = ["median", "least", "most", "/default", "/ceiling", "load"];
      console.log(`\n${label}: ${figure.title} [${figure.unit}]`);
      console.log(" ".repeat(26) + heads.map((head) => head.padStart(10)).join(""));
    }
    const { median, least, most, toDefault, toCeiling, load } = figure;
    const cells = [median, least, most, toDefault, toCeiling, load].map((value) =>
      number(value).padStart(10),
    );
    console.log(`${figure.contender.padEnd(26)}${cells.join("")}${isBusy(figure) ? " *" : ""}`);
  }
  if (figures.some(isBusy)) console.log(BUSY);
}

/** Prints all of it: for each runtime Hinoko, its default pairing, and Hinoko's ratio to this and to its ceiling. */
export function printSummary(report: Report): void {
  const { rows, find } = rowsOf(report);
  const heads = ["hinoko", "default", "/default", "/ceiling"];
  const runtimes = RUNTIMES.filter(({ runtime }) => report.figures.some((row) => row.runtime === runtime));
  const start = 28;
  console.log(`\n${" ".repeat(start)}${runtimes.map(({ name }) => ` ${name}`.padEnd(38)).join("")}`);
  console.log(
    " ".repeat(start) + runtimes.map(() => heads.map((head) => head.padStart(9)).join("")).join("  "),
  );
  for (const { label, unit } of rows) {
    const cells = runtimes.map(({ runtime }) => {
      const [hinoko, usual] = [find(label, runtime, "hinoko"), find(label, runtime, "default")];
      const values = [hinoko, usual].map((figure) =>
        figure ? `${digits(figure.median)}${isBusy(figure) ? "*" : ""}` : "",
      );
      return [...values, number(hinoko?.toDefault), number(hinoko?.toCeiling)]
        .map((value) => value.padStart(9))
        .join("");
    });
    console.log(`${`${label} [${unit}]`.padEnd(start)}${cells.join("  ")}`);
  }
  console.log("");
  if (rows.some(({ label }) => report.figures.some((figure) => figure.label === label && isBusy(figure))))
    console.log(BUSY);
  for (const line of [...report.leftOut, ...circumstances(report)]) console.log(line);
}

const START = "<!-- bench -->";
const END = "<!-- /bench -->";

/** Hinoko against the default pairing of each runtime, in Markdown. */
function markdown(report: Report): string {
  const { rows, find } = rowsOf(report);
  const cell = (label: string, runtime: string) => {
    const [hinoko, usual] = [find(label, runtime, "hinoko"), find(label, runtime, "default")];
    if (!hinoko || !usual) return "";
    return `${digits(hinoko.median)} / ${digits(usual.median)} = ${number(hinoko.toDefault)}`;
  };
  return [
    `| Hinoko / default = ratio | ${RUNTIMES.map(({ name }) => name).join(" | ")} |`,
    `|---|${RUNTIMES.map(() => "---:|").join("")}`,
    ...rows.map(({ label, title, unit }) => {
      const cells = RUNTIMES.map(({ runtime }) => cell(label, runtime));
      return `| ${title} (${unit}) | ${cells.join(" | ")} |`;
    }),
    "",
    circumstances(report).slice(0, 2).join("; "),
  ].join("\n");
}

/** Puts the table between the markers of a README. */
export function writeReadme(file: string, report: Report): void {
  const text = readFileSync(file, "utf8");
  const [start, end] = [text.indexOf(START), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`${file} must have ${START} and ${END}`);
  const table = `${text.slice(0, start)}${START}\n\n${markdown(report)}\n\n${text.slice(end)}`;
  writeFileSync(file, table);
}
