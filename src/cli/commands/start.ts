import { relative } from 'node:path';
import { styleText } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import type { LiveStatus } from '../../live/live.ts';
import { embeddedUrl } from '../../record/embedded.ts';
import { type Config, redactUrl } from '../../runtime/config.ts';
import { openData } from '../../runtime/data.ts';
import { chosenServices } from '../../runtime/service.ts';
import { bytes, count, seconds } from '../format.ts';
import { createLog } from '../log.ts';
import type { Output } from '../output.ts';
import { ensurePages } from '../pages.ts';
import type { CommandContext } from '../program.ts';
import { untilBuilt } from '../ready.ts';
import { listenForStop } from '../stop-signal.ts';
import type { System } from '../system.ts';
import { version } from '../version.ts';

export function addStart(program: Command, context: CommandContext): void {
  program
    .command('start')
    .description('serve until SIGTERM or Ctrl-C (a second one forces)')
    .option('--host <address>', 'address to listen on (HOST)')
    .option('--only <services>', 'run these services alone (LOCKSTEP_ONLY)', (text) => text.split(','))
    .option('--port <port>', 'port to listen on, 0 for a free one (PORT)', port)
    .action(async (options: { host?: string; port?: number; only?: string[] }) =>
      start(await context.config(options), context),
    );
}

async function start(config: Config, { services: all, out, cwd }: CommandContext): Promise<void> {
  const services = chosenServices(all, config);
  const began = performance.now();
  const log = createLog(config.logLevel);
  const stop = listenForStop(() => process.exit(1));
  out.say(`${styleText('bold', 'Lockstep')} ${version}\n`);
  out.say(fact('record', recordText(config, cwd)));
  out.say(fact('services', services.map((service) => service.name).join(', ')));
  const data = openData({ config, log }); // PostgreSQL starts while the server's code is loaded.
  data.catch(() => {}); // `openSystem` tells.
  await ensurePages(() => out.say(fact('pages', 'being built from their sources, some seconds'))).catch((error) => {
    // The API is worth serving without pages.
    log.warn({ err: error }, 'the pages cannot be built; serving without them');
  });
  const { openSystem } = await import('../system.ts'); // Other commands need not load the server.
  const system = await openSystem({ config, services, log, listen: true, data });
  try {
    await Promise.race([tellWhenReady(system, out, stop.signal, began), stop.asked]);
    await stop.asked;
    out.say(fact('stopping', 'requests under way are answered first'));
  } finally {
    await system.stop();
  }
  out.say(fact('stopped', ''));
}

async function tellWhenReady(system: System, out: Output, stop: AbortSignal, began: number): Promise<void> {
  const live = await untilBuilt(system.live, out, stop);
  const took = seconds((performance.now() - began) / 1000);
  out.say(fact('views', viewsText(live)));
  out.say(fact('ready', `${styleText('cyan', system.url!)}  ${styleText('dim', `in ${took}`)}`));
  if (out.json) out.print({ url: system.url, pid: process.pid }, '');
}

/** One line of what is going on, its names in one column. */
function fact(name: string, text: string): string {
  return `  ${styleText('dim', name.padEnd(9))} ${text}`.trimEnd();
}

function recordText({ databaseUrl, dataDir }: Config, cwd: string): string {
  if (databaseUrl !== undefined) return `PostgreSQL at ${redactUrl(databaseUrl)}`;
  const place = relative(cwd, dataDir) || dataDir;
  if (embeddedUrl(dataDir) === undefined) return `embedded PostgreSQL, being made in ${place}, some seconds`;
  return `embedded PostgreSQL, data in ${place}`;
}

function viewsText({ views }: LiveStatus): string {
  const each = views.map(({ service, name, state, fault, entries, bytes: size }) =>
    state === 'broken'
      ? styleText('red', `${service}/${name} is broken: ${fault}`)
      : `${service}/${name}, ${count(entries)} entries in ${bytes(size)}`,
  );
  return each.join('\n            ') || 'none';
}

function port(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('Give a port: a whole number from 0 to 65535.');
}
