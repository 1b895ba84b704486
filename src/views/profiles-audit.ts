import type { Value } from '../record/value.ts';
import type { ViewQuery } from './view.ts';

/** What `verify` asks of the profiles that a kind joins at read: rows by their keys, and how many there are. */
export type ProfilesAudit =
  | (ViewQuery<unknown> & { readonly ask: 'profiles held'; readonly ids: readonly Value[] })
  | (ViewQuery<unknown> & { readonly ask: 'profile count' });

const BLOCK = 200;

/** In blocks of what one question asks for. */
export function* blocks<T>(all: Iterable<T>): Generator<T[]> {
  let block: T[] = [];
  for (const each of all) {
    if (block.push(each) < BLOCK) continue;
    yield block;
    block = [];
  }
  if (block.length > 0) yield block;
}
