import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PgRecord } from '../../record/record.ts';
import type { Town } from './town.ts';

const PASSWORD = 'Correct-horse-1';
const PAUSE_MS = 30;

/** One service under load: what was acknowledged, and what came of it. */
export interface Load {
  readonly name: string;
  /** Writes and reads until the town's end. */
  run(): Promise<void>;
  /** Acknowledged writes. */
  readonly acknowledged: number;
  /** When all is over and every node is ready: looks for what was lost, and for what was done twice. */
  check(record: PgRecord): Promise<void>;
}

async function signUp(town: Town, username: string): Promise<string> {
  const account = { username, password: PASSWORD, email: `${username}@example.com` };
  for (;;) {
    await town.call('POST', '/identity/users', { body: account });
    const login = await town.call('POST', '/identity/login', { body: account });
    if (login?.status === 200) return login.body.idToken;
    await sleep(PAUSE_MS);
  }
}

/** Scores, each of its own, sent again with the same key until a node says that it has them. */
export function boards(town: Town, player: string): Load {
  const acknowledged = new Set<number>();
  let score = 0;
  return {
    name: `leaderboard ${player}`,
    get acknowledged() {
      return acknowledged.size;
    },
    async run() {
      const token = await signUp(town, player);
      while (!town.over) {
        const mine = ++score;
        const headers = { 'idempotency-key': randomUUID() };
        const body = { level: 1, score: mine };
        for (;;) {
          const written = await town.call('POST', `/leaderboard/users/${player}`, { body, token, headers });
          if (written?.status === 200) {
            acknowledged.add(mine);
            const read = await town.readAfter(written, `/leaderboard/users/${player}`);
            const best = read && Math.max(...(read.body as { score: number }[]).map((game) => game.score));
            if (best !== undefined && best < mine)
              town.fault(`${player} read ${best} (${read!.headers.get('lockstep-source')}) after writing ${mine}`);
            break;
          }
          if (town.over) break;
          await sleep(PAUSE_MS);
        }
      }
    },
    async check(record) {
      const rows = await record.query<{ score: number; times: number }>(
        'select score, count(*)::int as times from leaderboard.games where username = $1 group by score',
        [player],
      );
      const times = new Map(rows.map((row) => [row.score, row.times]));
      for (const each of acknowledged) if (!times.has(each)) town.fault(`${player}: score ${each} is lost`);
      for (const [each, count] of times) if (count > 1) town.fault(`${player}: score ${each} is there ${count} times`);
      for (const url of town.urls) {
        const best = await town.call('GET', `/leaderboard/users/${player}`, {}, url);
        const games = best?.body as { score: number }[] | undefined;
        if (games?.[0]?.score !== Math.max(...times.keys())) town.fault(`${player}: ${url} shows ${games?.[0]?.score}`);
      }
    },
  };
}

/** One hero that is changed again and again, and read on other nodes. */
export function heroes(town: Town, name: string): Load {
  let acknowledged = 0;
  let id: number | undefined;
  /** The last value that was acknowledged, and the last that was sent. */
  let [known, sent] = [0, 0];
  return {
    name: `heroes ${name}`,
    get acknowledged() {
      return acknowledged;
    },
    async run() {
      while (!town.over) {
        if (id === undefined) {
          const made = await town.call('POST', '/heroes/', {
            body: { hero: 'yes', name, power: 'chaos', color: 'red', xp: 0 },
          });
          if (made?.status === 201) id = made.body.id;
          else await sleep(PAUSE_MS);
          continue;
        }
        const written = await town.call('PATCH', `/heroes/${id}`, { body: { xp: ++sent } });
        if (written?.status !== 200) {
          await sleep(PAUSE_MS);
          continue;
        }
        acknowledged++;
        known = sent;
        const read = await town.readAfter(written, `/heroes/${id}`);
        if (read && read.body.xp < known)
          town.fault(`${name} read ${read.body.xp} (${read.headers.get('lockstep-source')}) after writing ${known}`);
      }
    },
    async check(record) {
      if (id === undefined) return;
      const [row] = await record.query<{ xp: number }>('select xp from heroes.heroes where id = $1', [id]);
      if (!row || row.xp < known || row.xp > sent) town.fault(`${name} is at ${row?.xp}, not ${known} to ${sent}`);
      for (const url of town.urls) {
        const read = await town.call('GET', `/heroes/${id}`, {}, url);
        if (read?.body.xp !== row?.xp) town.fault(`${name}: ${url} shows ${read?.body.xp}, the record has ${row?.xp}`);
      }
    },
  };
}

