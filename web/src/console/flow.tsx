import type { CSSProperties, ReactNode } from 'react';
import './flow.css';
import { bytes, count, ms, place, rate } from './format.ts';
import type { ConsoleDetails, ConsoleStatus, Measure, Series } from './types.ts';
import type { ConsoleState, Rates } from './use-console.ts';

interface FlowProps extends ConsoleState {
  readonly details: ConsoleDetails | undefined;
  readonly history: Series<Measure> | undefined;
}

/** The one path of the data, as it is now: what passes, where each stage stands, how far behind. */
export function Flow({ status, rates, details, history }: FlowProps) {
  const { live, clients, recordEnd } = status;
  return (
    <section className="panel flow" aria-labelledby="flow">
      <h2 id="flow" className="visually-hidden">
        The path of the data, live
      </h2>
      <ol>
        <Station name="Requests" about="HTTP" passes={rates.transactions} next="writes">
          <Big value={rate(rates.requests)} unit="/s" />
          <Facts
            of={[
              ['Half within', ms(lastOf(history, 'requestP50'))],
              ['Waiting', count(clients.waiters)],
            ]}
          />
        </Station>
        <Station
          name="Record"
          about={status.record.engine.replace('embedded ', '')}
          passes={rates.transactions}
          next="log"
        >
          <Big value={rate(rates.transactions)} unit="commits/s" />
          <Facts
            of={[
              ['Log ends at', <At key="at" position={recordEnd} />],
              ['Size', details?.record ? bytes(details.record.databaseBytes) : '–'],
            ]}
          />
        </Station>
        <Station name="Change feed" about={feedWords(live)} passes={rates.changes} next="changes">
          <Big value={rate(rates.changes)} unit="changes/s" />
          <Facts
            of={[
              ['Applied to', <At key="at" position={live.position} />],
              ['Log kept', bytes(live.slot?.retainedBytes ?? 0)],
            ]}
          />
        </Station>
        <Station name="Views" about={`in ${status.store}`} passes={rates.messages} next="pushed">
          <ViewDots status={status} />
        </Station>
        <Station name="Subscribers" about="WebSocket and SSE">
          <Big value={count(clients.subscriptions)} unit="topics" />
          <Facts
            of={[
              ['Connections', count(clients.websockets + clients.eventStreams)],
              ['Messages/s', rate(rates.messages)],
            ]}
          />
        </Station>
      </ol>
      <p className="bracket">
        <span>
          From commit to view <strong>{ms(lastOf(history, 'delayP50'))}</strong>, 99 % within{' '}
          <strong>{ms(lastOf(history, 'delayP99'))}</strong>
        </span>
      </p>
    </section>
  );
}

interface StationProps {
  readonly name: string;
  readonly about: string;
  /** A second's, on the way to the next one; nothing goes on from the last. */
  readonly passes?: Rates[keyof Rates];
  readonly next?: string;
  readonly children: ReactNode;
}

function Station({ name, about, passes, next, children }: StationProps) {
  return (
    <li className="station">
      <div className="station-card">
        <h3>{name}</h3>
        <p className="about">{about}</p>
        {children}
      </div>
      {passes !== undefined && <Pipe passes={passes} label={next!} />}
    </li>
  );
}

/** Dots on the way: the denser, the more pass in a second; none where nothing does. */
function Pipe({ passes, label }: { passes: number; label: string }) {
  const dots = passes > 0 ? Math.min(8, Math.max(1, Math.round(1 + 2 * Math.log10(passes)))) : 0;
  return (
    <div className="pipe" aria-hidden="true" data-dots={dots} style={{ '--dots': dots } as CSSProperties}>
      <span className="pipe-label">{label}</span>
      <span className="pipe-line">
        <i />
      </span>
    </div>
  );
}

function Big({ value, unit }: { value: string; unit: string }) {
  return (
    <p className="big">
      <strong>{value}</strong> {unit}
    </p>
  );
}

function Facts({ of }: { of: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl>
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A place in the log. */
function At({ position }: { position: string | null }) {
  return <code title={position ?? undefined}>{place(position)}</code>;
}

function ViewDots({ status: { live } }: { status: ConsoleStatus }) {
  return (
    <ul className="view-dots">
      {[...live.views, ...live.projections].map(({ service, name, state }) => (
        <li key={`${service}/${name}`}>
          <span className="state-dot" data-state={state} aria-hidden="true" />
          <span className="name">
            {service}/{name}
          </span>
          <span className="visually-hidden">, {state}</span>
        </li>
      ))}
    </ul>
  );
}

/** Measurements that count as now: a minute's. */
const LATELY = 12;

/** The last that was measured lately: while nothing passes there is nothing to measure. */
function lastOf(history: Series<Measure> | undefined, measure: Measure): number | null {
  return history?.series[measure].slice(-LATELY).findLast((value) => value !== null) ?? null;
}

function feedWords({ following, slot }: ConsoleStatus['live']): string {
  if (!following) return 'not connected';
  return slot?.temporary ? 'a temporary slot' : 'a durable slot';
}
