import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { services } from '../../services/index.ts';
import { TestClient } from '../../services/leaderboard/test-client.ts';
import { testDatabase } from './database.ts';
import { FakeStore } from './fake-store.ts';
import { type TestApp, testServices } from './services.ts';

const run = services.filter(({ name }) => name === 'leaderboard' || name === 'cruddur');

/** Nodes in one process, with a store in its memory, on real PostgreSQL: for tests of what stands around the store. */
export async function nodes(t: TestContext, count: number, settings: object = {}) {
  const { url, record } = await testDatabase(t);
  const store = new FakeStore();
  const apps: TestApp[] = [];
  const open = (more: object = {}) =>
    testServices(t, run, { databaseUrl: url, ...settings, ...more }, () => store.open());
  for (let i = 0; i < count; i++) apps.push(await open());
  const token = apps[0] ? await new TestClient(apps[0]).account('alice') : '';
  let score = 0;
  /** A game of Alice's, written on one node. */
  const play = async (app: TestApp) => {
    const body = { level: 1, score: ++score };
    const answer = await new TestClient(app).call('POST', '/users/alice', { token, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return { score, position: answer.headers.get('lockstep-position')! };
  };
  /** Alice's best score, as a node says it, and from where. */
  const best = async (app: TestApp, position?: string) => {
    const headers: Record<string, string> = position ? { 'lockstep-min-position': position } : {};
    const answer = await new TestClient(app).call('GET', '/users/alice', { headers });
    const games = answer.body as { score: number }[];
    return { score: games[0]?.score, source: answer.headers.get('lockstep-source') };
  };
  return { url, store, apps, record, open, play, best };
}

export const leaderOf = (apps: readonly TestApp[]) => apps.find(({ live }) => live.status().slot !== null);

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await condition()); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
  }
}

export const allReady = (apps: readonly TestApp[]) => () => apps.every(({ live }) => live.status().ready);
