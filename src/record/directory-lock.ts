import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';

/** Holds a data directory for this process. */
export interface DirectoryLock {
  /** The directory, with symbolic links resolved. */
  readonly directory: string;
  release(): Promise<void>;
}

/**
 * Holds `dataDir` (made with mode 0700 where missing) for this process, or fails with an error that names the holder. The
 * lock is a listening socket in Linux's abstract namespace: the kernel frees it at any death, so it is never stale. It
 * reaches as far as the network namespace: two containers must not share one data directory.
 */
export async function lockDirectory(dataDir: string): Promise<DirectoryLock> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const directory = realpathSync(dataDir);
  const server = await listen(directory);
  return {
    directory,
    release: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** The process that holds `dataDir`: its pid, undefined when nobody holds it, 0 when the holder does not answer. */
export function lockHolder(dataDir: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ path: lockName(realpathSync(dataDir)) });
    socket.setTimeout(500, () => socket.destroy());
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(Number(answer)));
  });
}

function lockName(directory: string): string {
  return `\0lockstep:${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
}

/** Answers every connection with the pid of this process. */
function listen(directory: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.end(String(process.pid));
    });
    server.on('error', async (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? await heldError(directory) : error);
    });
    server.listen({ path: lockName(directory) }, () => resolve(server.unref()));
  });
}

async function heldError(directory: string): Promise<Error> {
  const pid = await lockHolder(directory);
  return new Error(
    `The data directory ${directory} is in use by another Lockstep${pid ? ` (process ${pid})` : ''}. ` +
      'Stop that one first, or give this one a directory of its own with LOCKSTEP_DATA.',
  );
}
