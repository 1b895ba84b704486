import { Command, CommanderError } from 'commander';
import { type Config, ConfigError, loadConfig } from '../runtime/config.ts';
import { declaredSettings, type ServiceDefinition } from '../runtime/service.ts';
import { addBackup, addRestore } from './commands/backup.ts';
import { addBench } from './commands/bench.ts';
import { addConfig } from './commands/config.ts';
import { addNew } from './commands/new.ts';
import { addServices } from './commands/services.ts';
import { addStart } from './commands/start.ts';
import { addStatus } from './commands/status.ts';
import { addTest } from './commands/test.ts';
import { addUsers } from './commands/users.ts';
import { addRebuild, addVerify } from './commands/views.ts';
import { describeError, EXIT, Failed, WrongUsage } from './failure.ts';
import type { Output } from './output.ts';
import { version } from './version.ts';

export interface CommandLineOptions {
  /** All there are, the operator's own among them. */
  findServices(): Promise<readonly ServiceDefinition[]>;
  readonly out: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `lockstep.config.ts` is looked for. */
  readonly cwd: string;
}

/** What every command is given. */
export interface CommandContext extends Omit<CommandLineOptions, 'findServices'> {
  readonly services: readonly ServiceDefinition[];
  /** The effective configuration; `overrides` are options of the command. */
  config(overrides?: Partial<Config>): Promise<Config>;
  /** What is closed when the command has ended, however it did. */
  readonly opened: AsyncDisposableStack;
}

/** Runs one command line. Returns the exit code: 0 done, 1 failed or drift found, 2 wrong usage. Never throws. */
export async function runCommandLine(args: readonly string[], options: CommandLineOptions): Promise<number> {
  const { out, env } = options;
  try {
    await using opened = new AsyncDisposableStack();
    const services = await options.findServices();
    await buildProgram({ ...options, services }, opened).parseAsync(args, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
    if (error instanceof Failed) return EXIT.failed;
    out.error(describeError(error, { debug: env.LOG_LEVEL === 'debug' || env.LOG_LEVEL === 'trace' }));
    return error instanceof WrongUsage || error instanceof ConfigError ? EXIT.wrongUsage : EXIT.failed;
  }
}

type ProgramOptions = Omit<CommandContext, 'config' | 'opened'>;

function buildProgram(options: ProgramOptions, opened: AsyncDisposableStack): Command {
  const { out } = options;
  const program = new Command('lockstep')
    .description('Write once to the record; every fast view follows in lockstep.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
    .option('--json', 'print results as JSON, and nothing else')
    .option('--data <folder>', 'the data directory (LOCKSTEP_DATA)')
    .configureOutput({ writeErr: (text) => out.error(text.trimEnd()) })
    .showHelpAfterError('Run "lockstep --help" for the commands.')
    .exitOverride();
  program.hook('preAction', () => {
    out.json = program.opts<{ json?: true }>().json ?? false;
  });
  const context: CommandContext = {
    ...options,
    opened,
    config: (overrides = {}) => {
      const { data } = program.opts<{ data?: string }>();
      return loadConfig({
        ...options,
        declared: declaredSettings(options.services),
        overrides: { ...(data ? { dataDir: data } : {}), ...overrides },
      });
    },
  };
  for (const add of [addStart, addStatus, addVerify, addRebuild, addConfig, addUsers]) add(program, context);
  for (const add of [addBackup, addRestore, addServices, addNew, addTest, addBench]) add(program, context);
  return program;
}
