import { useState } from 'react';
import { messageFor } from '../client.ts';
import { step, type Trip } from './trip.ts';

const STEPS = {
  Booked: { call: 'driveraccept', label: 'Accept the trip' },
  InProgress: { call: 'drivercomplete', label: 'Complete the trip' },
} as const;

/** Accepts and completes the trips that were booked on this page. */
export function DriverPanel({ trips, onTrip }: { readonly trips: readonly Trip[]; onTrip(trip: Trip): void }) {
  const open = trips.filter(({ STATUS }) => STATUS in STEPS);
  return (
    <section className="panel" aria-label="Driver">
      <h2>Driver</h2>
      {open.length === 0 ? (
        <p className="soft">Trips that are booked here wait here for a driver.</p>
      ) : (
        <ul className="open-trips">
          {open.map((trip) => (
            <OpenTrip key={trip.riderid + trip.tripinfo} trip={trip} onTrip={onTrip} />
          ))}
        </ul>
      )}
    </section>
  );
}

function OpenTrip({ trip, onTrip }: { readonly trip: Trip; onTrip(trip: Trip): void }) {
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const { call, label } = STEPS[trip.STATUS as keyof typeof STEPS];
  const go = async () => {
    setBusy(true);
    setError(null);
    try {
      onTrip(await step(call, trip));
    } catch (thrown) {
      setError(messageFor(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li>
      <div>
        <strong>Rider {trip.RIDER_ID}</strong>
        <span className="soft">
          {trip.DRIVER_NAME ? `with ${trip.DRIVER_NAME}` : `booked ${trip.tripinfo.slice(11, 19)} UTC`}
        </span>
      </div>
      <button type="button" className="button" disabled={busy} onClick={go}>
        {label}
      </button>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
    </li>
  );
}
