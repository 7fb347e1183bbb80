/**
 * Whether a request is one that Engine.IO allows, by itself and against the session that it names. Nothing here depends
 * on how sessions are kept.
 */
import type { Exchange } from "./exchange.ts";
import type { EngineOptions, Guard } from "./options.ts";
import type { EngineRequest, RequestLike } from "./request.ts";

/** The messages of Engine.IO's errors. An error's code is its place in this list. */
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
  /** What "connection_error" tells beside the code. */
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

  /** What the client is told. */
  get reason(): string {
    const reason = this.context?.["message"];
    return typeof reason === "string" && reason !== "" ? reason : this.message;
  }

  /** 403 to a polling request that was forbidden, else 400. */
  get status(): number {
    return this.code === FORBIDDEN ? 403 : 400;
  }
}

/** A session as far as a request to it is verified. */
export interface Verifiable {
  readonly protocol: number;
  readonly transport: { readonly name: string };
}

// Everything but what RFC 9110, 5.5 allows in a field value
const INVALID_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

const protocolOf = (query: EngineRequest["_query"]) => (query["EIO"] === "4" ? 4 : 3);

/**
 * Verifies a request by itself, and against the session that it names.
 * @param session the session with the `sid` of the query
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

/** Asks the author about a new session. */
export async function askAuthor(request: RequestLike, guard: Guard): Promise<Refusal | undefined> {
  const context = await callAllowRequest(request, guard);
  return context && new Refusal(FORBIDDEN, context);
}

/** Checks that the client speaks this protocol. */
export function verifyProtocol({ query }: Exchange): Refusal | undefined {
  const protocol = protocolOf(query);
  return protocol === 4 ? undefined : new Refusal(UNSUPPORTED, { protocol });
}

/** Calls the author's `allowRequest`, in either of its forms. Resolves with the context of a refusal, or with nothing. */
export function callAllowRequest(request: RequestLike, guard: Guard): Promise<Refusal["context"]> {
  return new Promise((resolve) => {
    const decide = (message: string | null | undefined, success: boolean) =>
      resolve(success ? undefined : { message });
    // A reason that is not text is for "connection_error", not for the client.
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
