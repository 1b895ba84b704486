import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Findings } from './findings.ts';

/** What one part found when it was last measured in full, and on what. */
export interface StoredPart {
  readonly name: string;
  readonly title: string;
  readonly machine: readonly (readonly [name: string, value: string])[];
  readonly findings: Findings;
}

const FILE = join(import.meta.dirname, '../results.json');

/** The parts measured so far. */
export function storedParts(): StoredPart[] {
  return existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as StoredPart[]) : [];
}

/** Puts a part in place of what was stored of it. */
export function storePart(part: StoredPart): void {
  const others = storedParts().filter(({ name }) => name !== part.name);
  writeFileSync(FILE, `${JSON.stringify([...others, part], undefined, 1)}\n`);
}
