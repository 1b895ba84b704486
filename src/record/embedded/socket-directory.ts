import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Launcher } from './account.ts';

/** The bytes of a Unix socket's path (sun_path, unix(7)), without the closing zero. */
const LONGEST_PATH = 107;
const SOCKET = '/.s.PGSQL.5432.lock';

/**
 * A directory of mode 0700 for the server's socket: `<dataDir>/socket`, or where that makes too long a path
 * `/tmp/lockstep-<hash>`.
 */
export function makeSocketDirectory(dataDir: string, launcher: Launcher): string {
  const path = socketDirectory(dataDir, tmpdir());
  try {
    mkdirSync(path, { mode: 0o700 });
    launcher.giveAway(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    claim(path, launcher);
  }
  return path;
}

export function socketDirectory(dataDir: string, temporary: string): string {
  const preferred = join(dataDir, 'socket');
  if (Buffer.byteLength(preferred + SOCKET) <= LONGEST_PATH) return preferred;
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  const short = join(temporary, `lockstep-${hash}`);
  return Buffer.byteLength(short + SOCKET) <= LONGEST_PATH ? short : join('/tmp', `lockstep-${hash}`);
}

/** Left by an earlier start. Anybody can make a directory of this name in /tmp: then it is refused. */
function claim(path: string, launcher: Launcher): void {
  const found = lstatSync(path);
  const self = process.getuid?.();
  if (!found.isDirectory() || (self !== 0 && found.uid !== self)) {
    throw new Error(
      `${path} is wanted for the embedded database's socket, but belongs to somebody else (user ${found.uid}).`,
    );
  }
  if (self === 0 && dirname(path) === tmpdir()) {
    rmSync(path, { recursive: true });
    mkdirSync(path, { mode: 0o700 });
  }
  chmodSync(path, 0o700);
  launcher.giveAway(path);
}

export function removeSocketDirectory(path: string): void {
  rmSync(path, { recursive: true, force: true });
}
