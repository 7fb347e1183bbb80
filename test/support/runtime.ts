/**
 * The runtime that runs the tests, as data: its launcher, and the command line that starts it.
 */
import process from "node:process";
import { getRuntimeKey } from "hono/adapter";
import { commands } from "../../runtimes/commands.ts";

const launchers = {
  node: () => import("../../runtimes/node.ts"),
  bun: () => import("../../runtimes/bun.ts"),
  deno: () => import("../../runtimes/deno.ts"),
};

const isKnown = (key: string): key is keyof typeof launchers => key in launchers;
const key = getRuntimeKey();
if (!isKnown(key)) throw new Error(`The tests know no launcher for the runtime ${key}`);

/** The value of `--runtime` that stands for this runtime. */
export const runtime = key;

/** Whether its engine is engine.io: some of the `socketio` options are honoured there, and refused everywhere else. */
export const hasEngineIo = runtime === "node" && process.env["ENGINE"] !== "native";

export const { serve } = await launchers[key]();

/** The program of this runtime, and its arguments that start the launcher's command. */
export const launcher = { program: process.execPath, args: commands[key].args(false) };
