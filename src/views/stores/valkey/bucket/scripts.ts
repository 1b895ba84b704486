import { readFileSync } from 'node:fs';
import { type Script, scriptOf } from '../wire/script.ts';

/** What is done with a bucket whatever its kind. */
export const SCRIPTS = {
  look: script('look'),
  fence: script('fence'),
  begin: script('fenced', 'begin'),
  serve: script('fenced', 'serve'),
  continue: script('fenced', 'continue'),
  sweep: script('fenced', 'sweep'),
  stamps: script('stamps'),
  /** A step without operations. */
  stamp: script('prelude', 'fenced', 'step', 'stamp'),
} as const;

/** What is done with a bucket of one kind. */
export interface KindScripts {
  readonly load: Script;
  readonly step: Script;
  readonly read: Script;
  readonly amend: Script;
}

/** The kind's own script between what comes before and after it. */
export function kindScripts(kind: string): KindScripts {
  const around = (...after: readonly string[]) => scriptOf([file('prelude'), kind, ...after.map(file)].join('\n'));
  return {
    load: around('fenced', 'operations', 'load'),
    step: around('fenced', 'step', 'operations', 'apply', 'stamp'),
    read: around('answering', 'read'),
    amend: around('answering', 'amend'),
  };
}

function script(...files: readonly string[]): Script {
  return scriptOf(files.map(file).join(''));
}

function file(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}