/** Posts, each read on another node. */
export function posts(town: Town, handle: string): Load {
  const acknowledged = new Set<string>();
  let counter = 0;
  return {
    name: `cruddur ${handle}`,
    get acknowledged() {
      return acknowledged.size;
    },
    async run() {
      const token = `Bearer ${await signUp(town, handle)}`;
      while (!town.over) {
        const message = `${handle} ${++counter}`;
        const body = { message, ttl: '7-days' };
        const written = await town.call('POST', '/cruddur/api/activities', { body, token });
        if (written?.status !== 200) {
          await sleep(PAUSE_MS);
          continue;
        }
        acknowledged.add(message);
        const read = await town.readAfter(written, '/cruddur/api/activities/home?limit=100');
        const feed = read?.body as { message: string }[] | undefined;
        if (feed && feed.length < 100 && !feed.some((each) => each.message === message))
          town.fault(`${handle} did not read "${message}" (${read!.headers.get('lockstep-source')})`);
      }
    },
    async check(record) {
      const rows = await record.query<{ message: string; times: number }>(
        `select message, count(*)::int as times from cruddur.activities where message like $1 group by message`,
        [`${handle} %`],
      );
      const times = new Map(rows.map((row) => [row.message, row.times]));
      for (const each of acknowledged) if (!times.has(each)) town.fault(`"${each}" is lost`);
      for (const [each, count] of times) if (count > 1) town.fault(`"${each}" is there ${count} times`);
    },
  };
}

/** Trips through their states: what fails is asked again, on any node, and must be one trip all the same. */
export function trips(town: Town, rider: number): Load {
  const acknowledged = new Set<string>();
  const call = async (path: string) => {
    for (;;) {
      const answer = await town.call('GET', `/taxi/${path}`);
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      if (town.over) return undefined;
      await sleep(PAUSE_MS);
    }
  };
  return {
    name: `taxi ${rider}`,
    get acknowledged() {
      return acknowledged.size;
    },
    async run() {
      while (!town.over) {
        const booked = await call(`riderbook?rider_id=${rider}&rider_mobile=%2B12125550100`);
        if (!booked) return;
        const query = `rider_id=${rider}&trip_info=${booked.body.tripinfo}`;
        if (!(await call(`driveraccept?${query}`))) return;
        if (!(await call(`drivercomplete?${query}`))) return;
        acknowledged.add(`${booked.body.riderid} ${booked.body.tripinfo}`);
      }
    },
    async check(record) {
      const done = `select riderid || ' ' || tripinfo as name from taxi.trip_items where attributes ->> 'STATUS' = 'Completed'`;
      const items = new Set((await record.query<{ name: string }>(done)).map((row) => row.name));
      for (const each of acknowledged) if (!items.has(each)) town.fault(`the trip ${each} is lost`);
      const projected = `select count(*)::int as rows, count(distinct (rider_email, trip_info))::int as trips from rides.trips`;
      for (const deadline = Date.now() + 30_000; ; await sleep(100)) {
        const [found] = await record.query<{ rows: number; trips: number }>(projected);
        if (found!.rows === items.size && found!.trips === items.size) return;
        if (Date.now() < deadline) continue;
        return town.fault(`${items.size} trips were completed, and ${found!.rows} rows projected`);
      }
    },
  };
}
