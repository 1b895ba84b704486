import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Running, startProcess } from './process.ts';

export interface RedisServer extends Running {
  /** Its Unix socket. */
  readonly path: string;
}

/** `redis-server` as Debian installs it, with its default persistence (snapshots), its files under `directory`. */
export async function startRedis(directory: string): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', path, '--dir', directory];
  const running = await startProcess({
    command: 'redis-server',
    args,
    cwd: directory,
    ready: /ready to accept connections/i,
  });
  return { ...running, path };
}
