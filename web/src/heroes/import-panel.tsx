import { type DragEvent, useState } from 'react';

interface ImportPanelProps {
  readonly onImported: () => void;
}

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'sending'; readonly name: string; readonly share: number }
  | { readonly kind: 'done'; readonly text: string }
  | { readonly kind: 'failed'; readonly text: string };

/** Loads a CSV file that is dropped on it or chosen. */
export function ImportPanel({ onImported }: ImportPanelProps) {
  const [state, setState] = useState<State>({ kind: 'idle' });
  const [over, setOver] = useState(false);
  const load = async (file: File | null | undefined) => {
    if (!file || state.kind === 'sending') return;
    setState({ kind: 'sending', name: file.name, share: 0 });
    const ended = await upload(file, (share) => setState({ kind: 'sending', name: file.name, share }));
    setState(ended);
    if (ended.kind === 'done') onImported();
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    load(event.dataTransfer.files[0]);
  };
  return (
    <section className="panel" aria-labelledby="import">
      <h2 id="import">Import</h2>
      <p className="soft">
        A CSV file of <code>id,hero,power,name,xp,color</code>: all of it, or nothing and the first bad line.
      </p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: dropping is a way more; the button within does the same */}
      <div
        className="drop"
        data-over={over || undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <label>
          <input
            type="file"
            accept=".csv,text/csv"
            className="visually-hidden"
            onChange={(event) => {
              load(event.currentTarget.files?.[0]);
              event.currentTarget.value = '';
            }}
          />
          <span className="button">Choose a file</span>
        </label>
        <span className="soft">or drop it here</span>
      </div>
      {state.kind === 'sending' && (
        <progress aria-label={`Importing ${state.name}`} {...(state.share < 1 && { value: state.share })} max={1} />
      )}
      {state.kind === 'failed' && (
        <p role="alert" className="form-error">
          {state.text}
        </p>
      )}
      <p role="status" className={state.kind === 'done' ? 'form-success' : undefined}>
        {state.kind === 'done' && state.text}
      </p>
    </section>
  );
}

/** `fetch` does not tell how far it is. */
function upload(file: File, progress: (share: number) => void): Promise<State> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', '/heroes/import');
    request.setRequestHeader('Content-Type', 'text/csv');
    request.responseType = 'json';
    request.upload.onprogress = ({ loaded, total }) => progress(loaded / total);
    request.onerror = () =>
      resolve({ kind: 'failed', text: 'The server does not answer. Check the connection and try again.' });
    request.onload = () => resolve(ended(request.status, request.response));
    request.send(file);
  });
}

function ended(status: number, body: { heroes?: number; seconds?: number; message?: string } | null): State {
  if (status !== 200) return { kind: 'failed', text: body?.message ?? `The server answered ${status}.` };
  const heroes = (body?.heroes ?? 0).toLocaleString('en');
  return { kind: 'done', text: `${heroes} heroes in ${body?.seconds?.toFixed(1)} s.` };
}
