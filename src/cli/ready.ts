import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveStatus } from '../live/live.ts';
import type { Output } from './output.ts';

const LOOK_MS = 20;

/** Waits until no view is being built any more, and shows how far it is. Rejects when `signal` is aborted. */
export async function untilBuilt(live: () => LiveStatus, out: Output, signal?: AbortSignal): Promise<LiveStatus> {
  const line = out.progress('building the views');
  try {
    for (;;) {
      const status = live();
      const building = status.views.filter((view) => view.state === 'building');
      if (building.length === 0) return status;
      const { rows, of } = building[0]!.progress ?? { rows: 0, of: 0 };
      if (rows > 0) line.update(rows, of);
      await sleep(LOOK_MS, undefined, { signal });
    }
  } finally {
    line.done();
  }
}
