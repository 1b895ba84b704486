// Runs a script under Node 24, whichever Node started this one: `node bin/node24.js SCRIPT [ARG ...]`.
// Plain JavaScript on purpose: it must start on any Node from 18 on.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { restartWith } from './huge-pages.js';

const WANTED = 24;
/**
 * Halves the time to load: types are erased and functions compiled once, not at each start. Needed before the first module with
 * types, or what erases them is loaded for that one.
 */
const CACHE =
  process.env.NODE_COMPILE_CACHE ?? fileURLToPath(new URL('../node_modules/.cache/lockstep', import.meta.url));

/** The Node 24 shipped through npm for this platform, or undefined where there is none. */
function shippedNode() {
  const name = `node-${process.platform}-${process.arch}`;
  try {
    const manifest = nodeModule.createRequire(import.meta.url).resolve(`${name}/package.json`);
    const binary = join(dirname(manifest), 'bin', 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined;
  }
}

/** Runs `script` with `args`, and `env` besides, in this process when it is new enough, otherwise in a Node 24 that ends with this one. */
export async function runOnNode24(script, args, env = {}) {
  if (Number(process.versions.node.split('.')[0]) >= WANTED) {
    restartWith(env);
    nodeModule.enableCompileCache(CACHE);
    process.argv = [process.argv[0], script, ...args];
    await import(pathToFileURL(script).href);
    return;
  }
  const node = shippedNode();
  if (!node) {
    console.error(
      `Lockstep needs Node ${WANTED} and found ${process.version}. Its npm package brings one for Linux on x64 and arm64; ` +
        `here (${process.platform}-${process.arch}) install Node ${WANTED} or newer, or run "npm ci" without --omit=optional.`,
    );
    process.exit(1);
  }
  // The IPC channel closes when this process dies, even by SIGKILL; the child watches it (src/cli/stop-signal.ts).
  const child = spawn(node, [script, ...args], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, ...env, NODE_COMPILE_CACHE: CACHE, LOCKSTEP_PARENT: String(process.pid) },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const [script, ...args] = process.argv.slice(2);
  await runOnNode24(resolve(script), args);
}
