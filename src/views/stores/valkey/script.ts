import { readFileSync } from 'node:fs';
import type { BucketOperation, Operation } from '../../stored.ts';

/** A kind's script: constants, then the Lua files beside this one, by name. */
export function script(
  constants: Readonly<Record<string, number | boolean | string>>,
  files: readonly string[],
): string {
  const values = Object.entries(constants).map(([name, value]) => `local ${name} = ${JSON.stringify(value)}`);
  const texts = files.map((name) => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8'));
  return [...values, ...texts].join('\n');
}

/** An operation of a view that has one bucket. */
export function inOneBucket(operation: Operation): BucketOperation {
  return { bucket: 0, operation };
}
