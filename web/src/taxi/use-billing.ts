import { useEffect, useState } from 'react';
import type { BillingOverview } from '../../../services/taxi/billing.ts';
import { client } from '../client.ts';

const POLL_MS = 2000;

/** Today's billing, asked for every other second while the page is seen. */
export function useBilling(): BillingOverview | undefined {
  const [billing, setBilling] = useState<BillingOverview>();
  useEffect(() => {
    const leaving = new AbortController();
    const ask = async () => {
      if (document.hidden) return;
      const { body } = await client.send<BillingOverview>('GET /taxi/billing?limit=8', leaving);
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
