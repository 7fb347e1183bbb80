/**
 * Checks the nesting and the number of arguments of a packet in its JSON text, before it is parsed. JSON.parse()
 * accepts values that later code cannot handle: socket.io-parser, JSON.stringify() and authors' functions recurse for
 * each level of nesting, and Socket.IO passes the items of the outermost array to listeners as arguments. Some
 * thousand levels, or some ten thousand arguments, overflow the stack, and the author's handler dies with an uncaught
 * RangeError.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export interface Bounds {
  /** The most levels of nested arrays and objects. */
  readonly levels: number;
  /** The most items of the outermost array, if the JSON is an array. */
  readonly arguments: number;
}

/**
 * Finds the bound that a JSON text exceeds. For text that is not JSON the result means nothing: the parser refuses it.
 * @param start the index at which the JSON begins
 * @returns the name of the bound; undefined when the text is within all of them
 */
export function findExceededBound(text: string, bounds: Bounds, start = 0): keyof Bounds | undefined {
  const { levels, arguments: most } = bounds;
  // Counting brackets and commas with indexOf() is fast, and clears almost every packet. Only those with many of them
  // are read character by character.
  const brackets = countOf("[", text, start, levels) + countOf("{", text, start, levels);
  const canBeMany = text.length > 2 * most && countOf(",", text, start, most) >= most;
  if (brackets <= levels && !canBeMany) return undefined;
  let [depth, items, isList] = [0, 1, false];
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    switch (code) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (depth === 0) isList = code === OPEN_ARRAY;
        if (++depth > levels) return "levels";
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        if (depth === 1 && isList && ++items > most) return "arguments";
        break;
      default:
    }
  }
  return undefined;
}

/** Counts how often a character occurs, also inside of JSON strings. Stops counting at `most` + 1. */
function countOf(character: string, text: string, start: number, most: number): number {
  let count = 0;
  let at = text.indexOf(character, start);
  while (at >= 0 && count <= most) {
    count++;
    at = text.indexOf(character, at + 1);
  }
  return count;
}

/** Finds the quote that closes a JSON string. @param opened the index of its opening quote */
function endOfString(text: string, opened: number): number {
  for (let at = opened + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}
