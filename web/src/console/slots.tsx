import { bytes } from './format.ts';
import type { ConsoleDetails } from './types.ts';

interface SlotsProps {
  readonly details: ConsoleDetails | undefined;
  readonly limit: number;
}

/** What log the record keeps, for whom, and how far that is from the limit. */
export function Slots({ details, limit }: SlotsProps) {
  const slots = details?.record?.slots;
  return (
    <section className="panel" aria-labelledby="slots">
      <h2 id="slots">Slots</h2>
      <p className="soft">
        Log that the record keeps for each follower. Beyond {bytes(limit)} a slot is given back, and its views are
        rebuilt.
      </p>
      <ul className="slots">
        {slots?.map(({ name, temporary, active, retainedBytes }) => (
          <li key={name}>
            <span className="state-dot" data-state={active ? 'active' : 'idle'} aria-hidden="true" />
            <span className="name" title={name}>
              {name}
            </span>
            <strong>{bytes(retainedBytes)}</strong>
            <span className="soft">
              {temporary ? 'temporary' : 'durable'}, {active ? 'followed' : 'followed by nobody'}
            </span>
            <meter
              min={0}
              max={1}
              high={0.8}
              value={Math.min(1, retainedBytes / limit)}
              aria-label={`${name}: of the limit`}
            />
          </li>
        ))}
      </ul>
      {details && !slots && <p className="form-error">The record does not answer.</p>}
    </section>
  );
}
