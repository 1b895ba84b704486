import type { BillingOverview } from '../../../services/taxi/billing.ts';
import { money } from './trip.ts';
import { useBilling } from './use-billing.ts';

/** The day's billing: what is billed and what is not, by hour, and the drivers who earned most. */
export function BillingPanel() {
  const billing = useBilling();
  return (
    <section className="panel billing" aria-label="Today's billing">
      <h2>Today's billing</h2>
      {billing && (
        <>
          <Sums billing={billing} />
          <Hours hours={billing.hours} />
          <Lines lines={billing.lines} />
        </>
      )}
    </section>
  );
}

function Sums({ billing: { completed, billed, unbilled, paid } }: { readonly billing: BillingOverview }) {
  const sums = [
    ['Completed', completed.amount, completed.trips],
    ['Billed', billed.amount, billed.trips],
    ['Not billed yet', unbilled.amount, unbilled.trips],
    ['Paid to drivers', paid, null],
  ] as const;
  return (
    <dl className="sums">
      {sums.map(([name, amount, trips]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            {money(amount)}
            {trips !== null && (
              <span className="soft">{trips === 1 ? '1 trip' : `${trips.toLocaleString('en')} trips`}</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Fares of completed trips by hour, in a plot that is 24 wide and 1 high. */
function Hours({ hours }: { readonly hours: BillingOverview['hours'] }) {
  const amounts = Array.from({ length: 24 }, (_, hour) =>
    Number(hours.find((each) => each.hour === hour)?.amount ?? 0),
  );
  const most = Math.max(...amounts);
  const now = new Date().getUTCHours();
  const bars = amounts.map((amount, hour) =>
    hour > now
      ? { hour, height: 1, text: 'still to come' }
      : { hour, height: Math.max(0.01, amount / Math.max(1, most)), text: money(amount) },
  );
  const highest = `up to ${money(most)} in an hour`;
  return (
    <figure className="hours">
      <figcaption>
        <span>Fares by hour, UTC; grey is still to come</span> <span>{highest}</span>
      </figcaption>
      <svg viewBox="0 0 24 1" preserveAspectRatio="none" role="img" aria-label={`Fares by hour: ${highest}`}>
        {bars.map(({ hour, height, text }) => (
          <rect
            key={hour}
            x={hour + 0.1}
            width={0.8}
            y={1 - height}
            height={height}
            data-coming={hour > now || undefined}
          >
            <title>{`${hour}:00: ${text}`}</title>
          </rect>
        ))}
      </svg>
      <ol aria-hidden="true">
        {[0, 3, 6, 9, 12, 15, 18, 21].map((hour) => (
          <li key={hour}>{String(hour).padStart(2, '0')}</li>
        ))}
      </ol>
    </figure>
  );
}

function Lines({ lines }: { readonly lines: BillingOverview['lines'] }) {
  if (lines.length === 0)
    return (
      <p className="soft">
        Nothing is billed today yet. It is done daily at 23:55 UTC, and by “npx lockstep taxi bill”.
      </p>
    );
  return (
    <table>
      <caption className="soft">The highest bills of the day</caption>
      <thead>
        <tr>
          <th scope="col">Driver</th>
          <th scope="col">Trips</th>
          <th scope="col">Fares</th>
          <th scope="col">Paid (80 %)</th>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={`${line.cycle} ${line.driver_id}`}>
            <th scope="row">{line.driver_name ?? `driver ${line.driver_id}`}</th>
            <td>{line.ride_count}</td>
            <td>{money(line.total_amount)}</td>
            <td>{money(line.payment)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
