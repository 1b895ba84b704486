import { type Day, isDay, shifted } from './dates.ts';

/** Chooses a day in UTC: the day before, the day after, any day. */
export function DayPicker({ day, today, onPick }: { day: Day; today: Day; onPick: (day: Day) => void }) {
  return (
    <fieldset className="day-picker">
      <legend className="visually-hidden">Day shown, in UTC</legend>
      <button type="button" className="icon-button" aria-label="Day before" onClick={() => onPick(shifted(day, -1))}>
        <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
          <path d="m14.5 6-6 6 6 6" />
        </svg>
      </button>
      <input
        type="date"
        aria-label="Day (UTC)"
        value={day}
        max={today}
        onChange={(event) => isDay(event.target.value) && onPick(event.target.value)}
      />
      <button
        type="button"
        className="icon-button"
        aria-label="Day after"
        disabled={day >= today}
        onClick={() => onPick(shifted(day, 1))}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
          <path d="m9.5 6 6 6-6 6" />
        </svg>
      </button>
      <button type="button" className="button quiet" disabled={day === today} onClick={() => onPick(today)}>
        Today
      </button>
    </fieldset>
  );
}
