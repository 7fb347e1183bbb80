/**
 * The Hono app of a service. It checks the host before routing, and sets `c.var.io` before each handler. Neither is
 * done by a middleware: as soon as a request matches one, Hono runs its handlers through promises, and on Node a small
 * answer then takes a seventh more time.
 */
import type { Context, Env, Next } from "hono";
import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { H, RouterRoute } from "hono/types";
import { keepType, nameType } from "./content-type.ts";
import type { Hosts } from "./hosts.ts";
import type { UnreachedWatch } from "./unreached.ts";
import { visitorOf } from "./visitor.ts";

/** Sets the variables that every handler finds in `c.var`. */
type SetVariables = (c: Context) => void;

/** Runs a handler for a HEAD request. Hono drops the body of its answer, so the type must be named before. */
async function answerHead(c: Context, next: Next, handler: H): Promise<Response | void> {
  const answer = await handler(c, next);
  return answer instanceof Response ? nameType(answer) : undefined;
}

/** Hono's default router, which wraps each handler so that the variables are set before it runs. */
class VariablesRouter extends SmartRouter<[H, RouterRoute]> {
  readonly #set: SetVariables;
  readonly #unreached: UnreachedWatch;

  constructor(set: SetVariables, unreached: UnreachedWatch) {
    super({ routers: [new RegExpRouter(), new TrieRouter()] });
    this.#set = set;
    this.#unreached = unreached;
  }

  override add(method: string, path: string, [handler, route]: [H, RouterRoute]): void {
    const set = this.#set;
    const unreached = this.#unreached;
    const withVariables: H = (c, next) => {
      set(c);
      if (!unreached.isOver) unreached.noteRoute(c.req.raw, route);
      return c.req.method === "HEAD" ? answerHead(c, next, handler) : keepType(handler(c, next));
    };
    super.add(method, path, [withVariables, route]);
  }
}

/** A Hono app that refuses hosts which the service does not serve. @see Hosts */
export class ServiceApp<E extends Env> extends Hono<E> {
  /** @param set called before each handler, the author's `notFound()` handler included */
  constructor(hosts: Hosts, unreached: UnreachedWatch, set: SetVariables) {
    super({ router: new VariablesRouter(set, unreached) });
    const { fetch, notFound } = this;
    this.fetch = (request, env, context) => {
      const refusal = hosts.checkHost(visitorOf(request, env));
      if (refusal) return refusal;
      const run = () => fetch(request, env, context);
      return unreached.isOver ? run() : unreached.watch(request, env, run);
    };
    this.notFound = (handler) =>
      notFound((c) => {
        set(c);
        return handler(c);
      });
  }

  /**
   * Finds the one handler that a request would run. It is `undefined` if there is none or more than one, as with
   * middleware or overlapping routes. Routing fixes the routes: Hono takes no new ones afterwards.
   */
  findOnlyHandler(method: string, path: string): H | undefined {
    const [matched] = this.router.match(method, path);
    return matched.length === 1 ? matched[0]?.[0][1].handler : undefined;
  }
}
