import type { RecordProblem } from './checks.ts';
import { parseHosts } from './hosts.ts';
import type { PgRecord } from './record.ts';

/** What a primary says of the standbys that may take its place. */
export interface StandbyFacts {
  /** As `server_version_num`. */
  readonly version: number;
  readonly severalHosts: boolean;
  /** Slots of the standbys: `standby_1, standby_2`. */
  readonly standbySlots: string;
  /** How many stream now, with a slot or without. */
  readonly streaming: number;
  /** `synchronized_standby_slots`; null before 17. */
  readonly waitedFor: string | null;
  /** `synchronous_standby_names` */
  readonly synchronous: string;
  /** Slots that Lockstep follows through a failover. */
  readonly durableSlots: readonly string[];
}

/** What a failover of this server would cost that settings could spare; nothing where there is no standby. Worth a warning, no refusal. */
export async function standbyRisks(record: PgRecord, durableSlots: readonly string[]): Promise<RecordProblem[]> {
  const [found] = await record.query<Omit<StandbyFacts, 'severalHosts' | 'durableSlots'>>(FACTS);
  return risksOf({ ...found!, severalHosts: (parseHosts(record.url)?.urls.length ?? 1) > 1, durableSlots });
}

export function risksOf(facts: StandbyFacts): RecordProblem[] {
  if (!facts.severalHosts && facts.standbySlots === '' && facts.streaming === 0) return [];
  return [unsynchronised(facts), slotsLost(facts), slotsAhead(facts)].filter((risk) => risk !== undefined);
}

type Risk = (facts: StandbyFacts) => RecordProblem | undefined;

const unsynchronised: Risk = ({ synchronous }) =>
  synchronous !== ''
    ? undefined
    : {
        found: 'synchronous_standby_names is empty: a failover may lose writes that were acknowledged',
        fix: "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'; SELECT pg_reload_conf();",
      };

const slotsLost: Risk = ({ version, durableSlots }) =>
  version >= 170_000 || durableSlots.length === 0
    ? undefined
    : {
        found:
          'before PostgreSQL 17 no logical slot survives a failover: every projection is compared with the record then',
        fix: 'upgrade to 17 or newer, where standbys keep the slots (sync_replication_slots = on).',
      };

const slotsAhead: Risk = ({ version, durableSlots, waitedFor, standbySlots }) => {
  if (version < 170_000 || durableSlots.length === 0 || waitedFor) return undefined;
  const names = standbySlots || "<the standby's primary_slot_name>";
  return {
    found:
      'synchronized_standby_slots is empty: a projection may show what a failover takes back, and is compared with the record then',
    fix: `ALTER SYSTEM SET synchronized_standby_slots = '${names.replaceAll("'", "''")}'; SELECT pg_reload_conf();`,
  };
};

/** Whoever streams without a logical slot is a standby, or receives the log as one would. */
const FACTS = `
  select current_setting('server_version_num')::integer as version,
         current_setting('synchronized_standby_slots', true) as "waitedFor",
         current_setting('synchronous_standby_names') as synchronous,
         (select coalesce(string_agg(slot_name, ', ' order by slot_name), '') from pg_replication_slots
           where slot_type = 'physical' and not temporary) as "standbySlots",
         (select count(*)::integer from pg_stat_replication r where not exists (
           select from pg_replication_slots s where s.active_pid = r.pid and s.slot_type = 'logical')) as streaming`;
