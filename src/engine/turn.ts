/**
 * Numbers the turns in which JavaScript runs: one callback of the runtime with its microtasks. A runtime may hand data
 * to the operating system at once, so that nothing waits. All the same no client can have taken it before the turn
 * ends, and a volatile message must not follow it in the same turn.
 */
let turn = 0;
let isCounted = false;

/** Returns the number of this turn. The turns in which nobody asks for it are not counted. */
export function currentTurn(): number {
  if (!isCounted) {
    isCounted = true;
    queueMicrotask(endTurn);
  }
  return turn;
}

/** Whether a number is that of this turn. */
export const isCurrentTurn = (number: number): boolean => number === turn;

function endTurn(): void {
  isCounted = false;
  turn++;
}
