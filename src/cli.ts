/**
 * The command: hinoko runserver [HOST:PORT]. Every file in runtimes/ that is run directly calls `main()`.
 */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { banner, help, VERSION } from "./help.ts";
import { type Commands, findBinary, RespawnError, runAgain } from "./respawn.ts";
import type { Runtime } from "./runtime.ts";
import { ListenError, type Serve } from "./serve.ts";
import { type App, createService } from "./service.ts";
import { type ServiceOptions, SettingsError } from "./settings.ts";

/** A launcher, as it runs the command. */
export interface Launcher {
  /** Its key in `commands`, which is the value of `--runtime` that stands for it. */
  readonly key: string;
  /** The value of `--runtime` when there is none. @default key */
  readonly preferred?: string;
  readonly runtime: Runtime;
  readonly serve: Serve;
  /** How each of the launchers is started, its own included. */
  readonly commands: Commands;
}

/** A command line that cannot be run. */
class UsageError extends Error {
  override name = "UsageError";
}

/** An app that cannot be loaded. */
class AppError extends Error {
  override name = "AppError";
}

const ADDRESS = /^(?:(\[[a-f0-9:.]+\]|[^:[\]]*):)?(\d{1,5})$/i;

function parseAddress(value: string): Pick<ServiceOptions, "host" | "port"> {
  const [, host = "", port = ""] = ADDRESS.exec(value) ?? [];
  if (port === "" || Number(port) > 65_535) {
    throw new UsageError(
      `HOST:PORT must be a port or an address and a port, as 8000, 0.0.0.0:8000 or [::1]:8000 (got "${value}")`,
    );
  }
  return { port: Number(port), ...(host && { host: host.replace(/^\[|\]$/g, "") }) };
}

const OPTIONS = {
  app: { type: "string" },
  runtime: { type: "string" },
  reload: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", short: "v", default: false },
} as const;

function parse(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: OPTIONS,
    });
    const [address, ...rest] = positionals[0] === "runserver" ? positionals.slice(1) : positionals;
    if (rest.length > 0) throw new UsageError(`One HOST:PORT is expected (got "${positionals.join(" ")}")`);
    if (address !== undefined) parseAddress(address);
    return { ...values, address };
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message.split(". ")[0]);
    throw error;
  }
}

async function loadApp(file: string): Promise<App> {
  const path = resolve(file);
  await readFile(path).catch(() => {
    throw new AppError(`Cannot load the app ${file}: there is no such file, or it cannot be read`);
  });
  const module: { default?: unknown } = await import(pathToFileURL(path).href).catch((error: unknown) => {
    // An error of the author's own code keeps its stack; a file that cannot be loaded has none worth reading.
    const reason = loadError(error);
    throw reason === undefined ? error : new AppError(`Cannot load the app ${file}: ${reason}`);
  });
  const app = module.default;
  if (!isApp(app)) {
    throw new AppError(
      `The app ${file} must have a function (service) => void as default export (got ${typeof app})`,
    );
  }
  return app;
}

// The language's own, Bun's two, and esbuild's, which tsx has under it.
const LOAD_ERRORS = new Set(["SyntaxError", "BuildMessage", "ResolveMessage", "TransformError"]);
const LOAD_CODES = /^ERR_(?:MODULE_NOT_FOUND|(?:PACKAGE|UNKNOWN|UNSUPPORTED)_\w+)$/;

/** What keeps a file from being loaded, in one line; `undefined` for an error that its code has thrown. */
function loadError(error: unknown): string | undefined {
  if (error instanceof AggregateError) return loadError(error.errors[0]); // Bun's, when there are several
  if (!(error instanceof Error)) return undefined;
  const isOne = LOAD_ERRORS.has(error.name) || ("code" in error && LOAD_CODES.test(String(error.code)));
  return isOne ? stripVTControlCharacters(error.message).replace(/\s+/g, " ") : undefined;
}

const isApp = (value: unknown): value is App => typeof value === "function";

async function runserver(
  { runtime, serve }: Launcher,
  { address, app }: { address?: string | undefined; app?: string | undefined },
): Promise<void> {
  // Without an app there is the demo to serve, in production too.
  const demo = app === undefined && !process.env["CHAT"] ? { chat: true } : {};
  const service = createService({ ...(address && parseAddress(address)), ...demo });
  if (app !== undefined) await (await loadApp(app))(service);
  const listening = await serve(service);
  service.settings.logger.info(banner(runtime, listening, service));

  const stop = () => {
    listening.close().then(() => process.exit(0), fail);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

/** Runs the command line. Bad usage and bad configuration end the process with one line and status 2. */
export async function main(
  launcher: Launcher,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  try {
    const { address, app, reload, ...asked } = parse(argv);
    if (asked.help) return console.log(help(Object.keys(launcher.commands)));
    if (asked.version) return console.log(`hinoko ${VERSION}`);

    const key = asked.runtime ?? launcher.preferred ?? launcher.key;
    const command = Object.hasOwn(launcher.commands, key) ? launcher.commands[key] : undefined;
    if (!command) {
      const known = Object.keys(launcher.commands).join(", ");
      throw new UsageError(`Unknown runtime: ${key} (known: ${known})`);
    }
    if (key === launcher.key && !reload) return await runserver(launcher, { address, app });
    const binary = key === launcher.key ? process.execPath : await findBinary(command);
    const flags = [...(address ? [address] : []), ...(app ? ["--app", app] : [])];
    process.exitCode = await runAgain(binary, command.args(reload), flags);
  } catch (error) {
    fail(error);
  }
}

const EXPECTED = [UsageError, AppError, SettingsError, ListenError, RespawnError];

function fail(error: unknown): void {
  if (error instanceof Error && EXPECTED.some((kind) => error instanceof kind)) {
    console.error(error.message);
    process.exit(2);
  }
  console.error(error);
  process.exit(1);
}
