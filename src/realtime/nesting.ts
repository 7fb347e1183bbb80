/**
 * How deep the JSON of a packet is nested, seen from its text, before it is parsed. JSON.parse() takes what others
 * cannot walk through: socket.io-parser, JSON.stringify() and authors' functions call themselves for each level, and
 * a few thousand overflow the stack, which is an uncaught RangeError in whatever handler was at it.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Whether arrays and objects are nested in more levels than that. Of text that is no JSON, it says anything.
 * @param start where the JSON begins in the text
 */
export function isNestedDeeper(text: string, levels: number, start = 0): boolean {
  // Few packets have brackets enough to be looked at one character after the other.
  if (countOf("[", text, start, levels) + countOf("{", text, start, levels) <= levels) return false;
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (++depth > levels) return true;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      default:
    }
  }
  return false;
}

/** How often a bracket occurs, in strings too; counted no further than to one more than `most`. */
function countOf(bracket: string, text: string, start: number, most: number): number {
  let count = 0;
  for (let at = text.indexOf(bracket, start); at >= 0 && count <= most; at = text.indexOf(bracket, at + 1))
    count++;
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
