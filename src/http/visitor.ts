/**
 * Who makes a request, for the guards. A launcher tells it from what its runtime has at hand, because a Request's headers
 * cost more than the guards do.
 */
import type { ConnInfo } from "hono/conninfo";
import type { Bindings, Visitor } from "../runtime.ts";

/** A visitor of whom there is a Request. */
export abstract class RequestVisitor implements Visitor {
  protected readonly request: Request;

  constructor(request: Request) {
    this.request = request;
  }

  header(name: string): string | undefined {
    return this.request.headers.get(name) ?? undefined;
  }

  get scheme(): string {
    return this.request.url.startsWith("https:") ? "https" : "http";
  }

  abstract readonly remote: ConnInfo["remote"];

  get address(): string | undefined {
    return this.remote.address;
  }
}

/** Without a launcher (`app.request()` in an author's tests) there may be no Host header: the URL names the host. */
class UnservedVisitor extends RequestVisitor {
  readonly remote = {};

  override header(name: string): string | undefined {
    return super.header(name) ?? (name === "host" ? new URL(this.request.url).host : undefined);
  }
}

/** Who makes this request. @param env its `c.env` */
export const visitorOf = (request: Request, env: Partial<Bindings> | undefined): Visitor =>
  env?.hinoko ? env.hinoko.runtime.visitor(request, env) : new UnservedVisitor(request);
