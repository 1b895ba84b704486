import { useCallback, useEffect, useState } from 'react';
import { client, messageFor } from '../client.ts';
import { Segments } from '../form/segments.tsx';
import { useTitle } from '../shell/use-title.ts';
import { type Hero, SOURCES, type Source } from './hero.ts';
import { HeroForm } from './hero-form.tsx';
import { HeroTable } from './hero-table.tsx';
import './heroes.css';
import { ImportPanel } from './import-panel.tsx';
import { LatencyPanel } from './latency-panel.tsx';
import { Strategies } from './strategies.tsx';
import { useProbe } from './use-probe.ts';

const PAGE = 12;
/** Before every id. */
const START = -2_147_483_649;

export default function HeroesPage() {
  useTitle('Heroes');
  const [source, setSource] = useState<Source>('cache');
  const [running, setRunning] = useState(true);
  const [after, setAfter] = useState(START);
  const { heroes, error, reload } = useHeroes(after);
  const [edited, setEdited] = useState<Hero | null>(null);
  const probe = useProbe(heroes, running);
  const edit = (hero: Hero) => {
    setEdited(hero);
    setAfter((known) => (heroes?.some(({ id }) => id === hero.id) ? known : hero.id - 1));
  };
  return (
    <div className="page heroes">
      <div className="page-head">
        <div>
          <h1>Heroes</h1>
          <p className="lead-in">A table in PostgreSQL, and a cache of it that is never stale.</p>
        </div>
        <Segments name="source" label="The cache" choices={SOURCES} value={source} onChange={setSource} />
      </div>
      <div className="heroes-grid">
        <div className="column">
          {error && (
            <p role="alert" className="form-error">
              {error}
            </p>
          )}
          <HeroTable
            heroes={heroes}
            source={source}
            edited={edited?.id}
            onEdit={setEdited}
            onFound={edit}
            first={after === START}
            last={!heroes || heroes.length < PAGE}
            onPage={(page) => setAfter(page === 'first' || !heroes ? START : heroes.at(-1)!.id)}
          />
          <ImportPanel onImported={reload} />
        </div>
        <div className="column">
          <LatencyPanel probe={probe} running={running} onRun={setRunning} />
          <HeroForm hero={edited} source={source} onSaved={reload} onCancel={() => setEdited(null)} />
        </div>
      </div>
      <Strategies report={probe.report} />
    </div>
  );
}

function useHeroes(after: number) {
  const [state, setState] = useState<{ heroes?: readonly Hero[]; error?: string }>({});
  const [asked, setAsked] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for again
  useEffect(() => {
    const leaving = new AbortController();
    client.send<Hero[]>('GET /heroes/list', { query: { after, limit: PAGE }, signal: leaving.signal }).then(
      ({ body }) => setState({ heroes: body }),
      (error) => leaving.signal.aborted || setState((before) => ({ ...before, error: messageFor(error) })),
    );
    return () => leaving.abort();
  }, [after, asked]);
  const reload = useCallback(() => setAsked((times) => times + 1), []);
  return { ...state, reload };
}
