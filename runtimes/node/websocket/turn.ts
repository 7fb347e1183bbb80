/**
 * What waits for the end of the event loop's turn: one immediate for all that wrote in it.
 */

interface Flushable {
  flush(): void;
}

let waiting: Flushable[] = [];

/** What each turn forgets when it ends. */
const memories: (() => void)[] = [];

/** Has something flushed when the callbacks of this turn have run. */
export function flushAtEndOfTurn(item: Flushable): void {
  if (waiting.push(item) === 1) setImmediate(endTurn);
}

/** Has this called when all is flushed. */
export function atEndOfEachTurn(forget: () => void): void {
  memories.push(forget);
}

function endTurn(): void {
  const items = waiting;
  waiting = [];
  for (const item of items) item.flush();
  for (const forget of memories) forget();
}
