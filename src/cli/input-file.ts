import { open } from 'node:fs/promises';

/** A file's bytes, as they are read. */
export interface InputFile {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes; of standard input nobody knows. */
  readonly size?: number;
}

const BLOCK_BYTES = 1 << 18;

/** The file that the command line names; `-` is standard input. */
export async function inputFile(file: string): Promise<InputFile> {
  if (file === '-') return { chunks: process.stdin };
  const handle = await open(file).catch((cause) => {
    throw new Error(`cannot read ${file}: give the path of a readable file`, { cause });
  });
  const found = await handle.stat();
  if (!found.isDirectory())
    return { chunks: handle.createReadStream({ highWaterMark: BLOCK_BYTES }), size: found.size };
  await handle.close();
  throw new Error(`cannot read ${file}: it is a folder; give the path of a file, or "-" for standard input`);
}
