/**
 * A ServerResponse that adds the secure headers to pages when their head is written. Other runtimes add them to the
 * Response; on Node, reading the headers of a Response costs more than all the rest that Hono does for a small answer.
 */
import {
  type IncomingMessage,
  type OutgoingHttpHeader,
  type OutgoingHttpHeaders,
  ServerResponse,
} from "node:http";
import { isPage, PAGE_HEADERS } from "../../src/http/pages.ts";

type Fields = OutgoingHttpHeaders | OutgoingHttpHeader[];

export class PageResponse<
  Incoming extends IncomingMessage = IncomingMessage,
> extends ServerResponse<Incoming> {
  /** Set to false for answers of the engine, which are no pages even if their type is text/html. */
  canBePage = true;

  override writeHead(status: number, message?: string | Fields, fields?: Fields): this {
    const passed = typeof message === "object" ? message : fields;
    // Node lets the headers that are passed here replace those that were set before, so look at the passed ones first.
    if (this.canBePage && isPage(contentTypeOf(passed) ?? this.getHeader("content-type"))) {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) {
        if (!this.hasHeader(name)) this.setHeader(name, value);
      }
    }
    return typeof message === "string"
      ? super.writeHead(status, message, fields)
      : super.writeHead(status, message);
  }
}

function contentTypeOf(fields: Fields | undefined): unknown {
  if (!fields || Array.isArray(fields)) return undefined;
  for (const name in fields) {
    if (name.length === 12 && name.toLowerCase() === "content-type") return fields[name];
  }
  return undefined;
}
