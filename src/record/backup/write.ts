import { open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { baseBackup, type Part } from './base-backup.ts';
import { MANIFEST, type ManifestFacts } from './manifest.ts';
import { readBackup } from './read.ts';
import { TAR_END, tarFile } from './tar.ts';

export interface BackupOptions {
  /** Of a PostgreSQL 15 or newer; as superuser, or with the right to replicate. */
  readonly url: string;
  /** Must not be there. Mode 0600: it holds everything, passwords too. */
  readonly file: string;
  /** Bytes of the database read so far. */
  readonly progress?: (done: number, of: number) => void;
}

export interface BackupReport extends ManifestFacts {
  readonly file: string;
  /** Of the file. */
  readonly bytes: number;
}

/**
 * Backs a running server up into one file: a tar archive, compressed by zstd, of its data directory, its log and its manifest. What
 * was committed before the call is in it, and most of what is committed meanwhile. It is read back and verified before it gets its
 * name, so that a file of that name is a whole backup.
 */
export async function writeBackup({ url, file, progress }: BackupOptions): Promise<BackupReport> {
  const partial = `${file}.partial`;
  await refuseExisting(file);
  const output = await open(partial, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST'
      ? new Error(`${partial} is there: another backup is written, or was cut short. Delete it first.`)
      : error;
  });
  try {
    const compress = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    await pipeline(archive(baseBackup(url), progress), compress, output.createWriteStream({ flush: true }));
    const facts = await readBackup({ file: partial });
    await refuseExisting(file);
    await rename(partial, file);
    await syncDirectory(dirname(file));
    return { file, bytes: (await stat(file)).size, ...facts };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function refuseExisting(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found) throw new Error(`${file} is there already; a backup replaces none. Give it another name.`);
}

/** The server's archive with the manifest as one more file. */
async function* archive(parts: AsyncIterable<Part>, progress: BackupOptions['progress']): AsyncGenerator<Buffer> {
  const manifest: Buffer[] = [];
  let held: Buffer = Buffer.alloc(0);
  for await (const part of parts) {
    if (part.kind === 'progress') progress?.(part.done, part.of);
    else if (part.kind === 'manifest') manifest.push(part.bytes);
    else {
      // The last bytes are the archive's end, which comes after the manifest.
      const bytes = Buffer.concat([held, part.bytes]);
      const keep = Math.max(0, bytes.length - TAR_END.length);
      held = bytes.subarray(keep);
      if (keep > 0) yield bytes.subarray(0, keep);
    }
  }
  if (!held.equals(TAR_END) || manifest.length === 0) throw new Error('PostgreSQL sent no whole backup');
  yield tarFile(MANIFEST, Buffer.concat(manifest));
  yield TAR_END;
}

export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
