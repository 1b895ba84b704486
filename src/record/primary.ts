import { EventEmitter } from 'node:events';
import pg from 'pg';
import { ConnectionLost, nameLoss } from './failures.ts';
import { type HostedUrl, parseHosts } from './hosts.ts';

/** How long one host may take to say what it is (milliseconds). */
const PROBE_MS = 2000;
/** An answer is good for so long: several connections opened at once are not as many questions. */
const FRESH_MS = 250;
/** How often the hosts are asked unbidden: a primary that hangs breaks no connection. */
const WATCH_MS = 5000;
/** How long the others may still take when one that takes writes has answered. */
const GRACE_MS = 500;

/** Asked in simple queries too. A server's own timeline: the checkpoint's may be the one before a promotion. */
const ASK = `select (select system_identifier::text from pg_catalog.pg_control_system()) as system,
  case when not pg_catalog.pg_is_in_recovery() then
    ('x' || left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::bit(32)::integer end as timeline`;

interface Answer {
  readonly system: string;
  /** Null: a standby. */
  readonly timeline: number | null;
}

/** The furthest timeline seen of each system. */
const furthest = new Map<string, number>();

/** Where one of several hosts is the primary, and another one may be by and by. */
export class HostGroup {
  readonly #events = new EventEmitter<{ moved: [] }>().setMaxListeners(0);
  #index = 0;
  #finding: Promise<number> | undefined;
  #foundAt = Number.NEGATIVE_INFINITY;
  #watch: NodeJS.Timeout | undefined;

  /** The URL of the host found last; the first one's before. */
  current({ urls }: HostedUrl): string {
    return urls[this.#index]!;
  }

  /**
   * Asks all hosts and returns the URL of the one that takes writes; of several the one on the furthest timeline, since the others
   * have failed and come back. Throws `ConnectionLost` when none does, and PostgreSQL's error where that will not mend by itself.
   */
  async find(hosted: HostedUrl): Promise<string> {
    if (performance.now() - this.#foundAt < FRESH_MS) return this.current(hosted);
    this.#finding ??= this.#find(hosted).finally(() => {
      this.#finding = undefined;
    });
    return hosted.urls[await this.#finding]!;
  }

  /** Has `moved` called each time another host is the primary, until the returned function is called; the hosts are watched meanwhile. */
  onMoved(hosted: HostedUrl, moved: () => void): () => void {
    this.#events.on('moved', moved);
    this.#watch ??= setInterval(() => this.find(hosted).catch(() => {}), WATCH_MS).unref();
    return () => {
      this.#events.off('moved', moved);
      if (this.#events.listenerCount('moved') > 0) return;
      clearInterval(this.#watch);
      this.#watch = undefined;
    };
  }

  async #find(hosted: HostedUrl): Promise<number> {
    const index = await findPrimary(hosted);
    this.#foundAt = performance.now();
    if (index !== this.#index) {
      this.#index = index;
      this.#events.emit('moved');
    }
    return index;
  }
}

const groups = new Map<string, HostGroup>();

/** The hosts of a URL that may change places; undefined where one host is all there is to connect to. */
export function hostGroup(url: string): { readonly group: HostGroup; readonly hosted: HostedUrl } | undefined {
  const hosted = parseHosts(url);
  if (!hosted?.primary) return undefined;
  const group = groups.get(hosted.hosts) ?? new HostGroup();
  groups.set(hosted.hosts, group);
  return { group, hosted };
}

/** A URL that `pg` takes: the primary's where `url` has several hosts. */
export async function primaryUrl(url: string): Promise<string> {
  const found = hostGroup(url);
  return found ? found.group.find(found.hosted) : url;
}

/** Throws `ConnectionLost` when this connection's server does not take writes, or is a failed primary that came back. */
export async function assertPrimary(client: pg.ClientBase): Promise<void> {
  const reason = unfit(await ask(client));
  if (reason) throw new ConnectionLost(new Error(reason));
}

/** A server whose log is not PostgreSQL's own, or is not to be looked at by this user, says at least whether it takes writes. */
async function ask(client: pg.ClientBase): Promise<Answer> {
  try {
    return (await client.query<Answer>(ASK)).rows[0]!;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || nameLoss(error) instanceof ConnectionLost) throw error;
    const { rows } = await client.query<{ standby: boolean }>('select pg_catalog.pg_is_in_recovery() as standby');
    return { system: '', timeline: rows[0]!.standby ? null : 0 };
  }
}

function unfit({ system, timeline }: Answer): string | undefined {
  if (timeline === null) return 'is a standby';
  const known = furthest.get(system) ?? 0;
  if (timeline < known) return `is on timeline ${timeline}, and another server went on to timeline ${known}`;
  furthest.set(system, timeline);
  return undefined;
}

async function findPrimary({ urls }: HostedUrl): Promise<number> {
  const answers: (Answer | Error | undefined)[] = urls.map(() => undefined);
  const first = Promise.withResolvers<void>();
  const probes = urls.map(async (url, i) => {
    const answer = await probe(url).catch((error: Error) => error);
    answers[i] = answer;
    if (!(answer instanceof Error) && answer.timeline !== null) first.resolve();
  });
  const all = Promise.all(probes);
  await Promise.race([all, first.promise.then(() => Promise.race([all, waited(GRACE_MS)]))]);
  const [best] = answers
    .flatMap((answer, index) => (answer && !(answer instanceof Error) ? [{ index, ...answer }] : []))
    .filter(({ timeline }) => timeline !== null)
    .sort((a, b) => b.timeline! - a.timeline!);
  if (best && unfit(best) === undefined) return best.index;
  throw nobody(urls, answers);
}

function waited(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function probe(url: string): Promise<Answer> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'lockstep',
    connectionTimeoutMillis: PROBE_MS,
    query_timeout: PROBE_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.end().catch(() => {});
  }
}

/** What no other try will mend (a wrong password) is told as it is, unless a host is away or a standby: then that one may be the primary. */
function nobody(urls: readonly string[], answers: readonly (Answer | Error | undefined)[]): Error {
  const errors = answers.filter((answer) => answer instanceof Error);
  const lasting = errors.filter((error) => !(nameLoss(error) instanceof ConnectionLost) && !isTimeout(error));
  if (lasting.length === urls.length) return lasting[0]!;
  const each = urls.map((url, i) => `${hostOf(url)} ${reasonOf(answers[i])}`);
  return new ConnectionLost(new Error(`no server takes writes: ${each.join('; ')}`));
}

function reasonOf(answer: Answer | Error | undefined): string {
  if (answer === undefined) return 'does not answer';
  return answer instanceof Error ? `fails (${answer.message})` : (unfit(answer) ?? 'takes writes');
}

function isTimeout(error: Error): boolean {
  return /timeout/i.test(error.message);
}

function hostOf(url: string): string {
  return parseHosts(url)?.hosts ?? 'a host';
}
