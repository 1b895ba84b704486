/** The format that PostgreSQL sends its files in. Source: POSIX.1-2008, pax, "ustar Interchange Format". */
const BLOCK = 512;
/** Two blocks of zeros. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

export interface TarEntry {
  /** With `/` between its parts; never absolute, never upwards. */
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

export interface TarSink {
  /** Each entry begins, gets its content in pieces, and ends. */
  begin(entry: TarEntry): void | Promise<void>;
  data(bytes: Buffer): void | Promise<void>;
  end(): void | Promise<void>;
}

/** Reads an archive as it comes. Throws for one that is cut short, damaged, or holds what is neither file nor directory. */
export async function readTar(chunks: AsyncIterable<Buffer>, sink: TarSink): Promise<void> {
  let waiting: Buffer = Buffer.alloc(0);
  /** Bytes of the entry's content, and then of its padding, that are still to come. */
  let content = 0;
  let padding = 0;
  let ended = false;
  for await (const chunk of chunks) {
    let bytes = waiting.length > 0 ? Buffer.concat([waiting, chunk]) : chunk;
    while (!ended) {
      if (content > 0) {
        const piece = bytes.subarray(0, content);
        if (piece.length === 0) break;
        await sink.data(piece);
        content -= piece.length;
        bytes = bytes.subarray(piece.length);
        if (content === 0) await sink.end();
      } else if (padding > 0) {
        const skipped = Math.min(padding, bytes.length);
        if (skipped === 0) break;
        padding -= skipped;
        bytes = bytes.subarray(skipped);
      } else {
        if (bytes.length < BLOCK) break;
        const entry = parseHeader(bytes.subarray(0, BLOCK));
        bytes = bytes.subarray(BLOCK);
        ended = entry === null;
        if (!entry) break;
        await sink.begin(entry);
        content = entry.size;
        padding = padded(entry.size) - entry.size;
        if (content === 0) await sink.end();
      }
    }
    waiting = ended ? waiting : bytes;
  }
  if (!ended) throw new Error('the archive ends in the middle: it is not whole');
}

/** An entry of one file. */
export function tarFile(path: string, content: Buffer): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  header.write(path, 0, 100, 'utf8');
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(Math.floor(Date.now() / 1000), 136, 12);
  header.write('0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${checksum(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc(padded(content.length) - content.length)]);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** Null at the archive's end. */
function parseHeader(header: Buffer): TarEntry | null {
  if (header.every((byte) => byte === 0)) return null;
  if (numberAt(header, 148, 8) !== checksum(header)) throw new Error('the archive is damaged, or is none');
  const prefix = textAt(header, 345, 155);
  const path = `${prefix ? `${prefix}/` : ''}${textAt(header, 0, 100)}`.replace(/^\.\//, '').replace(/\/$/, '');
  const type = String.fromCharCode(header[156]!);
  if (type !== '5' && type !== '0' && type !== '\0')
    throw new Error(`${path} in the archive is no file (type ${type})`);
  if (path.startsWith('/') || path.split('/').includes('..'))
    throw new Error(`the archive names a path outside: ${path}`);
  const kind = type === '5' ? 'directory' : 'file';
  return { path, kind, mode: numberAt(header, 100, 8), size: kind === 'file' ? numberAt(header, 124, 12) : 0 };
}

/** The sum of the header's bytes with the sum itself taken as blanks. */
function checksum(header: Buffer): number {
  let sum = 8 * 32;
  for (let i = 0; i < BLOCK; i++) if (i < 148 || i >= 156) sum += header[i]!;
  return sum;
}

function textAt(header: Buffer, at: number, length: number): string {
  const field = header.subarray(at, at + length);
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? length : end);
}

/** Octal digits, or with the first bit set a number in base 256 (8 GiB and more). */
function numberAt(header: Buffer, at: number, length: number): number {
  if (header[at]! & 0x80) return header.readUIntBE(at + length - 6, 6);
  return Number.parseInt(textAt(header, at, length).trim(), 8);
}
