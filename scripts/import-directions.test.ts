import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importsOf, violationsIn } from './import-directions.ts';

test('an import that points forward is named with its line and the rule', () => {
  const source = "import { a } from '../record/a.ts';\n\nimport type { Live } from '../live/live.ts';\n";
  assert.deepEqual(violationsIn('src/views/view.ts', source), [
    'src/views/view.ts:3 imports src/live/live.ts: views may import record, changes',
  ]);
});

test('imports over several lines, re-exports, bare and dynamic imports are all seen', () => {
  const source = [
    "import {\n  a,\n  b,\n} from './a.ts';",
    "export * from './b.ts';",
    "export type { C } from './c.ts';",
    "import './d.ts';",
    "const e = await import('./e.ts');",
  ].join('\n');
  assert.deepEqual(
    importsOf(source).map(({ specifier, typeOnly }) => [specifier, typeOnly]),
    [
      ['./a.ts', false],
      ['./b.ts', false],
      ['./c.ts', true],
      ['./d.ts', false],
      ['./e.ts', false],
    ],
  );
});

for (const [file, specifier] of [
  ['src/record/pool.ts', '../changes/feed.ts'],
  ['src/identity/login.ts', '../changes/feed.ts'],
  ['src/http/server.ts', '../cli/main.ts'],
  ['src/live/live.ts', '../testing/database.ts'],
  ['src/helpers/x.ts', '../record/value.ts'],
  ['services/leaderboard/writes.ts', '../../src/record/record.ts'],
  ['services/leaderboard/writes.ts', '../heroes/writes.ts'],
  ['web/app.tsx', '../src/index.ts'],
  ['web/app.tsx', 'lockstep'],
  ['web/src/heroes/page.tsx', '../../../services/heroes/hero.ts'],
] as const) {
  test(`${file} may not import ${specifier}`, () => {
    assert.equal(violationsIn(file, `import { x } from '${specifier}';`).length, 1);
  });
}

for (const [file, specifier] of [
  ['src/cli/main.ts', '../record/pool.ts'],
  ['src/runtime/service.ts', '../identity/identity.ts'],
  ['src/views/view.test.ts', '../testing/database.ts'],
  ['services/leaderboard/writes.ts', '../../src/index.ts'],
  ['services/index.ts', './leaderboard/service.ts'],
  ['web/app.tsx', './board.tsx'],
  ['web/app.tsx', 'lockstep/client'],
  ['src/live/live.ts', 'pg'],
] as const) {
  test(`${file} may import ${specifier}`, () => {
    assert.deepEqual(violationsIn(file, `import { x } from '${specifier}';`), []);
  });
}

test('the pages may import types of what their build makes', () => {
  const target = '../../../scripts/guides/render.ts';
  assert.deepEqual(violationsIn('web/src/guides/page.tsx', `import type { Guide } from '${target}';`), []);
  assert.deepEqual(
    violationsIn('web/src/assets.d.ts', `type Guide = import('../../scripts/guides/render.ts').Guide;`),
    [],
  );
  assert.equal(violationsIn('web/src/guides/page.tsx', `import { renderGuide } from '${target}';`).length, 1);
});

test('the pages may import types of services', () => {
  const source = "import type { Hero } from '../../../services/heroes/hero.ts';";
  assert.deepEqual(violationsIn('web/src/heroes/page.tsx', source), []);
});
