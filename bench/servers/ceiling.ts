import { fileURLToPath } from 'node:url';
import type { HttpServer } from './http.ts';
import { startProcess } from './process.ts';

const script = fileURLToPath(new URL('../ceiling.ts', import.meta.url));

/** Fastify answering constants of the given sizes. */
export async function startCeiling(sizes: { writeBytes: number; readBytes: number; cwd: string }): Promise<HttpServer> {
  const { cwd, writeBytes, readBytes } = sizes;
  const env = { CEILING: JSON.stringify({ writeBytes, readBytes }) };
  const running = await startProcess({
    command: process.execPath,
    args: [script],
    cwd,
    env,
    ready: /listening (\d+)/,
  });
  return { ...running, name: 'constant answer', port: Number(running.match![1]), tokenOf: () => 'none' };
}
