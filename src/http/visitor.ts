/**
 * The visitor of a request: what the guards look at. Each launcher implements it with what its runtime has at hand,
 * because building the headers of a Request costs more time than the guards take.
 */
import type { ConnInfo } from "hono/conninfo";
import type { Bindings, Visitor } from "../runtime.ts";

/** A visitor that is read from a Request. */
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

/**
 * The visitor where no launcher serves the app: an author's tests call `app.request()`. There may be no Host header
 * then, so the host comes from the URL.
 */
class UnservedVisitor extends RequestVisitor {
  readonly remote = {};

  override header(name: string): string | undefined {
    return super.header(name) ?? (name === "host" ? new URL(this.request.url).host : undefined);
  }
}

/** Tells the visitor of a request. @param env the `c.env` of the request */
export const visitorOf = (request: Request, env: Partial<Bindings> | undefined): Visitor =>
  env?.hinoko ? env.hinoko.runtime.visitor(request, env) : new UnservedVisitor(request);
