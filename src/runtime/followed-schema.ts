import { RebuildNeeded } from '../changes/feed.ts';
import { ensurePublication } from '../changes/publication.ts';
import { compareFingerprints, type SchemaFingerprint, schemaFingerprint } from '../changes/schema.ts';
import { installSchemaTriggers } from '../changes/schema-triggers.ts';
import { savedFingerprint, saveFingerprint } from '../live/leader/row.ts';
import type { ServedView } from '../live/served-view.ts';
import type { PgRecord } from '../record/record.ts';

export interface FollowedSchemaOptions {
  readonly record: PgRecord;
  readonly publication: string;
  /** The tables that views and topics follow. */
  readonly tables: readonly string[];
  /** Those of the projections too, which would otherwise change the publication under the stream. */
  readonly published: readonly string[];
  /** Whether it is kept in the record, for the views that outlive this process. */
  readonly kept: boolean;
}

/** What the followed tables look like, as of the last time that the stream was prepared. */
export class FollowedSchema {
  readonly #options: FollowedSchemaOptions;
  #fingerprint: SchemaFingerprint | null = null;
  /** Whether the log itself tells of DDL. */
  #triggers = false;
  /** Tables emptied by TRUNCATE since the fingerprint was taken: their files are new, and the views know. */
  readonly #truncated = new Set<string>();

  constructor(options: FollowedSchemaOptions) {
    this.#options = options;
  }

  /** Publication and triggers in place, and what the tables look like now. */
  async prepare(): Promise<void> {
    const { record, publication, tables } = this.#options;
    await ensurePublication(record, publication, await this.#existing());
    this.#triggers = await installSchemaTriggers(record);
    this.#truncated.clear();
    this.#fingerprint = await schemaFingerprint(record, publication, tables);
  }

  /** Whether it is what was last kept. */
  async isAsKept(): Promise<boolean> {
    return (await savedFingerprint(this.#options.record)) === JSON.stringify(this.#fingerprint);
  }

  keep(): Promise<void> {
    return saveFingerprint(this.#options.record, JSON.stringify(this.#fingerprint));
  }

  has(table: string): boolean {
    return this.#fingerprint?.tables[table] !== undefined;
  }

  /** What the view needs and is not there; null where nothing lacks. */
  lacking(view: ServedView): string | null {
    for (const { table, columns = [] } of view.definition.sources) {
      const found = this.#fingerprint?.tables[table];
      if (!found) return `the view ${view.name} needs the table ${table}, which is not there`;
      const missing = columns.filter((name) => !found.columns.some((column) => column.name === name));
      if (missing.length > 0) return `the view ${view.name} needs ${table} (${missing.join(', ')}), which is not there`;
    }
    return null;
  }

  /** The stream showed a TRUNCATE of the table. */
  truncated(table: string): void {
    this.#truncated.add(table);
  }

  /**
   * Throws RebuildNeeded('schema changed') when the tables are no longer what they were. A new file of a table is excused by a
   * TRUNCATE only where the log would have told of DDL, and has not (`told`): a rewrite by ALTER TABLE gives a new file too.
   */
  async check(told: boolean): Promise<void> {
    const before = this.#fingerprint;
    if (!before) return;
    const { record, publication, tables, kept } = this.#options;
    const truncated = new Set(this.#triggers && !told ? this.#truncated : []);
    const now = await schemaFingerprint(record, publication, tables);
    const differences = compareFingerprints(before, now, truncated);
    if (differences.length > 0) throw new RebuildNeeded('schema changed', differences.join('; '));
    this.#fingerprint = now;
    for (const table of truncated) this.#truncated.delete(table);
    if (kept && truncated.size > 0) await this.keep();
  }

  /** The tables that are there: a view whose table is gone is broken, and the others go on. */
  async #existing(): Promise<string[]> {
    const { record, publication, published } = this.#options;
    const now = await schemaFingerprint(record, publication, published);
    return published.filter((table) => now.tables[table]);
  }
}
