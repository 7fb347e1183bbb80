/**
 * The runtime that runs the tests: its name, its `serve()`, and how to start Hinoko's command under it.
 */
import process from "node:process";
import { getRuntimeKey } from "hono/adapter";
import { commands } from "../../runtimes/commands.ts";
import { findLauncher, launchers } from "../../runtimes/launchers.ts";

const key = findLauncher();
if (!key) throw new Error(`The runtime must be node, bun or deno (got "${getRuntimeKey()}")`);

/** The runtime's name, as in `--runtime`. */
export const runtime = key;

/** Whether the engine is engine.io: only it supports some of the `socketio` options, the others refuse them. */
export const hasEngineIo = runtime === "node" && process.env["ENGINE"] !== "native";

export const { serve } = await launchers[key]();

/** The program of this runtime, and the arguments with which it starts Hinoko's command. */
export const launcher = { program: process.execPath, args: commands[key].args(false) };
