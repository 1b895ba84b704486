import { useState } from 'react';
import { Segments } from '../form/segments.tsx';

const SPANS = [
  ['hour', 'Last hour'],
  ['day', 'Last day'],
  ['all', 'All of it'],
] as const;
type Span = (typeof SPANS)[number][0];

const MILLIS = { hour: 3600_000, day: 86_400_000 };

/** How the canvas came about: an animated picture, made from the history when it is asked for. */
export function Timelapse() {
  const [span, setSpan] = useState<Span>('hour');
  const [source, setSource] = useState<string | null>(null);
  const [state, setState] = useState<'idle' | 'loading' | 'playing' | 'failed'>('idle');
  const play = () => {
    const to = new Date();
    const from = span === 'all' ? '' : `&from=${new Date(to.getTime() - MILLIS[span]).toISOString()}`;
    setState('loading');
    setSource(`/scribble/timelapse?to=${to.toISOString()}${from}&frames=90&frameMs=80`);
  };
  return (
    <section className="timelapse" aria-labelledby="timelapse">
      <div className="timelapse-head">
        <h2 id="timelapse">Time-lapse</h2>
        <Segments name="span" label="Time" choices={SPANS} value={span} onChange={setSpan} />
        <button type="button" className="button" onClick={play} disabled={state === 'loading'}>
          {state === 'loading' ? 'Making it…' : state === 'playing' ? 'Play again' : 'Play'}
        </button>
      </div>
      <p className="soft" role="status">
        {state === 'failed'
          ? 'It could not be made. Try again, or a shorter time.'
          : 'Played from the recorded points.'}
      </p>
      {source && state !== 'failed' && (
        <img
          key={source}
          className="film"
          src={source}
          alt={`The canvas as it was drawn: ${SPANS.find(([name]) => name === span)![1].toLowerCase()}`}
          onLoad={() => setState('playing')}
          onError={() => setState('failed')}
        />
      )}
    </section>
  );
}
