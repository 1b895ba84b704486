/** What one reader or writer saw or did, in its own order. */
export interface Event {
  readonly who: string;
  readonly kind: 'read' | 'write';
  readonly id: number;
  /** Each write of a row has a higher one than the write before. */
  readonly version: number;
  /** Of a read: how it was asked for, and what the answer said of itself. For who looks into a violation. */
  readonly cached?: boolean;
  readonly source?: string;
  readonly position?: string;
}

/** A read that a reader must not have been given. */
export interface Violation {
  readonly event: Event;
  /** What the reader knew before. */
  readonly known: number;
  readonly rule: 'older than its own last write' | 'older than what it saw before';
}

/** Looks through a whole history, in the order of each party's own steps, for reads that go back in time. */
export function violations(history: readonly Event[]): Violation[] {
  const known = new Map<string, { version: number; rule: Violation['rule'] }>();
  const found: Violation[] = [];
  for (const event of history) {
    const name = `${event.who} ${event.id}`;
    const before = known.get(name);
    if (event.kind === 'read' && before && event.version < before.version)
      found.push({ event, known: before.version, rule: before.rule });
    if (before && event.version <= before.version) continue;
    const rule = event.kind === 'write' ? 'older than its own last write' : 'older than what it saw before';
    known.set(name, { version: event.version, rule });
  }
  return found;
}
