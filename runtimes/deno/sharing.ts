/**
 * Shares Deno's event loop out among its WebSockets. Deno reads a WebSocket without a pause for as long as frames come
 * in fast enough. One client that floods would keep timers, requests and all other clients waiting for seconds, and the
 * answers to it would pile up unsent. So a WebSocket with many frames has limited time in one turn of the loop. Then
 * Deno is made to go on with whatever else there is to do, and further frames of that WebSocket wait for a later turn.
 */
import { setImmediate } from "node:timers";

/** For how long the frames of flooding WebSockets are handled in one turn, in milliseconds. */
const TIME = 10;

/** So many frames of a WebSocket are handled in one turn in any case. Looking at the clock costs as much as a frame. */
const FRAMES = 64;

/** A WebSocket that takes its turn. */
export interface Sharer {
  /** The turn in which it last had a frame, and how many frames it had since. Both start with 0. */
  turn: number;
  frames: number;
  /** Handles the frame that has waited longest. @returns whether more are waiting */
  handleNext(): boolean;
}

/** Those with frames that wait. */
const waiting = new Set<Sharer>();

/** The number of this turn. It is not counted up before a WebSocket has had many frames, however long that takes. */
let turn = 0;

/** When the time is over; undefined until a WebSocket has had many frames in this turn. */
let deadline: number | undefined;

let hasYielded = false;

/**
 * Counts a frame that has just come in, and ends this turn if its time is over.
 * @returns whether the frame may be handled now; otherwise it has to wait: see `waitForTurn()`
 */
export function countFrame(sharer: Sharer): boolean {
  if (sharer.turn !== turn) {
    sharer.turn = turn;
    sharer.frames = 0;
  }
  sharer.frames++;
  if (sharer.frames % FRAMES !== 0) return sharer.frames < FRAMES || !hasYielded;
  if (deadline === undefined) {
    deadline = performance.now() + TIME;
    setImmediate(startTurn);
  }
  if (!hasYielded && performance.now() >= deadline) yieldTurn();
  return !hasYielded;
}

/** Has the waiting frames handled in later turns. */
export function waitForTurn(sharer: Sharer): void {
  waiting.add(sharer);
}

function startTurn(): void {
  turn++;
  deadline = undefined;
  hasYielded = false;
  if (waiting.size === 0) return;
  // Before the frames, so that what an author's listener throws does not leave the others waiting for ever.
  deadline = performance.now() + TIME;
  setImmediate(startTurn);
  handleWaiting(deadline);
}

/** Handles waiting frames, those of each WebSocket in turn, until a point in time. */
function handleWaiting(end: number): void {
  for (const sharer of waiting) {
    // Behind the others, if it is not done now. The loop comes to it again.
    waiting.delete(sharer);
    waiting.add(sharer);
    for (let n = 0; n < FRAMES; n++) {
      if (sharer.handleNext()) continue;
      waiting.delete(sharer);
      break;
    }
    if (performance.now() >= end) return;
  }
}

/** How many operations Tokio, on which Deno runs, lets one task complete before the task has to yield. */
const TOKIO_BUDGET = 128;

/**
 * Makes Deno end this turn of its event loop as soon as it has passed on the frames that it has read already. Deno reads
 * a WebSocket in a loop of microtasks which goes round for as long as there is something to read; only Tokio's budget of
 * operations interrupts it, after up to a million small frames. Received messages of a MessageChannel count for that
 * budget too, so these use it up.
 * @see https://docs.rs/tokio/latest/tokio/task/coop/index.html
 * @see https://github.com/denoland/deno/blob/main/ext/websocket/01_websocket.js (`_eventLoop`)
 */
function yieldTurn(): void {
  hasYielded = true;
  const { port1, port2 } = new MessageChannel();
  let received = 0;
  port2.addEventListener("message", () => {
    if (++received < TOKIO_BUDGET) return;
    port1.close();
    port2.close();
  });
  port2.start();
  for (let n = 0; n < TOKIO_BUDGET; n++) port1.postMessage(null);
}
