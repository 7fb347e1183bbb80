/**
 * The command line: hinoko runserver [HOST:PORT] [options] [-- FLAGS], and what is said of one that cannot be run.
 */
import { parseArgs } from "node:util";
import type { ServiceOptions } from "../settings.ts";

/** A command line that cannot be run. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** A command line that was understood. */
export interface Arguments {
  readonly address?: string | undefined;
  readonly app?: string | undefined;
  readonly runtime?: string | undefined;
  readonly reload: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** What stands behind `--`, for the runtime. */
  readonly flags: readonly string[];
}

const OPTIONS = {
  app: { type: "string" },
  runtime: { type: "string" },
  reload: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", short: "v", default: false },
} as const;

const ADDRESS = /^(?:(\[[a-f0-9:.]+\]|[^:[\]]*):)?(\d{1,5})$/i;

/**
 * Reads a HOST:PORT, or a port.
 * @throws {UsageError} when it is neither
 */
export function parseAddress(value: string): Pick<ServiceOptions, "host" | "port"> {
  const [, host = "", port = ""] = ADDRESS.exec(value) ?? [];
  if (port === "" || Number(port) > 65_535) {
    throw new UsageError(
      `HOST:PORT must be a port or an address and a port, as 8000, 0.0.0.0:8000 or [::1]:8000 (got "${value}")`,
    );
  }
  return { port: Number(port), ...(host && { host: host.replace(/^\[|\]$/g, "") }) };
}

/**
 * Reads the arguments of the command.
 * @throws {UsageError} when they cannot be understood
 */
export function parseArguments(argv: readonly string[]): Arguments {
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  const { values, positionals } = parseOptions(argv.slice(0, end));
  const [first = ""] = positionals;
  const [address, ...rest] = first === "runserver" ? positionals.slice(1) : positionals;
  if (address === first && /^[a-z-]+$/i.test(first)) {
    throw new UsageError(`Unknown command: ${first} (known: runserver)`);
  }
  if (rest.length > 0) throw new UsageError(`One HOST:PORT is expected (got "${positionals.join(" ")}")`);
  if (address !== undefined) parseAddress(address);
  return { ...values, address, flags: argv.slice(end + 1) };
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const isUnknown = "code" in error && error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION";
    const [, unknown] = (isUnknown && /'(-[^' =]+)/.exec(error.message)) || [];
    throw new UsageError(unknown ? describeUnknown(unknown) : error.message.split(". ")[0]);
  }
}

function describeUnknown(option: string): string {
  const known = Object.keys(OPTIONS).map((name) => `--${name}`);
  const [nearest] = known
    .filter((name) => isNear(name, option))
    .sort((one, other) => countEdits(one, option) - countEdits(other, option));
  const advice = nearest
    ? `did you mean ${nearest}?`
    : `known: ${known.join(", ")}; a runtime's own go behind "--"`;
  return `Unknown option: ${option} (${advice})`;
}

/** Whether one is the beginning of the other, or two letters at the most are missing, added or different. */
function isNear(name: string, option: string): boolean {
  const isBeginning = option.length > 3 && (name.startsWith(option) || option.startsWith(name));
  return isBeginning || countEdits(name, option) <= 2;
}

/** Levenshtein's distance: how many letters must be added, removed or replaced to make one word of the other. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [line, letter] of [...from].entries()) {
    const next = [line + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
