import { useState } from 'react';
import { ConnectionState } from '../leaderboard/connection-state.tsx';
import { useTitle } from '../shell/use-title.ts';
import { BillingPanel } from './billing-panel.tsx';
import { CityMap } from './city-map.tsx';
import { DriverPanel } from './driver-panel.tsx';
import { RiderPanel } from './rider-panel.tsx';
import './taxi.css';
import type { Trip } from './trip.ts';
import { type Counts, useTrips } from './use-trips.ts';

/** Trips booked on this page that it remembers. */
const MAX_OWN = 20;

export default function TaxiPage() {
  useTitle('Taxi');
  const { trips, counts } = useTrips();
  const [own, setOwn] = useState<readonly Trip[]>([]);
  const keep = (trip: Trip) =>
    setOwn((known) => {
      const same = (each: Trip) => each.riderid === trip.riderid && each.tripinfo === trip.tripinfo;
      return known.some(same) ? known.map((each) => (same(each) ? trip : each)) : [trip, ...known].slice(0, MAX_OWN);
    });
  return (
    <div className="page taxi">
      <div className="page-head">
        <div>
          <h1>Taxi</h1>
          <ConnectionState position={undefined} changedAt={undefined} />
        </div>
        <Legend counts={counts} />
      </div>
      <div className="taxi-columns">
        <section className="panel map-panel" aria-label="Trips, live">
          <CityMap trips={trips} />
        </section>
        <div className="taxi-side">
          <RiderPanel trip={own[0]} onTrip={keep} />
          <DriverPanel trips={own} onTrip={keep} />
        </div>
      </div>
      <BillingPanel />
    </div>
  );
}

function Legend({ counts }: { readonly counts: Counts }) {
  const entries = [
    ['booked', 'Booked', counts.Booked],
    ['driving', 'On the way', counts.InProgress],
    ['done', 'Completed since you came', counts.Completed],
  ] as const;
  return (
    <ul className="trip-legend">
      {entries.map(([kind, name, count]) => (
        <li key={kind}>
          <span className="trip-dot" data-kind={kind} aria-hidden="true" />
          {name} <b>{count.toLocaleString('en')}</b>
        </li>
      ))}
    </ul>
  );
}
