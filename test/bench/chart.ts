/**
 * The chart: Hinoko's ratio to the default pairing of each runtime, drawn as SVG.
 */
import { circumstances, type Report, rowsOf } from "./report.ts";

const RUNTIMES = [
  { runtime: "node", name: "Node" },
  { runtime: "bun", name: "Bun" },
  { runtime: "deno", name: "Deno" },
];

const WIDTH = 960;
const MARGIN = 28;
const LEFT = 372;
const RIGHT = WIDTH - 72;
const TOP = 118;
const BAR = 12;
const STEP = BAR + 3;
const GROUP = RUNTIMES.length * STEP + 17;

const STYLE = `
    .paper { fill: #ffffff } .band { fill: #f6f7f9 } .grid { stroke: #dfe3e8 } .one { stroke: #24292f }
    text { font: 12px system-ui, "Segoe UI", "Noto Sans", sans-serif; fill: #24292f }
    .title { font-size: 20px; font-weight: 650 } .label { font-size: 13px; font-weight: 600 }
    .faint { font-size: 11px; fill: #57606a } .value { font-size: 11px; font-variant-numeric: tabular-nums }
    .halo { paint-order: stroke; stroke: #ffffff; stroke-width: 3px; stroke-linejoin: round }
    .band ~ .halo { stroke: #f6f7f9 }
    .node { fill: #4b9440 } .bun { fill: #d8578f } .deno { fill: #3a78d0 }
    @media (prefers-color-scheme: dark) {
      .paper { fill: #0d1117 } .band { fill: #151b23 } .grid { stroke: #2b323b } .one { stroke: #e6edf3 }
      text { fill: #e6edf3 } .faint { fill: #9198a1 }
      .halo { stroke: #0d1117 } .band ~ .halo { stroke: #151b23 }
      .node { fill: #6cc05f } .bun { fill: #f283b3 } .deno { fill: #6ba5f5 }
    }`;

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const textAt = (x: number, y: number, style: string, text: string, anchor = "start"): string =>
  `<text x="${round(x)}" y="${round(y)}" class="${style}" text-anchor="${anchor}">${escape(text)}</text>`;

const round = (value: number): number => Math.round(value * 10) / 10;

/** Breaks a text into lines of so many characters. */
function wrap(text: string, length: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trim();
    if (line.length <= length) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines;
}

interface Row {
  readonly label: string;
  readonly title: string;
  readonly bars: readonly { readonly runtime: string; readonly ratio: number }[];
}

/** Where a ratio is on the axis. What is far beyond the others ends with the axis. */
interface Axis {
  readonly end: number;
  readonly at: (ratio: number) => number;
}

function axisOf(rows: readonly Row[]): Axis {
  const most = Math.max(1.4, ...rows.flatMap(({ bars }) => bars.map(({ ratio }) => ratio)));
  const end = Math.min(2.5, Math.ceil(most * 5) / 5);
  return { end, at: (ratio) => LEFT + (Math.min(ratio, end) / end) * (RIGHT - LEFT) };
}

function rowsToDraw(report: Report): Row[] {
  const { rows, find } = rowsOf(report);
  return rows
    .map(({ label, title }) => ({
      label,
      title,
      bars: RUNTIMES.flatMap(({ runtime }) => {
        const ratio = find(label, runtime, "hinoko")?.toDefault;
        return typeof ratio === "number" ? [{ runtime, ratio }] : [];
      }),
    }))
    .filter(({ bars }) => bars.length > 0);
}

function head(): string[] {
  const legend = RUNTIMES.flatMap(({ runtime, name }, i) => {
    const x = RIGHT - 62 * (RUNTIMES.length - i) + 12;
    return [
      `<rect x="${x}" y="33" width="12" height="12" rx="3" class="${runtime}"/>`,
      textAt(x + 17, 43, "", name),
    ];
  });
  return [
    textAt(MARGIN, 44, "title", "Hinoko beside the default pairing of each runtime"),
    textAt(
      MARGIN,
      66,
      "faint",
      "What the server takes, as a ratio to the default pairing: CPU time for an operation, latency, or memory. Shorter is better.",
    ),
    ...legend,
  ];
}

function grid({ at, end }: Axis, bottom: number): string[] {
  const ticks = Array.from({ length: Math.floor(end / 0.5) + 1 }, (_, i) => i * 0.5);
  return ticks.flatMap((tick) => {
    const x = round(at(tick));
    const isOne = tick === 1;
    return [
      `<line x1="${x}" x2="${x}" y1="${TOP - 8}" y2="${bottom}" class="${isOne ? "one" : "grid"}" stroke-width="${isOne ? 1.5 : 1}"/>`,
      textAt(x, TOP - 14, isOne ? "label" : "faint", isOne ? "default = 1.0" : tick.toFixed(1), "middle"),
    ];
  });
}

/** A name, what it stands for, and a bar for each runtime. */
function group({ label, title, bars }: Row, top: number, { at, end }: Axis): string[] {
  const lines = wrap(title, 58).slice(0, 2);
  const middle = top + GROUP / 2;
  const start = middle - (lines.length - 1) * 7.5;
  const first = middle - (bars.length * STEP - 3) / 2;
  return [
    textAt(MARGIN, start - 3, "label", label),
    ...lines.map((line, i) => textAt(MARGIN, start + 13 + i * 14, "faint", line)),
    ...bars.map(({ runtime, ratio }, i) => {
      const width = round(at(ratio) - LEFT);
      return `<rect x="${LEFT}" y="${round(first + i * STEP)}" width="${width}" height="${BAR}" rx="2" class="${runtime}"/>`;
    }),
    ...bars.map(({ ratio }, i) => {
      const value = ratio > end ? `→ ${ratio.toFixed(2)}` : ratio.toFixed(2);
      return textAt(at(ratio) + 6, first + i * STEP + BAR - 2, "value halo", value);
    }),
  ];
}

/** @returns a whole SVG file */
export function chart(report: Report): string {
  const rows = rowsToDraw(report);
  const axis = axisOf(rows);
  const bottom = TOP + rows.length * GROUP;
  const foot = circumstances(report).flatMap((line) => wrap(line, 150));
  const height = bottom + 34 + foot.length * 16;
  const bands = rows.flatMap((_, i) =>
    i % 2 === 0
      ? [
          `<rect x="${MARGIN - 12}" y="${TOP + i * GROUP}" width="${WIDTH - 2 * MARGIN + 24}" height="${GROUP}" rx="6" class="band"/>`,
        ]
      : [],
  );
  const parts = [
    `<rect width="${WIDTH}" height="${height}" rx="10" class="paper"/>`,
    ...head(),
    ...bands,
    ...grid(axis, bottom),
    ...rows.flatMap((row, i) => [
      `<g>`,
      ...(i % 2 === 0 ? ['<g class="band"/>'] : []),
      ...group(row, TOP + i * GROUP, axis),
      `</g>`,
    ]),
    ...foot.map((line, i) => textAt(MARGIN, bottom + 30 + i * 16, "faint", line)),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Benchmark of Hinoko">`,
    `  <style>${STYLE}\n  </style>`,
    ...parts.map((part) => `  ${part}`),
    "</svg>",
    "",
  ].join("\n");
}
