/**
 * The app of a service: Hono's, behind the host guard, with `c.var.io` for every handler. Neither is a middleware: with
 * one, Hono answers every request by way of promises, which on Node costs a seventh of a small answer.
 */
import type { Context, Env } from "hono";
import { Hono } from "hono";
import { RegExpRouter } from "hono/router/reg-exp-router";
import { SmartRouter } from "hono/router/smart-router";
import { TrieRouter } from "hono/router/trie-router";
import type { H, RouterRoute } from "hono/types";
import type { Hosts } from "./hosts.ts";
import { visitorOf } from "./visitor.ts";

/** What every handler finds in `c.var`. */
type SetVariables = (c: Context) => void;

/** Hono's own router, whose handlers find the variables. */
class VariablesRouter extends SmartRouter<[H, RouterRoute]> {
  readonly #set: SetVariables;

  constructor(set: SetVariables) {
    super({ routers: [new RegExpRouter(), new TrieRouter()] });
    this.#set = set;
  }

  override add(method: string, path: string, [handler, route]: [H, RouterRoute]): void {
    const set = this.#set;
    const withVariables: H = (c, next) => {
      set(c);
      return handler(c, next);
    };
    super.add(method, path, [withVariables, route]);
  }
}

export class ServiceApp<E extends Env> extends Hono<E> {
  constructor(hosts: Hosts, set: SetVariables) {
    super({ router: new VariablesRouter(set) });
    const { fetch, notFound } = this;
    this.fetch = (request, env, context) =>
      hosts.refusal(visitorOf(request, env)) ?? fetch(request, env, context);
    this.notFound = (handler) =>
      notFound((c) => {
        set(c);
        return handler(c);
      });
  }

  /** The only handler of a request, or `undefined` where there are others: middleware, routes that overlap, or none. */
  onlyHandler(method: string, path: string): H | undefined {
    const [matched] = this.router.match(method, path);
    return matched.length === 1 ? matched[0]?.[0][1].handler : undefined;
  }
}
