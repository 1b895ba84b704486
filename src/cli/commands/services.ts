import type { Command } from 'commander';
import type { ServiceDefinition } from '../../runtime/service.ts';
import { inputFile } from '../input-file.ts';
import type { CommandContext } from '../program.ts';
import { RecordSession } from '../record-session.ts';

/** `lockstep <service> <command>`, as each service declares its own. */
export function addServices(program: Command, context: CommandContext): void {
  for (const service of context.services) addService(program, service, context);
}

function addService(program: Command, { name, title, commands }: ServiceDefinition, context: CommandContext): void {
  if (!commands) return;
  const session = context.opened.use(new RecordSession(context));
  let settings: Readonly<Record<string, unknown>> = {};
  const command = program
    .command(name)
    .description(title)
    .hook('preAction', async () => {
      settings = (await context.config()).services[name] ?? {};
    });
  commands(command, {
    record: () => session.record(),
    identity: () => session.identity(),
    projection: (projection) => session.projection(name, projection),
    get settings() {
      return settings;
    },
    input: inputFile,
    progress: (label, of) => context.out.progress(label, of),
    print: (value, text) => context.out.print(value, text),
  });
}
