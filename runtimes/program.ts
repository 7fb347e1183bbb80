/**
 * Whether a launcher is the program that was started. Then it runs the command; imported, it only gives `serve()`.
 */
import { realpathSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/**
 * Decides it for `runtimes/NAME.ts`, or NAME.js of the build.
 *
 * Being the program that was started is not enough: in a bundle or a compiled program every module has the URL of the
 * whole, which is the author's program, and the command would run in its place. So the launcher must also still be a
 * file of its own beside this one.
 * @param launcher the `import.meta` of the launcher; CommonJS made of it leaves it empty
 */
export function isProgram(name: string, launcher: { url?: string; main?: boolean }): boolean {
  const own: string | undefined = import.meta.url;
  if (launcher.url === undefined || launcher.url === own) return false;
  const isBeside = ["ts", "js"].some((type) => new URL(`./${name}.${type}`, own).href === launcher.url);
  return isBeside && (launcher.main ?? isStarted(launcher.url));
}

/** Node.js 20 and 22 have no `import.meta.main`. The package may be installed as a link, whose target `url` names. */
function isStarted(url: string): boolean {
  const program = process.argv[1];
  try {
    return program !== undefined && realpathSync(program) === fileURLToPath(url);
  } catch {
    return false; // `node app` leaves it without its extension: there is no such file
  }
}
