/**
 * Notices that Socket.IO cannot be reached: a route of the author's answers its requests, or `service.app` is served
 * without `serve()`. Clients would only say "xhr poll error" then, so one line in the log names the cause. Once a
 * request has reached Socket.IO, or the line is logged, nobody looks any more: Hono takes no routes after its first
 * request.
 */
import type { RouterRoute } from "hono/types";
import { andThen } from "../engine/and-then.ts";
import { targetOf } from "../engine/url.ts";
import type { Bindings } from "../runtime.ts";
import type { Logger } from "../settings.ts";

/** Whether a status may come from middleware that refuses or redirects a client on purpose. 404 is a route's. */
const isRefusal = (status: number): boolean => status >= 300 && status !== 404;

export class UnreachedWatch {
  /** Whether nobody needs to look any more. */
  isOver = false;
  readonly #path: string;
  readonly #logger: Logger;
  /** The requests for Socket.IO, each with the handler that has last been called for it. */
  readonly #lastRoutes = new WeakMap<Request, RouterRoute | undefined>();

  /** @param path where Socket.IO is, without a slash at the end */
  constructor(path: string, logger: Logger) {
    this.#path = path;
    this.#logger = logger;
  }

  /** Notes that a handler is called for a request, if that is for Socket.IO. */
  noteRoute(request: Request, route: RouterRoute): void {
    if (this.#lastRoutes.has(request)) this.#lastRoutes.set(request, route);
  }

  /** Runs a request through the Hono app. If it was for Socket.IO, that should have been reached by then. */
  watch(
    request: Request,
    env: Partial<Bindings> | undefined,
    run: () => Response | Promise<Response>,
  ): Response | Promise<Response> {
    if (request.method !== "GET" || !this.#isForSocketIo(request)) return run();
    this.#lastRoutes.set(request, undefined);
    return andThen(run(), (answer) => this.#judge(request, env, answer));
  }

  #isForSocketIo(request: Request): boolean {
    const target = targetOf(request);
    return target.startsWith(`${this.#path}/?`) && /[?&]EIO=\d/.test(target);
  }

  #judge(request: Request, env: Partial<Bindings> | undefined, answer: Response): Response {
    const problem = this.isOver ? undefined : this.#findProblem(request, env, answer);
    if (problem) {
      this.isOver = true;
      this.#logger.warn(`Socket.IO cannot be reached at ${this.#path}/: ${problem}`);
    }
    return answer;
  }

  #findProblem(
    request: Request,
    env: Partial<Bindings> | undefined,
    { status }: Response,
  ): string | undefined {
    if (!env?.hinoko)
      return 'service.app is served without serve(). Use serve() from "hinoko/node", "hinoko/bun" or "hinoko/deno"';
    const route = this.#lastRoutes.get(request);
    if (!route || isRefusal(status)) return undefined;
    const name = `${route.method} ${route.path}`;
    const remedy = `app.all("${this.#path}/*", service.sockets)`;
    return `your route "${name}" answers its requests (status ${status}). Put ${remedy} before that route`;
  }
}
