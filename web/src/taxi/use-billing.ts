import { useEffect, useState } from 'react';
import { send } from '../http.ts';

interface Sum {
  readonly trips: number;
  /** Dollars, exact. */
  readonly amount: string;
}

export interface Billing {
  readonly completed: Sum;
  readonly billed: Sum;
  readonly unbilled: Sum;
  readonly paid: string;
  readonly lines: readonly BillingLine[];
  readonly hours: readonly { readonly hour: number; readonly trips: number; readonly amount: string }[];
}

export interface BillingLine {
  readonly cycle: number;
  readonly driver_id: number;
  readonly driver_name: string | null;
  readonly ride_count: number;
  readonly total_amount: string;
  readonly payment: string;
}

const POLL_MS = 2000;

/** Today's billing, asked for every other second while the page is seen. */
export function useBilling(): Billing | undefined {
  const [billing, setBilling] = useState<Billing>();
  useEffect(() => {
    const leaving = new AbortController();
    const ask = async () => {
      if (document.hidden) return;
      const { body } = await send<Billing>('GET', '/taxi/billing?limit=8', leaving);
      setBilling(body);
    };
    const quietly = () => ask().catch(() => {});
    quietly();
    const timer = setInterval(quietly, POLL_MS);
    return () => {
      clearInterval(timer);
      leaving.abort();
    };
  }, []);
  return billing;
}
