/**
 * The request handler of every runtime whose server gives a Request and takes a Response.
 *
 * A WebSocket handshake runs through the Hono chain like any other request. If a route lets it through and the chain's
 * answer is a success, the runtime makes the handshake and sends the headers of that answer with the 101. Otherwise the
 * client gets the chain's answer.
 */
import { endToEndFields, mayHaveBody, toResponse } from "../src/engine/answer.ts";
import type { EngineDriver, Opener } from "../src/engine/driver.ts";
import { malformedAnswer } from "../src/engine/handshake.ts";
import type { Upgrade } from "../src/engine/peer.ts";
import { targetOf } from "../src/engine/url.ts";
import { nameType } from "../src/http/content-type.ts";
import { addPageHeaders } from "../src/http/pages.ts";
import { chooseProtocol } from "../src/http/websocket-routes.ts";
import type { Bindings, Mounted } from "../src/runtime.ts";

/** An engine that can answer a request without the Hono chain. */
export interface FetchEngine<Env> extends EngineDriver {
  answerDirectly(request: Request, env: Env, opener: Opener): Response | Promise<Response>;
}

/**
 * What the handler gives back to the runtime: undefined if the request has become a WebSocket and needs no Response.
 */
type Answer = Response | undefined;

/**
 * Has the runtime make a WebSocket handshake, and connects the open WebSocket to `upgrade`.
 * @param headers the headers to send with the 101
 * @returns what the runtime's request handler has to return; `malformedHandshake()` if the runtime refuses the
 *   handshake
 */
export type MakeHandshake<Env> = (request: Request, env: Env, headers: Headers, upgrade: Upgrade) => Answer;

/** Makes an answer without a body to a HEAD request go out without a Content-Length. */
export type OmitLength = (answer: Response) => Response;

/** Whether Hono has made the answer to a HEAD request, and nobody has said how long the answer to a GET would be. */
const lacksLength = ({ body, headers, status }: Response): boolean =>
  body === null && !headers.has("content-length") && mayHaveBody(status);

/**
 * Makes the request handler of a service. The handler never throws or rejects.
 * @returns a function that takes a request, the `c.env` for it, and the runtime's own Request if `request` is a copy of
 *   it: Deno makes a handshake only of its own Request
 */
export function createFetch<Env extends Bindings>(
  service: Mounted,
  engine: FetchEngine<Env>,
  { makeHandshake, omitLength }: { makeHandshake: MakeHandshake<Env>; omitLength: OmitLength },
): (request: Request, env: Env, original?: Request) => Answer | Promise<Answer> {
  const { logger } = service.settings;

  /**
   * Answers a request whose error Hono's error handler did not catch. The runtime's own answer would show the stack.
   */
  const answerFailure = (error: unknown): Response => {
    logger.error(error);
    return new Response("Internal Server Error", { status: 500 });
  };

  const complete = (answer: Response): Response => addPageHeaders(nameType(answer));

  const completeHead = (answer: Response): Response => {
    const completed = complete(answer);
    return lacksLength(completed) ? omitLength(completed) : completed;
  };

  /** Answers a request: directly by the engine where that is allowed, otherwise through the Hono chain. */
  const answerRequest = (request: Request, env: Env): Response | Promise<Response> => {
    const visitor = service.binding.runtime.visitor(request, env);
    const opener = service.admitDirectly(request.method, targetOf(request), visitor);
    if (opener) return engine.answerDirectly(request, env, opener);
    const answer = service.fetch(request, env);
    // Only a handler that is alone answers at once. Nothing has copied its answer, so the runtime knows the type.
    if (!(answer instanceof Promise)) return addPageHeaders(answer);
    return answer.then(request.method === "HEAD" ? completeHead : complete);
  };

  return (request, env, original = request) => {
    const finish = (answer: Response): Answer => {
      if (!env.upgrade || !answer.ok) return answer;
      return makeHandshake(original, env, handshakeHeaders(original, answer), env.upgrade);
    };
    try {
      const answer = answerRequest(request, env);
      return answer instanceof Promise ? answer.then(finish).catch(answerFailure) : finish(answer);
    } catch (error) {
      return answerFailure(error);
    }
  };
}

/** The headers of the 101: those that the chain has set, and the subprotocol. */
function handshakeHeaders(request: Request, { headers }: Response): Headers {
  const fields = new Headers(endToEndFields(headers));
  const protocol = chooseProtocol(request);
  if (protocol) fields.set("Sec-WebSocket-Protocol", protocol);
  return fields;
}

/** Makes the answer to a handshake that the runtime refuses, though it is well-formed (see src/engine/handshake.ts). */
export const malformedHandshake = (): Response => toResponse(malformedAnswer());
