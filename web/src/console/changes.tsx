import { useRef, useState } from 'react';
import { useTopicSignals } from '../live/use-live.ts';
import { place } from './format.ts';
import type { RecentChanges } from './types.ts';

type Change = RecentChanges['changes'][number] & { readonly id: number };

const KEPT = 30;
const ALL = '*';

/** What is committed, as it is. */
export function Changes({ tables }: { tables: readonly string[] }) {
  const [table, setTable] = useState(ALL);
  const [paused, setPaused] = useState(false);
  const [{ changes, more }, setShown] = useState<{ changes: readonly Change[]; more: number }>({
    changes: [],
    more: 0,
  });
  const next = useRef(0);
  useTopicSignals<RecentChanges>(paused ? undefined : `console/changes/${table}`, (news) =>
    setShown((shown) => ({
      changes: [...news.changes.map((each) => ({ ...each, id: next.current++ })).reverse(), ...shown.changes].slice(
        0,
        KEPT,
      ),
      more: shown.more + news.more,
    })),
  );
  const choose = (chosen: string) => {
    setTable(chosen);
    setShown({ changes: [], more: 0 });
  };
  return (
    <section className="panel changes" aria-labelledby="changes">
      <header className="panel-head">
        <h2 id="changes">Changes</h2>
        <label>
          <span className="visually-hidden">Table</span>
          <select value={table} onChange={({ target }) => choose(target.value)}>
            <option value={ALL}>Every table</option>
            {tables.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <button type="button" className="button small" aria-pressed={paused} onClick={() => setPaused(!paused)}>
          {paused ? 'Go on' : 'Pause'}
        </button>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls is scrolled by keyboard too */}
      <ol className="change-list" tabIndex={0} aria-label="Newest first">
        {changes.length === 0 && (
          <li className="none">{paused ? 'Paused.' : 'What is committed from now on shows here.'}</li>
        )}
        {changes.map((change) => (
          <ChangeRow key={change.id} change={change} />
        ))}
      </ol>
      <p className="soft more">{more > 0 && `${more.toLocaleString('en')} more came at once and are not listed.`}</p>
    </section>
  );
}

function ChangeRow({ change: { op, table, key, columns, position, at } }: { change: Change }) {
  const text = (values: Readonly<Record<string, string>>) =>
    Object.entries(values).map(([name, value]) => (
      <span key={name}>
        <span className="column">{name}</span> {value}
      </span>
    ));
  return (
    <li>
      <span className="op" data-op={op}>
        {op}
      </span>
      <span className="where">
        <b>{table}</b> {text(key)}
      </span>
      <span className="when" title={`at ${place(position)}`}>
        {new Date(at).toLocaleTimeString('en-GB')}
      </span>
      <span className="columns">{text(columns)}</span>
    </li>
  );
}
