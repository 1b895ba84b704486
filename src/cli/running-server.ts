import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { controlSocketPath } from '../http/control.ts';
import { lockHolder } from '../record/directory-lock.ts';
import type { SystemStatus } from '../runtime/runtime.ts';
import { ControlClient } from './control-client.ts';
import type { Output } from './output.ts';

const PATIENCE_MS = 30_000;
const LOOK_MS = 50;
/** A server that is starting or stopping is not worth a line. */
const QUIET_MS = 1000;

/** The server that runs on a data directory. */
export interface RunningServer {
  readonly client: ControlClient;
  readonly status: SystemStatus;
}

/**
 * The server that runs on a data directory, or undefined when nobody holds it. Waits for one that is starting or stopping, and
 * for another command that holds the directory.
 */
export async function runningServer(dataDir: string, out: Output): Promise<RunningServer | undefined> {
  if (!existsSync(dataDir)) return undefined;
  const client = new ControlClient({ socketPath: controlSocketPath(dataDir) });
  for (let waited = 0; ; waited += LOOK_MS) {
    const status = await client.get<SystemStatus>('/status');
    if (status?.url) return { client, status };
    const holder = await lockHolder(dataDir);
    if (holder === undefined) return undefined;
    if (waited === QUIET_MS) out.note(`waiting for process ${holder}, which works on ${dataDir}`);
    if (waited >= PATIENCE_MS) {
      throw new Error(`process ${holder} works on ${dataDir} and serves nobody: try again when it is done, or end it`);
    }
    await sleep(LOOK_MS);
  }
}
