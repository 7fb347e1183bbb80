/**
 * The one request handler of all runtimes that speak Request and Response. A WebSocket handshake runs through the Hono
 * chain like any request; the chain's answer then says whether it is made, and with which headers.
 */
import { endToEndFields } from "../src/engine/answer.ts";
import type { EngineDriver, Opener } from "../src/engine/driver.ts";
import type { Upgrade } from "../src/engine/peer.ts";
import { targetOf } from "../src/engine/url.ts";
import { addPageHeaders } from "../src/http/pages.ts";
import type { Bindings, Mounted } from "../src/runtime.ts";

/** An engine that can answer a request without the Hono chain. */
export interface FetchEngine<Env> extends EngineDriver {
  answerDirectly(request: Request, env: Env, opener: Opener): Response | Promise<Response>;
}

/** Nothing for a request that the runtime has turned into a WebSocket. */
type Answer = Response | undefined;

/**
 * Has the runtime make a WebSocket handshake, and puts the WebSocket under `upgrade`.
 * @param headers what the answer to the handshake has to carry
 * @returns what the runtime wants returned; `malformedHandshake()` for a handshake that it cannot make
 */
export type MakeHandshake<Env> = (request: Request, env: Env, headers: Headers, upgrade: Upgrade) => Answer;

/**
 * Makes the handler of a service. It never throws or rejects.
 * @returns a function of the request, of its `c.env`, and of the request that the handshake is to be made of, where the
 *   runtime needs the original one
 */
export function createFetch<Env extends Bindings>(
  service: Mounted,
  engine: FetchEngine<Env>,
  makeHandshake: MakeHandshake<Env>,
): (request: Request, env: Env, original?: Request) => Answer | Promise<Answer> {
  const { logger } = service.settings;

  /** What failed where no error handler of Hono's is. A runtime's own answer would show the stack. */
  const fail = (error: unknown): Response => {
    logger.error(error);
    return new Response("Internal Server Error", { status: 500 });
  };

  const answer = (request: Request, env: Env): Response | Promise<Response> => {
    const visitor = service.binding.runtime.visitor(request, env);
    const opener = service.admitDirectly(request.method, targetOf(request), visitor);
    if (opener) return engine.answerDirectly(request, env, opener);
    const answer = service.fetch(request, env);
    return answer instanceof Promise ? answer.then(addPageHeaders) : addPageHeaders(answer);
  };

  return (request, env, original = request) => {
    const finish = (answer: Response): Answer =>
      env.upgrade && answer.ok
        ? makeHandshake(original, env, handshakeHeaders(original, answer), env.upgrade)
        : answer;
    try {
      const answered = answer(request, env);
      return answered instanceof Promise ? answered.then(finish).catch(fail) : finish(answered);
    } catch (error) {
      return fail(error);
    }
  };
}

/** What the chain has set, and the first protocol that the client names, as ws does: it gives up when none is chosen. */
function handshakeHeaders(request: Request, { headers }: Response): Headers {
  const fields = new Headers(endToEndFields(headers));
  const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0]?.trim();
  if (protocol) fields.set("Sec-WebSocket-Protocol", protocol);
  return fields;
}

/** Whether a request for a WebSocket is a handshake (RFC 6455, 4.2.1), as far as runtimes do not look. */
export const isWellFormed = ({ method, headers }: Request): boolean =>
  method === "GET" && headers.get("sec-websocket-version") === "13";

/** The answer to a handshake that is malformed (RFC 6455, 4.2.1 and 4.4). */
export const malformedHandshake = (): Response =>
  new Response("Bad Request: not a WebSocket handshake", {
    status: 400,
    headers: { "Sec-WebSocket-Version": "13" },
  });
