import { TableScroll } from '../table-scroll.tsx';
import { count, bytes as inBytes, place } from './format.ts';
import type { ViewStatus } from './types.ts';
import { type Job, useJob } from './use-job.ts';

interface Drift {
  readonly what: string;
  readonly inView: string;
  readonly inRecord: string;
}

interface VerifyReport {
  readonly compared: number;
  readonly drift: number;
  readonly examples: readonly Drift[];
  readonly seconds: number;
}

/** What either job gives. */
type Result = Partial<VerifyReport> & { readonly entries?: number };

/** Every view: where it stands, what it holds; verified and rebuilt at the press of a button. */
export function Views({ views }: { views: readonly ViewStatus[] }) {
  return (
    <section className="panel" aria-labelledby="views">
      <h2 id="views">Views</h2>
      <TableScroll label="Every view">
        <table className="listing views">
          <thead>
            <tr>
              <th scope="col">View</th>
              <th scope="col">State</th>
              <th scope="col" className="number">
                Entries
              </th>
              <th scope="col" className="number minor">
                Memory
              </th>
              <th scope="col" className="number minor">
                Behind
              </th>
              <th scope="col" className="minor">
                Watermark
              </th>
              <th scope="col" className="number minor">
                Rebuilds
              </th>
              <th scope="col">
                <span className="visually-hidden">Do</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {views.map((view) => (
              <ViewRow key={`${view.service}/${view.name}`} view={view} />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </section>
  );
}

function ViewRow({ view }: { view: ViewStatus }) {
  const { service, kind, state, entries, bytes, lagBytes, position, rebuilds, fault } = view;
  const name = `${service}/${view.name}`;
  const [job, run] = useJob<Result>();
  const busy = job.state === 'running';
  return (
    <>
      <tr>
        <th scope="row">
          {service}/<wbr />
          {view.name} <span className="kind">{kind}</span>
        </th>
        <td>
          <span className="state">
            <span className="state-dot" data-state={state} aria-hidden="true" />
            {state}
          </span>
        </td>
        <td className="number">{count(entries)}</td>
        <td className="number minor">{inBytes(bytes)}</td>
        <td className="number minor">{inBytes(lagBytes)}</td>
        <td className="minor">
          <code title={position ?? undefined}>{place(position)}</code>
        </td>
        <td className="number minor">{count(rebuilds)}</td>
        <td className="do">
          <button type="button" className="button small" disabled={busy} onClick={() => run('verify', name)}>
            Verify<span className="visually-hidden"> {name}</span>
          </button>
          <button type="button" className="button small" disabled={busy} onClick={() => run('rebuild', name)}>
            Rebuild<span className="visually-hidden"> {name}</span>
          </button>
        </td>
      </tr>
      {(job.state !== 'idle' || fault) && (
        <tr className="outcome">
          <td colSpan={8}>
            {fault && <p className="form-error">{fault}</p>}
            <Outcome name={name} job={job} />
          </td>
        </tr>
      )}
    </>
  );
}

export function Outcome({ name, job }: { name: string; job: Job<Result> }) {
  if (job.state === 'idle') return null;
  if (job.state === 'running') {
    return <progress aria-label={`At work on ${name}`} {...(job.share !== null && { value: job.share })} max={1} />;
  }
  if (job.state === 'failed') {
    return (
      <p role="alert" className="form-error">
        {job.message}
      </p>
    );
  }
  const { compared, drift = 0, examples = [], seconds } = job.result;
  if (compared === undefined) {
    return (
      <p role="status" className="form-success">
        Built anew from the record while it served.
      </p>
    );
  }
  return (
    <>
      <p role="status" className={drift === 0 ? 'form-success' : 'form-error'}>
        {count(compared)} compared with the record in {Number(seconds!.toPrecision(2))} s:{' '}
        {drift === 0 ? 'no drift.' : `${count(drift)} differ.`}
      </p>
      {examples.length > 0 && <Examples examples={examples.slice(0, 5)} />}
    </>
  );
}

function Examples({ examples }: { examples: readonly Drift[] }) {
  return (
    <ul className="examples">
      {examples.map(({ what, inView, inRecord }) => (
        <li key={what}>
          {what}: <code>{inView}</code> in the view, <code>{inRecord}</code> in the record
        </li>
      ))}
    </ul>
  );
}
