/**
 * The file .env in the current folder. Some runtimes read it by themselves and others do not, so the command reads it.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { parseEnv } from "node:util";

/**
 * Adds the variables of .env to the environment; one that is set already stays as it is. Not by
 * `process.loadEnvFile()`, which overwrites them on some runtimes.
 */
export async function readEnvFile(): Promise<void> {
  const text = await readFile(".env", "utf8").catch((error: unknown) => {
    if (isAbsent(error)) return "";
    throw error;
  });
  for (const [name, value] of Object.entries(parseEnv(text))) process.env[name] ??= value;
}

/** No such file, or a folder of that name. */
const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "EISDIR");
