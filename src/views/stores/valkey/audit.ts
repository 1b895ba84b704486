import { inspect, isDeepStrictEqual } from 'node:util';
import type { Position } from '../../../changes/position.ts';
import type { Drift, MemoryView, ViewQuery } from '../../view.ts';
import type { StoredView } from './view.ts';

/** Questions asked at once. */
const BLOCK = 200;
const SHOWN = 200;

export interface AuditOptions {
  readonly view: StoredView;
  readonly twin: MemoryView<ViewQuery<unknown>>;
  /** Runs work while nothing is written. */
  between<T>(work: () => Promise<T>): Promise<T>;
  /** Where the two stand. */
  at(): Position;
}

/** Where the store's answers differ from those of a state built anew; `undefined` between blocks. */
export async function* auditDrifts(options: AuditOptions): AsyncGenerator<Drift | undefined> {
  const { view, twin, between, at } = options;
  const questions = view.kind.audit(twin)[Symbol.iterator]();
  for (let last = false; !last; ) {
    const drifts = await between(async () => {
      const block: ViewQuery<unknown>[] = [];
      while (block.length < BLOCK && !last) {
        const { value, done } = questions.next();
        if (done) last = true;
        else block.push(value);
      }
      return compareBlock(options, block);
    });
    yield* drifts;
    yield undefined;
  }
  if (view.kind.partial) return;
  yield await between(async () => {
    const [inView, inRecord] = [await view.entriesAt(at()), twin.stats().entries];
    return inView === inRecord
      ? undefined
      : { what: 'number of entries', inView: String(inView), inRecord: String(inRecord) };
  });
}

async function compareBlock({ view, twin, at }: AuditOptions, block: readonly ViewQuery<unknown>[]): Promise<Drift[]> {
  const read = await view.reader.read(block, at());
  if (!read) throw new Error(`the store does not answer for ${view.name}: it lost something, or is being filled`);
  return block.flatMap((query, i) => {
    const [inView, inRecord] = [read.results[i], twin.answer(query)];
    const isHeld = inView !== undefined && inRecord !== undefined;
    return !isHeld || isDeepStrictEqual(inView, inRecord)
      ? []
      : [{ what: shown(query), inView: shown(inView), inRecord: shown(inRecord) }];
  });
}

function shown(value: unknown): string {
  const text = inspect(value, { depth: 4, breakLength: Number.POSITIVE_INFINITY, maxArrayLength: 20 });
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
