/**
 * Makes text from a client safe to log: without escaping, a client could forge lines of the log, or send control
 * sequences to the operator's terminal.
 */

/** Escapes control characters and quotes, as in JSON. */
export const escapeForLog = (text: string): string =>
  JSON.stringify(text)
    .slice(1, -1)
    .replace(
      /[\u007f-\u009f\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
