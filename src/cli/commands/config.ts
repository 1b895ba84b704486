import { styleText } from 'node:util';
import type { Command } from 'commander';
import { embeddedUrl } from '../../record/embedded.ts';
import { type Config, type ConfigLine, describe, redactUrl } from '../../runtime/config.ts';
import type { CommandContext } from '../program.ts';
import { table } from '../table.ts';

export function addConfig(program: Command, context: CommandContext): void {
  program
    .command('config')
    .description('print the effective configuration, and where each value comes from')
    .option('--show-secrets', 'with passwords: DATABASE_URL as any SQL client takes it')
    .action(async ({ showSecrets = false }: { showSecrets?: boolean }) => {
      const lines = configLines(await context.config(), showSecrets);
      context.out.print(lines, configText(lines));
    });
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
