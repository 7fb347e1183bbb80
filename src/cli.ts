/**
 * The command: hinoko runserver [HOST:PORT]. Every file in runtimes/ that is run directly calls `main()`.
 */
import process from "node:process";
import { type Advise, withAdvice } from "./cli/advice.ts";
import { AppError, findApp, loadApp } from "./cli/app-file.ts";
import { parseAddress, parseArguments, UsageError } from "./cli/arguments.ts";
import { readEnvFile } from "./cli/env-file.ts";
import { banner, help, VERSION } from "./cli/help.ts";
import { type Commands, findBinary, RespawnError, runAgain } from "./cli/respawn.ts";
import { awaitEnd } from "./ending.ts";
import { outliveOutput } from "./output.ts";
import type { Runtime } from "./runtime.ts";
import { ListenError, type Serve } from "./serve.ts";
import { createService, type Service } from "./service.ts";
import { SettingsError } from "./settings.ts";

/** A launcher, as it runs the command. */
export interface Launcher {
  /** Its key in `commands`, which is the value of `--runtime` that stands for it. */
  readonly key: string;
  /** The value of `--runtime` when there is none. @default key */
  readonly preferred?: string;
  readonly runtime: Pick<Runtime, "name" | "version">;
  readonly serve: Serve;
  /** How each of the launchers is started, its own included. */
  readonly commands: Commands;
}

/** What is served, and for whom. */
interface Order {
  readonly address?: string | undefined;
  readonly app?: string | undefined;
  /** Who started this process. */
  readonly parent: number;
  readonly advise: Advise;
}

async function runserver(
  { runtime, serve }: Launcher,
  { address, app, parent, advise }: Order,
): Promise<void> {
  await readEnvFile();
  const file = app ?? (await findApp());
  // Without an app there is the demo to serve, in production too.
  const demo = process.env["CHAT"] ? {} : { chat: file === undefined };
  const loaded = file === undefined ? undefined : await loadApp(file);
  const service = createService({
    ...(loaded?.events && { events: loaded.events }),
    ...(address && parseAddress(address)),
    ...demo,
    logger: withAdvice(console, advise),
  });
  logErrors(service);
  await loaded?.app(service);
  const listening = await serve(service);
  service.settings.logger.info(banner(runtime, listening, service, file));

  awaitEnd(parent, {
    stop: (status) =>
      void listening.close().then(
        () => process.exit(status),
        (error: unknown) => fail(error, advise),
      ),
    force: () => process.exit(1),
    logError: (error) => service.settings.logger.error("Uncaught error, the service ends:", error),
  });
}

/** Has errors of the author's routes written by the service's logger; otherwise Hono's own handler, which takes the console. */
function logErrors({ app, settings }: Service): void {
  app.onError((error, c) => {
    if ("getResponse" in error) {
      const response = error.getResponse();
      return c.newResponse(response.body, response);
    }
    settings.logger.error(error);
    return c.text("Internal Server Error", 500);
  });
}

/** Runs the command line. Bad usage and bad configuration end the process with one line and status 2. */
export async function main(
  launcher: Launcher,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const parent = process.ppid;
  const advise: Advise = (error) => launcher.commands[launcher.key]?.advise?.(error);
  outliveOutput();
  try {
    const { address, app, reload, flags, ...asked } = parseArguments(argv);
    if (asked.help) return console.log(help(Object.keys(launcher.commands)));
    if (asked.version) return console.log(`hinoko ${VERSION}`);

    const key = asked.runtime ?? launcher.preferred ?? launcher.key;
    const command = Object.hasOwn(launcher.commands, key) ? launcher.commands[key] : undefined;
    if (!command) {
      const known = Object.keys(launcher.commands).join(", ");
      throw new UsageError(`Unknown runtime: ${key} (known: ${known})`);
    }
    const isHere = key === launcher.key && !reload && flags.length === 0;
    if (isHere) return await runserver(launcher, { address, app, parent, advise });
    const binary = key === launcher.key ? process.execPath : await findBinary(command);
    const order = [...(address ? [address] : []), ...(app ? ["--app", app] : [])];
    process.exitCode = await runAgain(parent, binary, command.args(reload, flags), order);
  } catch (error) {
    fail(error, advise);
  }
}

const EXPECTED = [UsageError, AppError, SettingsError, ListenError, RespawnError];

function fail(error: unknown, advise: Advise): void {
  const isExpected = error instanceof Error && EXPECTED.some((kind) => error instanceof kind);
  console.error(isExpected ? error.message : error);
  const advice = advise(error);
  if (advice !== undefined) console.error(advice);
  const status = isExpected ? 2 : 1;
  process.exitCode = status;
  // Bun's watcher is in the process itself: it waits for a change only while the process does not exit.
  if (process.execArgv.includes("--watch")) return;
  const exit = () => process.exit(status);
  // Node's watcher is told by messages which files to watch. Those about a broken app may still be on their way, and
  // they have arrived when one more has.
  const isWatched = process.env["WATCH_REPORT_DEPENDENCIES"] !== undefined;
  if (isWatched && process.send) process.send({}, undefined, undefined, exit);
  else exit();
}
