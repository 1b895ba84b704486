import { styleText } from 'node:util';
import type { Command } from 'commander';
import { embeddedUrl } from '../../record/embedded.ts';
import { type Config, type ConfigLine, describe, redactUrl } from '../../runtime/config.ts';
import { WrongUsage } from '../failure.ts';
import type { CommandContext } from '../program.ts';
import { table } from '../table.ts';

export function addConfig(program: Command, context: CommandContext): void {
  program
    .command('config')
    .argument('[option]', 'only the value of this one, such as databaseUrl or DATABASE_URL')
    .description('print the effective configuration, and where each value comes from')
    .option('--show-secrets', 'with passwords: databaseUrl as any SQL client takes it')
    .action(async (wanted: string | undefined, { showSecrets = false }: { showSecrets?: boolean }) => {
      const lines = configLines(await context.config(), showSecrets);
      if (wanted === undefined) return context.out.print(lines, configText(lines));
      const { value } = oneOf(lines, wanted);
      context.out.print(value ?? null, typeof value === 'string' ? value : JSON.stringify(value ?? null));
    });
}

function oneOf(lines: readonly ConfigLine[], wanted: string): ConfigLine {
  const line = lines.find(({ name, env }) => name === wanted || env === wanted);
  if (line) return line;
  throw new WrongUsage(`There is no option "${wanted}"; there are ${lines.map(({ name }) => name).join(', ')}.`);
}

/** As `describe`, with the embedded database's URL where no other is set. */
function configLines(config: Config, showSecrets: boolean): ConfigLine[] {
  const embedded = config.databaseUrl === undefined ? embeddedUrl(config.dataDir) : undefined;
  return describe(config, { showSecrets }).map((line) =>
    line.name === 'databaseUrl' && embedded !== undefined
      ? { ...line, value: showSecrets ? embedded : redactUrl(embedded) }
      : line,
  );
}

function configText(lines: readonly ConfigLine[]): string {
  return table(lines, [
    { heading: 'option', of: (line) => line.name },
    { heading: 'variable', of: (line) => line.env },
    { heading: 'from', of: (line) => styleText(line.source === 'default' ? 'dim' : 'cyan', line.source) },
    { heading: 'value', of: valueText },
  ]);
}

function valueText({ value, about }: ConfigLine): string {
  if (value === undefined) return styleText('dim', `(${about})`);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
