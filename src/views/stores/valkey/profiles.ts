import type { Change } from '../../../changes/change.ts';
import type { Row } from '../../../record/value.ts';
import type { ProfilesAudit } from '../../profiles-audit.ts';
import type { Operation, StoredRead } from '../../stored.ts';
import { rowFrom, rowText, valueText } from './row-text.ts';

/** Rows of a small table by their key, whole: what is joined at read. See `profiles.lua`. */
export class StoredProfiles {
  readonly #id: string;
  readonly #columns: readonly string[];

  constructor(options: { readonly id: string; readonly keep: readonly string[] }) {
    this.#id = options.id;
    this.#columns = [options.id, ...options.keep];
  }

  changed(change: Change): Operation {
    if (change.op === 'truncate') return ['truncate_profiles'];
    if (change.op === 'delete') return ['delete_profile', valueText(change.before[this.#id])];
    return this.put(change.before, change.after);
  }

  put(before: Row | null, after: Row): Operation {
    const id = this.#id;
    return ['profile', valueText((before ?? after)[id]), valueText(after[id]), rowText(after, this.#columns)];
  }

  /** The row of a reply, null where there is none (an empty text). */
  rowOf(text: string): Row | null {
    return text === '' ? null : rowFrom(text, this.#columns)!;
  }

  audit(query: ProfilesAudit): Omit<StoredRead, 'bucket'> {
    if (query.ask === 'profile count') return { name: 'profile_count', args: [] };
    return { name: 'profiles', args: query.ids.map(valueText) };
  }

  audited(query: ProfilesAudit, reply: unknown): unknown {
    if (query.ask === 'profile count') return Number(reply);
    return (reply as string[]).map((text) => (text === '' ? null : (rowFrom(text, this.#columns) ?? 'not known')));
  }
}
