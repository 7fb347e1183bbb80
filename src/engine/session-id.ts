/**
 * The ids of sessions: random ones, or those that the author's `io.engine.generateId()` makes.
 */
import { Buffer } from "node:buffer";
import { Refusal } from "./verification.ts";

/** The part of `io.engine` that makes ids. */
interface IdGenerator {
  generateId(request: object): string | PromiseLike<string>;
}

/** Makes the id of a session. Refuses the request if the author's function throws or rejects. */
export function createId(
  generator: IdGenerator,
  request: object,
): string | Refusal | Promise<string | Refusal> {
  try {
    const id = generator.generateId(request);
    return typeof id === "string" ? id : Promise.resolve(id).catch(refuse);
  } catch (error) {
    return refuse(error);
  }
}

const refuse = (error: unknown) => Refusal.badRequest("ID_GENERATION_ERROR", { error });

/** The random bytes of one id. */
const ID_SIZE = 15;

/** Random bytes for 64 ids. They are generated together, since each call of getRandomValues() is slow. */
const random = Buffer.alloc(64 * ID_SIZE);
let usedBytes = random.length;

/** Makes an id of 120 random bits. */
export function randomId(): string {
  if (usedBytes === random.length) {
    crypto.getRandomValues(random);
    usedBytes = 0;
  }
  usedBytes += ID_SIZE;
  return random.toString("base64url", usedBytes - ID_SIZE, usedBytes);
}
