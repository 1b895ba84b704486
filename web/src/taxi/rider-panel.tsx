import { Field } from '../form/field.tsx';
import { useSubmission } from '../form/use-submission.ts';
import { book, money, type Trip } from './trip.ts';

const WORDS: Readonly<Record<string, string>> = {
  Booked: 'Booked: waiting for a driver',
  InProgress: 'On the way',
  Completed: 'Completed',
};

/** Books a trip, and shows what has become of the last one. */
export function RiderPanel({ trip, onTrip }: { readonly trip: Trip | undefined; onTrip(trip: Trip): void }) {
  const { error, busy, submit } = useSubmission(async (data) => {
    onTrip(await book(String(data.get('rider')), String(data.get('mobile'))));
  });
  return (
    <section className="panel" aria-label="Rider">
      <h2>Rider</h2>
      <form className="ride-form" onSubmit={submit}>
        <Field
          name="rider"
          label="Rider number"
          inputMode="numeric"
          pattern="[1-9][0-9]{0,8}"
          defaultValue="71463"
          hint="A number of up to nine digits"
          required
        />
        <Field
          name="mobile"
          label="Mobile"
          type="tel"
          pattern="\+?[0-9]{5,15}"
          defaultValue="+11492133668"
          hint="5 to 15 digits"
          required
        />
        <button type="submit" className="button primary" disabled={busy}>
          Book a trip
        </button>
      </form>
      {error && (
        <p role="alert" className="form-error">
          {error}
        </p>
      )}
      <div role="status">{trip && <TripCard trip={trip} />}</div>
    </section>
  );
}

function TripCard({ trip }: { readonly trip: Trip }) {
  const facts = [
    ['Trip', trip.tripinfo.split(',').at(-1)],
    ['Rider', trip.RIDER_ID],
    ['Driver', trip.DRIVER_NAME && `${trip.DRIVER_NAME}, ${trip.VEHICLE_ID}`],
    ['Distance', trip.TRIP_DISTANCE !== undefined && `${trip.TRIP_DISTANCE} miles`],
    ['Total', trip.TOTAL_AMOUNT !== undefined && money(trip.TOTAL_AMOUNT)],
  ].filter(([, value]) => value);
  return (
    <div className="trip-card" data-status={trip.STATUS}>
      <p className="trip-status">{WORDS[trip.STATUS] ?? trip.STATUS}</p>
      <dl>
        {facts.map(([name, value]) => (
          <div key={String(name)}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
