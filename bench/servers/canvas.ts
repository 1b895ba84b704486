import { fileURLToPath } from 'node:url';
import { type Running, startProcess } from './process.ts';

export interface CanvasServer extends Running {
  readonly port: number;
}

/** `ws` sending constants, or the naive canvas on a database. */
export async function startCanvas(
  name: 'ceiling' | 'naive',
  options: { cwd: string; databaseUrl?: string },
): Promise<CanvasServer> {
  const script = name === 'ceiling' ? '../canvas/ceiling.ts' : '../naive/canvas.ts';
  const running = await startProcess({
    command: process.execPath,
    args: [fileURLToPath(new URL(script, import.meta.url))],
    cwd: options.cwd,
    env: options.databaseUrl ? { DATABASE_URL: options.databaseUrl } : {},
    ready: /listening (\d+)/,
  });
  return { ...running, port: Number(running.match![1]) };
}
