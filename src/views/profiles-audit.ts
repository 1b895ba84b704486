import type { Value } from '../record/value.ts';
import type { ViewQuery } from './view.ts';

/** What `verify` asks of the profiles that a kind joins at read: rows by their keys, and how many there are. */
export type ProfilesAudit =
  | (ViewQuery<unknown> & { readonly ask: 'profiles held'; readonly ids: readonly Value[] })
  | (ViewQuery<unknown> & { readonly ask: 'profile count' });
