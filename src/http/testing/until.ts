import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a condition; fails with its name after ten seconds. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 5) {
    if (waited > 10_000) throw new Error(`not in ten seconds: ${what}`);
    await delay(5);
  }
}
