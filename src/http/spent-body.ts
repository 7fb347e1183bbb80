/**
 * Finds out that a middleware has read a request's body in the way that leaves nothing for the route: from `c.req.raw`.
 */
import type { HonoRequest } from "hono";

/** Whether the body was read without being kept, as Hono keeps what `c.req.text()`, `json()` and the others read. */
export const isBodySpent = ({ raw, bodyCache }: HonoRequest): boolean =>
  raw.bodyUsed && Object.keys(bodyCache).length === 0;

/** What the log says about it. @param path of the request */
export const spentBodyAdvice = (path: string): string =>
  `A middleware has read the body of a POST to ${path} from c.req.raw, so its packets are lost. ` +
  "Read it with c.req.text(), which keeps it for the route.";
