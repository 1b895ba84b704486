import { useState } from 'react';
import type { BillingOverview } from '../../../services/taxi/billing.ts';
import { client } from '../client.ts';
import { useInterval } from '../use-interval.ts';

const POLL_MS = 2000;

/** Today's billing, asked for every other second while the page is seen. */
export function useBilling(): BillingOverview | undefined {
  const [billing, setBilling] = useState<BillingOverview>();
  useInterval(POLL_MS, async (signal) => {
    setBilling((await client.send<BillingOverview>('GET /taxi/billing', { query: { limit: 8 }, signal })).body);
  });
  return billing;
}
