import { useState } from 'react';
import { CityMap } from '../taxi/city-map.tsx';
import { useBilling } from '../taxi/use-billing.ts';
import { useTrips } from '../taxi/use-trips.ts';
import { Tile } from './tile.tsx';

/** The trips that change, on the map. */
export default function TaxiTile() {
  const { trips, counts } = useTrips();
  const billing = useBilling();
  const [rider] = useState(() => 1000 + Math.floor(Math.random() * 9000));
  const today = billing?.completed.trips;
  return (
    <Tile
      name="taxi"
      title="Taxi"
      about="Trips in SQL exactly once, billed and paid"
      command={`curl '${location.origin}/taxi/riderbook?rider_id=${rider}&rider_mobile=%2B1212555${rider}'`}
    >
      <div className="tile-map">
        <CityMap trips={trips} />
      </div>
      <p className="tile-line">
        <strong>{counts.Booked}</strong> booked, <strong>{counts.InProgress}</strong> on the way,{' '}
        <strong>{today === undefined ? '–' : today.toLocaleString('en')}</strong> completed today
      </p>
    </Tile>
  );
}
