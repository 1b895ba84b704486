import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Drift } from '../views/view.ts';
import type { Generation } from './generation.ts';

const EXAMPLES = 100;

/**
 * Compares two states of a view that stand at one position and are fed the same stream, block by block with turns of the
 * event loop in between: nothing is stopped, and no key touched meanwhile needs a second look, since both have it. In the middle of a
 * large transaction it waits.
 */
export async function compareStates(
  served: Generation,
  anew: Generation,
): Promise<{ compared: number; drift: number; examples: Drift[] }> {
  const examples: Drift[] = [];
  let drift = 0;
  await whole(served, anew);
  for (const found of served.state.compare(anew.state)) {
    if (found && drift++ < EXAMPLES) examples.push(found);
    await nextTurn();
    await whole(served, anew);
    if (served.fault ?? anew.fault) throw (served.fault ?? anew.fault)!;
  }
  return { compared: anew.state.stats().entries, drift, examples };
}

/** Until neither is torn. */
async function whole(...states: readonly Generation[]): Promise<void> {
  while (states.some(({ torn }) => torn)) {
    if (states.some(({ abandoned }) => abandoned))
      throw new Error('the stream ended in the middle of a large transaction while states were compared');
    await sleep(10);
  }
}
