import assert from 'node:assert/strict';
import { test } from 'node:test';
import { risksOf, type StandbyFacts } from './standby.ts';

const SAFE: StandbyFacts = {
  version: 180_004,
  severalHosts: true,
  standbySlots: 'standby_1, standby_2',
  streaming: 1,
  waitedFor: 'standby_1',
  synchronous: 'ANY 1 (*)',
  durableSlots: ['lockstep_taxi_rides_1'],
};

const risks = (difference: Partial<StandbyFacts>) => risksOf({ ...SAFE, ...difference });

test('a server set up for a failover has no risks, and neither has one without a standby', () => {
  assert.deepEqual(risks({}), []);
  const alone = { severalHosts: false, standbySlots: '', streaming: 0, waitedFor: '', synchronous: '' };
  assert.deepEqual(risks(alone), []);
  for (const seen of [{ severalHosts: true }, { standbySlots: 's' }, { streaming: 1 }])
    assert.equal(risks({ ...alone, ...seen }).length, 2);
});

test('[rule 1] failover slots that wait for no standby are a risk, and the fix names the standbys', () => {
  const [risk] = risks({ waitedFor: '' });
  assert.match(risk!.found, /synchronized_standby_slots is empty/);
  assert.match(risk!.fix, /synchronized_standby_slots = 'standby_1, standby_2'; SELECT pg_reload_conf/);
  assert.deepEqual(risks({ waitedFor: '', durableSlots: [] }), [], 'nothing goes through a failover');
});

test('other risks: nothing waits for a standby; slots that no standby can keep', () => {
  assert.match(risks({ synchronous: '' })[0]!.found, /acknowledged/);
  assert.match(risks({ version: 160_009, waitedFor: null })[0]!.fix, /upgrade to 17/);
  assert.deepEqual(risks({ version: 160_009, waitedFor: null, durableSlots: [] }), []);
});
