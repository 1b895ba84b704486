import { useEffect, useState } from 'react';
import { type Day, today } from './dates.ts';

/** The present day in UTC; a page left open past midnight goes on with the new one. */
export function useToday(): Day {
  const [day, setDay] = useState(today);
  useEffect(() => {
    const timer = setInterval(() => setDay(today()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return day;
}
