import { createHash } from 'node:crypto';

export const MANIFEST = 'backup_manifest';

/** A file as it was read. */
export interface SeenFile {
  readonly size: number;
  /** SHA-256, in hexadecimal digits. */
  readonly sum: string;
}

interface Manifest {
  readonly Files: readonly {
    readonly Path?: string;
    readonly 'Encoded-Path'?: string;
    readonly Size: number;
    readonly 'Checksum-Algorithm'?: string;
    readonly Checksum?: string;
  }[];
  readonly 'WAL-Ranges': readonly {
    readonly Timeline: number;
    readonly 'Start-LSN': string;
    readonly 'End-LSN': string;
  }[];
}

/** What a backup's manifest says of it. */
export interface ManifestFacts {
  readonly files: number;
  /** `0/3000028`: what was committed before it is in the backup. */
  readonly startLsn: string;
  readonly endLsn: string;
}

/** Bytes of a file of the log, as `initdb` makes them unless told. */
const SEGMENT = 16 * 1024 * 1024;

/**
 * Compares files with the manifest that PostgreSQL wrote of them: each there, of its size and sum, none beside them, and all of the
 * log that makes them consistent. Throws what is not so. Source: PostgreSQL's manual, "Backup Manifest Format".
 */
export function checkManifest(text: string, seen: ReadonlyMap<string, SeenFile>): ManifestFacts {
  const manifest = parseManifest(text);
  const named = new Set<string>();
  for (const file of manifest.Files) {
    const path = file.Path ?? Buffer.from(file['Encoded-Path'] ?? '', 'hex').toString();
    named.add(path);
    const found = seen.get(path);
    if (!found) throw damaged(`${path} is missing`);
    if (found.size !== file.Size) throw damaged(`${path} has ${found.size} bytes, and should have ${file.Size}`);
    if (file['Checksum-Algorithm'] !== 'SHA256' || found.sum !== file.Checksum)
      throw damaged(`${path} has another content`);
  }
  for (const path of seen.keys()) {
    if (!named.has(path) && path !== MANIFEST && !path.startsWith('pg_wal/'))
      throw damaged(`${path} does not belong to it`);
  }
  const ranges = manifest['WAL-Ranges'];
  for (const name of ranges.flatMap(segmentsOf)) {
    if (seen.get(`pg_wal/${name}`)?.size !== SEGMENT)
      throw damaged(`the log file pg_wal/${name} is missing or cut short`);
  }
  return { files: named.size, startLsn: ranges[0]!['Start-LSN'], endLsn: ranges.at(-1)!['End-LSN'] };
}

/** The sum in its last line is of all lines before. */
function parseManifest(text: string): Manifest {
  const at = text.lastIndexOf('"Manifest-Checksum"');
  const sum = /^"Manifest-Checksum":\s*"([0-9a-f]{64})"/.exec(text.slice(at))?.[1];
  if (at < 0 || sum !== createHash('sha256').update(text.slice(0, at)).digest('hex'))
    throw damaged('its manifest is not whole');
  return JSON.parse(text) as Manifest;
}

function segmentsOf(range: Manifest['WAL-Ranges'][number]): string[] {
  const first = Math.floor(lsn(range['Start-LSN']) / SEGMENT);
  const last = Math.floor((lsn(range['End-LSN']) - 1) / SEGMENT);
  return Array.from({ length: last - first + 1 }, (_, i) => segmentName(range.Timeline, first + i));
}

function segmentName(timeline: number, segment: number): string {
  const each = 2 ** 32 / SEGMENT;
  const parts = [timeline, Math.floor(segment / each), segment % each];
  return parts.map((part) => part.toString(16).toUpperCase().padStart(8, '0')).join('');
}

function lsn(text: string): number {
  const [high, low] = text.split('/').map((part) => Number.parseInt(part, 16));
  return high! * 2 ** 32 + low!;
}

function damaged(detail: string): Error {
  return new Error(`The backup is damaged: ${detail}. Use another one.`);
}
