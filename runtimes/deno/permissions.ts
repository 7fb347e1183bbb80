/**
 * Deno's permissions: what an operator adds to the command when the app needs one that serving does not.
 */

/** `Requires write access to "data/x", run again with the --allow-write flag` */
const DENIED = /^Requires \S+ access(?: to "(?<what>.*)")?, run again with the (?<flag>--allow-[a-z-]+) flag/;

/** Says how the permission is given that an error is about; `undefined` for any other error. */
export function advisePermission(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name !== "NotCapable") return undefined;
  const { what, flag } = DENIED.exec(error.message)?.groups ?? {};
  if (flag === undefined) return undefined;
  const flags = /^[\w./:@-]+$/.test(what ?? "") ? `${flag}=${what}` : flag;
  return `The app lacks a permission of Deno's. To give it, end the command with: -- ${flags}`;
}
