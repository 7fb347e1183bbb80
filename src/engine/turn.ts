/**
 * Numbers the turns in which JavaScript runs, so that a peer can tell whether it has sent something in this one. A
 * runtime may hand data to the operating system at once, so that nothing waits. All the same no client can have taken
 * it before the turn ends, and a volatile message must not follow it in the same turn. A turn lasts until microtasks run:
 * what stands behind an `await` is in another one.
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
