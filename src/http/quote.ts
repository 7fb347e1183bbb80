/**
 * Quotes what a client sent for a line in the log: nothing in it ends the line or speaks to the operator's terminal.
 */

export const quote = (text: string): string =>
  JSON.stringify(text).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
