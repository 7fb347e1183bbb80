/**
 * What is written to a terminal or a pipe that is gone (`2>&1 | head -1`).
 */
import process from "node:process";

const ignore = (): void => {};

/**
 * Has such writes vanish, as they do on Bun and Deno. On Node.js they are "error" events of the stream, which end a
 * process where nobody listens. May be called again.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }
}
