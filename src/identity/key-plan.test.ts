import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KeyTimes, planKeys, signingKey } from './key-plan.ts';

const policy = { rotateEvery: 90, publishAhead: 2, keepAfter: 3 };

test('the first key signs at once; the next is published ahead; the old one stays while its tokens may be out', () => {
  assert.deepEqual(planKeys([], 1000, policy), { create: 1000, retire: [] });
  const a = { kid: 'a', activeFrom: 1000 };
  assert.deepEqual(planKeys([a], 1087, policy), { create: null, retire: [] });
  assert.deepEqual(planKeys([a], 1088, policy), { create: 1090, retire: [] });
  const b = { kid: 'b', activeFrom: 1090 };
  assert.equal(signingKey([b, a], 1089)?.kid, 'a');
  assert.equal(signingKey([b, a], 1090)?.kid, 'b');
  assert.deepEqual(planKeys([b, a], 1092, policy), { create: null, retire: [] });
  assert.deepEqual(planKeys([b, a], 1093, policy), { create: null, retire: ['a'] });
});

test('after a long stop the next key is still published before it signs', () => {
  assert.deepEqual(planKeys([{ kid: 'a', activeFrom: 0 }], 5000, policy), { create: 5002, retire: [] });
});

test('whenever maintenance runs, there is a key to sign with, and every token verifies until it expires', () => {
  const life = policy.keepAfter - 1;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 60 }), (waits) => {
      let now = 0;
      let keys: KeyTimes[] = [];
      const published = new Map<string, number>();
      let token: { kid: string; until: number } | undefined;
      for (const wait of waits) {
        now += wait;
        const plan = planKeys(keys, now, policy);
        keys = keys.filter((key) => !plan.retire.includes(key.kid));
        if (plan.create !== null) {
          const kid = `k${now}`;
          keys.push({ kid, activeFrom: plan.create });
          published.set(kid, now);
        }
        if (token && now <= token.until) assert.ok(keys.some((key) => key.kid === token?.kid));
        const signing = signingKey(keys, now);
        assert.ok(signing);
        const isFirst = published.get(signing.kid) === signing.activeFrom;
        assert.ok(isFirst || published.get(signing.kid)! + policy.publishAhead <= now);
        token = { kid: signing.kid, until: now + life };
      }
      assert.ok(keys.length <= 3);
    }),
  );
});
