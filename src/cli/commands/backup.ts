import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { styleText } from 'node:util';
import { type Command, InvalidArgumentError } from 'commander';
import type { BackupReport } from '../../record/backup/write.ts';
import { embeddedUrl, startEmbedded } from '../../record/embedded.ts';
import type { Config } from '../../runtime/config.ts';
import { WrongUsage } from '../failure.ts';
import { bytes, count } from '../format.ts';
import { commandLog } from '../log.ts';
import type { Output } from '../output.ts';
import type { CommandContext } from '../program.ts';
import { runningServer } from '../running-server.ts';

const MB = 1e6;

export function addBackup(program: Command, context: CommandContext): void {
  program
    .command('backup')
    .argument('[file]', 'where to; a folder gets a file named after the time', fileName)
    .description('back the embedded database up into one file, while it serves or not')
    .action(async (file?: string) => {
      const config = await context.config();
      refuseOwn(config, 'back it up');
      const report = await backUp(config, context, target(resolve(context.cwd, file ?? '.')));
      context.out.print(report, backupText(report));
    });
}

export function addRestore(program: Command, context: CommandContext): void {
  program
    .command('restore')
    .argument('<file>', 'made by "lockstep backup"', fileName)
    .option('--check', 'read and verify the backup, and restore nothing')
    .description('make the embedded database from a backup, in an empty data directory')
    .action(async (name: string, { check = false }: { check?: boolean }) => {
      const config = await context.config();
      const file = resolve(context.cwd, name);
      if (!check) refuseOwn(config, 'restore it');
      const restored = await (check ? verify(file, context.out) : restore(file, config, context.out));
      context.out.print(restored, restoreText(restored));
    });
}

/** Of the server that runs, or of one started for as long as it takes. */
async function backUp(config: Config, { out, opened }: CommandContext, file: string): Promise<BackupReport> {
  const url = embeddedUrl(config.dataDir);
  if (url === undefined) throw new Error(`There is no embedded database in ${config.dataDir} to back up.`);
  if (!(await runningServer(config.dataDir, out))) {
    const postgres = await startEmbedded({ dataDir: config.dataDir, log: commandLog(config.logLevel) });
    opened.defer(() => postgres.stop());
  }
  const { writeBackup } = await import('../../record/backup/write.ts');
  return withProgress(out, 'backing up (MB)', (progress) => writeBackup({ url, file, progress }));
}

async function restore(file: string, { dataDir, logLevel }: Config, out: Output) {
  const { restoreBackup } = await import('../../record/backup/restore.ts');
  const log = commandLog(logLevel);
  return withProgress(out, 'restoring (MB)', (progress) => restoreBackup({ file, dataDir, log, progress }));
}

async function verify(file: string, out: Output) {
  const { readBackup } = await import('../../record/backup/read.ts');
  return withProgress(out, 'verifying (MB)', (progress) => readBackup({ file, progress }));
}

async function withProgress<T>(
  out: Output,
  label: string,
  work: (progress: (done: number, of: number) => void) => Promise<T>,
): Promise<T> {
  const line = out.progress(label);
  try {
    return await work((done, of) => line.update(Math.round(done / MB), Math.round(of / MB)));
  } finally {
    line.done();
  }
}

/** `2026-11-21T10-15-00` sorts by time, and is a file's name everywhere. */
function target(path: string): string {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
  return join(path, `lockstep-${time}.tar.zst`);
}

function refuseOwn({ databaseUrl }: Config, what: string): void {
  if (databaseUrl === undefined) return;
  throw new WrongUsage(
    `DATABASE_URL names a PostgreSQL of your own: ${what} with its own tools (pg_basebackup, pg_dump, or its provider's). ` +
      'This command is for the embedded database; unset DATABASE_URL to use it.',
  );
}

function fileName(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Give the name of a file.');
  return text;
}

export function backupText({ file, bytes: size, files, endLsn }: BackupReport): string {
  return `${styleText('green', '✔')} ${file}  ${bytes(size)}, ${count(files)} files verified  ${styleText('dim', `at ${endLsn}`)}`;
}

type Restored = Awaited<ReturnType<typeof restore>> | Awaited<ReturnType<typeof verify>>;

export function restoreText(restored: Restored): string {
  const verified = `${styleText('green', '✔')} ${count(restored.files)} files verified`;
  const at = styleText('dim', `at ${restored.endLsn}`);
  return 'dataDir' in restored ? `${verified} and restored into ${restored.dataDir}  ${at}` : `${verified}  ${at}`;
}
