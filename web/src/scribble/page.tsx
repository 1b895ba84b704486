import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useTitle } from '../shell/use-title.ts';
import { CanvasClient, type CanvasState } from './canvas-client.ts';
import { Easel, type EaselHandle } from './easel.tsx';
import type { Tool } from './gestures.ts';
import './scribble.css';
import '../live/connection.css';
import { Timelapse } from './timelapse.tsx';
import { Tools } from './tools.tsx';

const client = new CanvasClient();
const subscribe = (listener: () => void) => client.subscribe(listener);

export default function ScribblePage() {
  useTitle('Scribble');
  useEffect(() => client.start(), []);
  const [tool, setTool] = useState<Tool>({ code: 1, brush: 3 });
  const state = useSyncExternalStore(subscribe, () => client.state);
  const easel = useRef<EaselHandle>(null);
  return (
    <div className="page scribble">
      <div className="page-head">
        <div>
          <h1>Scribble</h1>
          <State state={state} />
        </div>
        <Here state={state} />
      </div>
      <div className="studio">
        <Easel client={client} tool={tool} handle={easel} />
        <div className="zoom">
          <ZoomButton name="Zoom in" path="M12 5v14M5 12h14" onClick={() => easel.current?.zoom(1.6)} />
          <ZoomButton name="Zoom out" path="M5 12h14" onClick={() => easel.current?.zoom(1 / 1.6)} />
          <ZoomButton
            name="Show all of it"
            path="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"
            onClick={() => easel.current?.fit()}
          />
        </div>
        {state.blank && <p className="invitation">Nothing here yet. Draw the first line.</p>}
        {state.refusal && (
          <p className="refusal" role="alert">
            {state.refusal}
          </p>
        )}
      </div>
      <Tools tool={tool} onChange={setTool} />
      <Timelapse />
    </div>
  );
}

const WORDS = { connecting: 'Connecting', live: 'Live', offline: 'Reconnecting', refused: 'Not let in' } as const;

/** Whether the canvas is live, and whether every stroke is in the record. */
function State({ state: { connection, unstored } }: { state: CanvasState }) {
  return (
    <div className="connection" data-state={connection} data-unstored={unstored}>
      <span role="status">
        <span className="dot" aria-hidden="true" />
        {WORDS[connection]}
      </span>
      {unstored > 0 && connection !== 'live' && <span>{unstored.toLocaleString('en')} points wait here</span>}
    </div>
  );
}

function Here({ state: { here } }: { state: CanvasState }) {
  if (here.count === 0) return null;
  if (here.count === 1) return <p className="here soft">You are here alone</p>;
  const shown = here.names.slice(0, 4);
  const others = here.count - shown.length;
  const rest = others > 0 ? `${others} ${shown.length > 0 ? 'more' : others === 1 ? 'guest' : 'guests'}` : '';
  return (
    <p className="here">
      <span className="soft">Here now</span> {[...shown, rest].filter(Boolean).join(', ')}
    </p>
  );
}

function ZoomButton({ name, path, onClick }: { name: string; path: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label={name} title={name} onClick={onClick}>
      <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <path d={path} />
      </svg>
    </button>
  );
}
