/**
 * What is written to a terminal or a pipe that is gone (`2>&1 | head -1`).
 */
import process from "node:process";

const ignore = (): void => {};

/**
 * Has such writes vanish. Otherwise they are "error" events of the stream where a runtime emits them, and end the process
 * because nobody listens. May be called again.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }
}
