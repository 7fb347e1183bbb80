/**
 * A ServerResponse that adds the secure headers to pages as its head is written: on Node, a look at the headers of a
 * Response costs more than the rest of a small answer's way through Hono.
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
  /** The engine's answers are none, whatever type they have. */
  mayBePage = true;

  override writeHead(status: number, message?: string | Fields, fields?: Fields): this {
    const named = typeof message === "object" ? message : fields;
    // What is set before gives way to what is named here.
    if (this.mayBePage && isPage(contentTypeOf(named) ?? this.getHeader("content-type"))) {
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
