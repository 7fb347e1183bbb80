/**
 * The command line of the benchmark: its options, their help, and what is wrong with them.
 */
import { existsSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";

export interface Options {
  readonly quick: boolean;
  readonly rounds: number | undefined;
  /** Whether a scenario, a runtime or a role is asked for. */
  readonly takesScenario: (name: string) => boolean;
  readonly takesRuntime: (name: string) => boolean;
  readonly takesRole: (name: string) => boolean;
  /** Whether nothing was left out: what is published. */
  readonly isFull: boolean;
  readonly save: string | undefined;
  readonly from: string | undefined;
  readonly readme: boolean;
}

/** What --only, --on and --as choose from. */
export interface Choices {
  readonly scenarios: readonly string[];
  readonly runtimes: readonly string[];
  readonly roles: readonly string[];
}

const OPTIONS = {
  quick: { type: "boolean", value: "", does: "few and short rounds, for a first look" },
  only: { type: "string", value: "NAMES", does: "scenarios: {scenarios}" },
  on: { type: "string", value: "NAMES", does: "runtimes: {runtimes}" },
  as: { type: "string", value: "NAMES", does: "roles: {roles}" },
  rounds: { type: "string", value: "COUNT", does: "rounds of each scenario; 7 unless told otherwise" },
  save: { type: "string", value: "FILE.json", does: "where to write the figures, and beside them the chart" },
  from: {
    type: "string",
    value: "FILE.json",
    does: "measure nothing, but report and draw again what a file has",
  },
  readme: { type: "boolean", value: "", does: "write the table into README.md" },
  help: { type: "boolean", value: "", does: "this text" },
} as const;

/** Roles that are compared unless others are asked for. */
const USUAL = ["hinoko", "default", "plain", "ceiling", "python"];

function help({ scenarios, runtimes, roles }: Choices): string {
  const lists: Record<string, readonly string[]> = { scenarios, runtimes, roles };
  const lines = Object.entries(OPTIONS).map(([name, { value, does }]) => {
    const text = does.replace(/\{(\w+)\}/, (_, list: string) => (lists[list] ?? []).join(", "));
    return `  ${`--${name} ${value}`.padEnd(20)}${wrap(text, 84).join(`\n${" ".repeat(22)}`)}`;
  });
  return [
    "npm run bench [-- OPTIONS]",
    "",
    "Measures the server's CPU time per operation: Hinoko against the default pairing of each runtime.",
    "All of it takes about an hour, and is written to test/bench/results.json and results.svg.",
    "",
    ...lines,
    "",
    "NAMES are separated by commas, and may be beginnings: --only echo,broadcast --on node,bun",
  ].join("\n");
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/** Ends the process with the help, or with one line about what is wrong. */
export function parseOptions(argv: readonly string[], choices: Choices): Options {
  try {
    return parse(argv, choices);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return process.exit(2);
  }
}

class UsageError extends Error {
  override name = "UsageError";
}

const mustBe = (name: string, form: string, value: unknown) =>
  new UsageError(`--${name} must be ${form} (got ${typeof value === "string" ? `"${value}"` : "nothing"})`);

const isName = (name: string): name is keyof typeof OPTIONS => Object.hasOwn(OPTIONS, name);

function parse(argv: readonly string[], choices: Choices): Options {
  const { values, tokens } = parseArgs({
    args: [...argv],
    options: OPTIONS,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "positional") throw new UsageError(`Only options are expected (got "${token.value}")`);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (!isName(name)) {
      const known = Object.keys(OPTIONS).map((key) => `--${key}`);
      throw new UsageError(`The option must be one of ${known.join(", ")} (got "${rawName}")`);
    }
    if (OPTIONS[name].type === "boolean" && value !== undefined)
      throw new UsageError(`--${name} takes no value (got "${value}")`);
    if (OPTIONS[name].type === "string" && !value)
      throw mustBe(name, `followed by ${OPTIONS[name].value}`, value);
  }
  if (values.help) {
    console.log(help(choices));
    process.exit(0);
  }
  const string = (name: "only" | "on" | "as" | "rounds" | "save" | "from") => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  const [only, on, as] = [string("only"), string("on"), string("as")];
  const [rounds, quick] = [string("rounds"), values.quick === true];
  if (rounds !== undefined && !/^0*[1-9]\d{0,4}$/.test(rounds))
    throw mustBe("rounds", "a whole number above 0", rounds);
  const [save, from] = [string("save"), string("from")];
  if (from !== undefined && !existsSync(from)) throw mustBe("from", "a file that there is", from);
  if (save !== undefined && !save.endsWith(".json")) throw mustBe("save", "a file name in .json", save);
  return {
    quick,
    rounds: rounds === undefined ? undefined : Number(rounds),
    takesScenario: choose("only", only, choices.scenarios),
    takesRuntime: choose("on", on, choices.runtimes),
    takesRole: choose("as", as ?? USUAL.join(), choices.roles),
    isFull: !quick && rounds === undefined && only === undefined && on === undefined && as === undefined,
    save,
    from,
    readme: values.readme === true,
  };
}

/** A name stands for itself; a beginning for all that begin so. */
function choose(option: string, list: string | undefined, known: readonly string[]) {
  if (list === undefined) return () => true;
  const chosen = new Set<string>();
  for (const item of list.split(",").map((item) => item.trim())) {
    const found = known.includes(item) ? [item] : known.filter((name) => item && name.startsWith(item));
    if (found.length === 0) throw mustBe(option, `of ${known.join(", ")}, or their beginnings`, item);
    for (const name of found) chosen.add(name);
  }
  return (name: string) => chosen.has(name);
}
