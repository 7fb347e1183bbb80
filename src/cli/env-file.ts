/**
 * The file .env in the current folder, which Bun reads by itself and Node.js and Deno do not.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { parseEnv } from "node:util";

/**
 * Adds the variables of .env to the environment; one that is set already stays as it is. Not `process.loadEnvFile()`,
 * which overwrites them on Deno.
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
