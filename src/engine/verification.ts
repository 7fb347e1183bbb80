/**
 * Verifies that Engine.IO allows a request: by itself, against the session that it names, and by the author's
 * `allowRequest`. The checks and their errors are those of engine.io.
 */
import type { Exchange } from "./exchange.ts";
import type { EngineOptions, Guard } from "./options.ts";
import type { EngineRequest, RequestLike } from "./request.ts";

/** The messages of Engine.IO's errors. The code of an error is its index in this list. */
const MESSAGES = [
  "Transport unknown",
  "Session ID unknown",
  "Bad handshake method",
  "Bad request",
  "Forbidden",
  "Unsupported protocol version",
] as const;

const [UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_HANDSHAKE_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED] = [
  0, 1, 2, 3, 4, 5,
];

/** Why a request is refused. */
export class Refusal {
  readonly code: number;
  /** The details that listeners of "connection_error" get. */
  readonly context: Readonly<Record<string, unknown>> | undefined;

  constructor(code: number, context?: Record<string, unknown>) {
    this.code = code;
    this.context = context;
  }

  static badRequest(name: string, context?: Record<string, unknown>): Refusal {
    return new Refusal(BAD_REQUEST, { name, ...context });
  }

  /** Engine.IO's message for the code. */
  get message(): string {
    return MESSAGES[this.code] ?? "";
  }

  /** The message that the client gets: the author's, if `allowRequest` gave one, or Engine.IO's. */
  get reason(): string {
    const reason = this.context?.["message"];
    return typeof reason === "string" && reason !== "" ? reason : this.message;
  }

  /** The status for a polling request: 403 if the author has forbidden it, else 400. A handshake always gets 400. */
  get status(): number {
    return this.code === FORBIDDEN ? 403 : 400;
  }
}

/** The part of a session that a request is verified against. */
export interface Verifiable {
  readonly protocol: number;
  readonly transport: { readonly name: string };
}

// Matches a character that RFC 9110, 5.5 does not allow in the value of a header.
const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

const protocolOf = (query: EngineRequest["_query"]) => (query["EIO"] === "4" ? 4 : 3);

/**
 * Verifies a request by itself, and against the session that it names.
 * @param session the session with the `sid` of the query, if there is one
 * @returns undefined when the request is allowed
 */
export function verify(
  exchange: Exchange,
  session: Verifiable | undefined,
  { transports }: EngineOptions,
): Refusal | undefined {
  const { sid, transport = "" } = exchange.query;
  const origin = exchange.header("origin") ?? "";
  if (!transports.includes(transport)) return new Refusal(UNKNOWN_TRANSPORT, { transport });
  if (INVALID_VALUE.test(origin)) return Refusal.badRequest("INVALID_ORIGIN", { origin });
  if (sid && !session) return new Refusal(UNKNOWN_SID, { sid });
  const refusal = session ? verifySession(exchange, session) : verifyOpening(exchange);
  if (refusal) return refusal;
  const isMisplaced = exchange.isHandshake && transport !== "websocket";
  return isMisplaced ? Refusal.badRequest("TRANSPORT_HANDSHAKE_ERROR") : undefined;
}

function verifyOpening({ method, query, isHandshake }: Exchange): Refusal | undefined {
  if (method !== "GET") return new Refusal(BAD_HANDSHAKE_METHOD, { method });
  const lacksHandshake = query["transport"] === "websocket" && !isHandshake;
  return lacksHandshake ? Refusal.badRequest("TRANSPORT_HANDSHAKE_ERROR") : undefined;
}

function verifySession({ query, isHandshake }: Exchange, session: Verifiable): Refusal | undefined {
  const { transport } = query;
  const { protocol: previousProtocol, transport: previous } = session;
  const protocol = protocolOf(query);
  if (!isHandshake && previous.name !== transport)
    return Refusal.badRequest("TRANSPORT_MISMATCH", { transport, previousTransport: previous.name });
  if (protocol !== previousProtocol)
    return Refusal.badRequest("PROTOCOL_MISMATCH", { protocol, previousProtocol });
  return undefined;
}

/** Asks the author's `allowRequest` about a new session. @returns undefined when it is allowed */
export async function askAuthor(request: RequestLike, guard: Guard): Promise<Refusal | undefined> {
  const context = await callAllowRequest(request, guard);
  return context && new Refusal(FORBIDDEN, context);
}

/** Checks that the client speaks Engine.IO 4. @returns undefined when it does */
export function verifyProtocol({ query }: Pick<Exchange, "query">): Refusal | undefined {
  const protocol = protocolOf(query);
  return protocol === 4 ? undefined : new Refusal(UNSUPPORTED, { protocol });
}

/**
 * Calls the author's `allowRequest`, which answers by callback or by promise. Resolves with the context of the refusal,
 * or with undefined when the session is allowed.
 */
export function callAllowRequest(request: RequestLike, guard: Guard): Promise<Refusal["context"]> {
  return new Promise((resolve) => {
    const decide = (message: string | null | undefined, success: boolean) =>
      resolve(success ? undefined : { message });
    // An error that is not a text may show internals: listeners of "connection_error" get it, but not the client.
    const refuse = (error: unknown) => resolve(typeof error === "string" ? { message: error } : { error });
    const hasCallback = (guard.allowRequest?.length ?? 0) > 1;
    try {
      const answer = guard.allowRequest?.(request, decide);
      if (!(answer instanceof Promise)) return;
      answer.then((allowed: unknown) => hasCallback || decide(null, allowed !== false), refuse);
    } catch (error) {
      refuse(error);
    }
  });
}
