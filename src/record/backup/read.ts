import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createZstdDecompress } from 'node:zlib';
import { checkManifest, MANIFEST, type ManifestFacts, type SeenFile } from './manifest.ts';
import { readTar, type TarEntry, type TarSink } from './tar.ts';

export interface ReadOptions {
  readonly file: string;
  /** What to do with the files, beside verifying them. */
  readonly sink?: TarSink;
  /** Bytes of the backup's file. */
  readonly progress?: (done: number, of: number) => void;
}

/** Reads a whole backup and verifies it. Throws what is wrong with it. */
export async function readBackup({ file, sink, progress }: ReadOptions): Promise<ManifestFacts> {
  const { size } = await stat(file);
  const verifier = new Verifier(sink);
  const input = createReadStream(file);
  try {
    await pipeline(input, createZstdDecompress(), async (chunks) => {
      await readTar(
        told(chunks, () => progress?.(input.bytesRead, size)),
        verifier,
      );
    });
  } catch (error) {
    throw isFormat(error)
      ? new Error(`${file} is no whole backup of Lockstep: ${(error as Error).message}`, { cause: error })
      : error;
  }
  return checkManifest(verifier.manifest, verifier.seen);
}

/** The codes of Node's zlib for what is no zstd, or is cut short. */
function isFormat(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException;
  return code.startsWith('ZSTD_error') || code === 'Z_BUF_ERROR' || code === 'ERR_ZSTD_INVALID_PARAM';
}

async function* told(chunks: AsyncIterable<Buffer>, tell: () => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    tell();
    yield chunk;
  }
}

/** Sums up what passes by. */
class Verifier implements TarSink {
  readonly seen = new Map<string, SeenFile>();
  manifest = '';
  readonly #next: TarSink | undefined;
  #entry: TarEntry | undefined;
  #hash: Hash | undefined;

  constructor(next: TarSink | undefined) {
    this.#next = next;
  }

  begin(entry: TarEntry): void | Promise<void> {
    this.#entry = entry;
    this.#hash = createHash('sha256');
    return this.#next?.begin(entry);
  }

  data(bytes: Buffer): void | Promise<void> {
    this.#hash!.update(bytes);
    if (this.#entry!.path === MANIFEST) this.manifest += bytes.toString('latin1');
    return this.#next?.data(bytes);
  }

  end(): void | Promise<void> {
    const { path, kind, size } = this.#entry!;
    if (kind === 'file') this.seen.set(path, { size, sum: this.#hash!.digest('hex') });
    return this.#next?.end();
  }
}
