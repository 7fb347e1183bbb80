/**
 * Bounds to the JSON of a packet, told from its text, before it is parsed. JSON.parse() takes what others cannot:
 * socket.io-parser, JSON.stringify() and authors' functions call themselves for each level of nesting, and Socket.IO
 * passes the items of the list to listeners as arguments. Some thousand levels, or some ten thousand arguments, overflow
 * the stack, which is an uncaught RangeError in whatever handler was at it.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

export interface Bounds {
  /** Levels of arrays and objects. */
  readonly levels: number;
  /** Items of the outermost array, if that is what the JSON is. */
  readonly arguments: number;
}

/**
 * Which bound the JSON exceeds, if any. Of text that is no JSON, it says anything.
 * @param start where the JSON begins in the text
 */
export function breachOf(text: string, bounds: Bounds, start = 0): keyof Bounds | undefined {
  const { levels, arguments: most } = bounds;
  // Few packets have brackets or commas enough to be looked at one character after the other.
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

/** How often a character occurs, in strings too; counted no further than to one more than `most`. */
function countOf(character: string, text: string, start: number, most: number): number {
  let count = 0;
  let at = text.indexOf(character, start);
  while (at >= 0 && count <= most) {
    count++;
    at = text.indexOf(character, at + 1);
  }
  return count;
}

/** Where the quote is that closes the string opened there. */
function endOfString(text: string, opened: number): number {
  for (let at = opened + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at;
    if (code === BACKSLASH) at++;
  }
  return text.length;
}
