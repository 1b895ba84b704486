import type { PgRecord, RecordReader } from '../../src/index.ts';

export interface BillingReport {
  /** Null when there was nothing to bill. */
  readonly cycle: number | null;
  readonly drivers: number;
  readonly trips: number;
  /** Dollars, exact, as text. */
  readonly billed: string;
  readonly paid: string;
}

/** Bills what is completed and not billed yet; returns what this call billed. */
export async function bill(target: PgRecord): Promise<BillingReport> {
  const { value } = await target.transaction(async (tx) => {
    await tx.query('call rides.billingandpayments()');
    const [row] = await tx.query<BillingReport>(`
      select max(b.cycle) as cycle, count(*)::integer as drivers, coalesce(sum(b.ride_count), 0)::integer as trips,
             coalesce(sum(b.total_amount), 0)::text as billed, coalesce(sum(p.amount), 0)::text as paid
        from rides.billing b join rides.payment p using (billing_id)
       where b.cycle = currval('rides.billing_cycle')`);
    return row!;
  });
  return value;
}

export interface BillingLine {
  readonly cycle: number;
  readonly driver_id: number;
  readonly driver_name: string | null;
  readonly ride_count: number;
  readonly total_amount: string;
  readonly payment: string;
  readonly billing_date: number;
}

export interface BillingOverview {
  readonly completed: { readonly trips: number; readonly amount: string };
  readonly billed: { readonly trips: number; readonly amount: string };
  readonly unbilled: { readonly trips: number; readonly amount: string };
  readonly paid: string;
  /** Of the day, best paid first. */
  readonly lines: readonly BillingLine[];
  /** Completed trips of the day by hour, UTC. */
  readonly hours: readonly { readonly hour: number; readonly trips: number; readonly amount: string }[];
}

const SUMS = `
  select count(*)::integer as trips, coalesce(sum(total_amount), 0)::text as amount,
         (count(*) filter (where status = 'Processed'))::integer as billed_trips,
         coalesce(sum(total_amount) filter (where status = 'Processed'), 0)::text as billed_amount,
         (count(*) filter (where status <> 'Processed'))::integer as unbilled_trips,
         coalesce(sum(total_amount) filter (where status <> 'Processed'), 0)::text as unbilled_amount
    from rides.trips where dropoff_datetime >= $1 and dropoff_datetime < $1::timestamptz + interval '1 day'`;

const LINES = `
  select b.cycle, b.driver_id, d.driver_name, b.ride_count, b.total_amount::text, p.amount::text as payment, b.billing_date
    from rides.billing b join rides.payment p using (billing_id) left join rides.drivers d on d.driver_id = b.driver_id
   where b.billing_date >= $1 and b.billing_date < $1::timestamptz + interval '1 day'
   order by b.total_amount desc, b.billing_id limit $2`;

const HOURS = `
  select extract(hour from dropoff_datetime at time zone 'UTC')::integer as hour, count(*)::integer as trips,
         sum(total_amount)::text as amount
    from rides.trips where dropoff_datetime >= $1 and dropoff_datetime < $1::timestamptz + interval '1 day'
   group by 1 order by 1`;

/** The billing of one day (`2026-11-21`, UTC). */
export async function overview(target: PgRecord, day: string, limit: number): Promise<BillingOverview> {
  const { value } = await target.transaction(async (tx) => overviewIn(tx, `${day}T00:00:00Z`, limit), {
    isolation: 'repeatable read',
    readOnly: true,
  });
  return value;
}

async function overviewIn(tx: RecordReader, from: string, limit: number): Promise<BillingOverview> {
  const [sums] = await tx.query<Record<string, number & string>>(SUMS, [from]);
  const [paid] = await tx.query<{ paid: string }>(
    `select coalesce(sum(amount), 0)::text as paid from rides.payment
      where payment_date >= $1 and payment_date < $1::timestamptz + interval '1 day'`,
    [from],
  );
  return {
    completed: { trips: sums!.trips!, amount: sums!.amount! },
    billed: { trips: sums!.billed_trips!, amount: sums!.billed_amount! },
    unbilled: { trips: sums!.unbilled_trips!, amount: sums!.unbilled_amount! },
    paid: paid!.paid,
    lines: await tx.query<BillingLine>(LINES, [from, limit]),
    hours: await tx.query<BillingOverview['hours'][number]>(HOURS, [from]),
  };
}
