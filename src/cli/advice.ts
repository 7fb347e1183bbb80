/**
 * What an operator can do about an error that only one runtime has: its launcher knows, and the log says it.
 */
import type { Logger } from "../settings.ts";

/** Says what to do about an error; `undefined` for an error that it knows nothing of. */
export type Advise = (error: unknown) => string | undefined;

/** Makes a logger that writes the advice behind each error that has some. */
export const withAdvice = (logger: Logger, advise: Advise): Logger => ({
  info: (...values) => logger.info(...values),
  warn: (...values) => logger.warn(...values),
  error: (...values) => {
    logger.error(...values);
    for (const advice of values.map(advise)) if (advice !== undefined) logger.error(advice);
  },
});
