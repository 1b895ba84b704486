import { controlSocketPath } from '../http/control.ts';
import { chosenServices } from '../runtime/service.ts';
import { ControlClient } from './control-client.ts';
import { commandLog } from './log.ts';
import type { CommandContext } from './program.ts';
import { untilBuilt } from './ready.ts';
import { runningServer } from './running-server.ts';
import { listenForStop } from './stop-signal.ts';

/**
 * Works through the control socket of the running server or, where none runs, of a system that is opened, and its views built,
 * for as long as the work lasts.
 */
export async function withControl(
  context: CommandContext,
  work: (control: ControlClient) => Promise<void>,
): Promise<void> {
  const { out } = context;
  const config = await context.config();
  const services = chosenServices(context.services, config);
  const server = await runningServer(config.dataDir, out);
  if (server) return work(server.client);
  const { openSystem } = await import('./system.ts'); // Costs more to load than a running server takes to answer.
  const stop = listenForStop(() => process.exit(1));
  const system = await openSystem({ config, services, log: commandLog(config.logLevel), listen: false });
  try {
    await untilBuilt(system.live, out, stop.signal);
    await Promise.race([
      work(new ControlClient({ socketPath: controlSocketPath(config.dataDir) })),
      refused(stop.asked),
    ]);
  } finally {
    await system.stop();
  }
}

async function refused(asked: Promise<void>): Promise<never> {
  await asked;
  throw new Error('stopped before it was done');
}
