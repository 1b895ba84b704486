import { setImmediate } from 'node:timers/promises';

/** Milliseconds of work before the turn is handed back: short enough for other requests to go on. */
const TURN = 10;

/** Does the work to its end, handing the turn back where it yields, about every 10 ms. */
export async function inTurns(work: Iterator<void>): Promise<void> {
  let until = performance.now() + TURN;
  while (!work.next().done) {
    if (performance.now() < until) continue;
    await setImmediate();
    until = performance.now() + TURN;
  }
}
