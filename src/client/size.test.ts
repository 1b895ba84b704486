import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

test('the client is under 10 KB compressed', async () => {
  const entry = fileURLToPath(new URL('./index.ts', import.meta.url));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, minify: true, lib: { entry, formats: ['es'] }, target: 'es2023' },
  });
  const [output] = [built].flat() as { output: { code: string }[] }[];
  const bytes = gzipSync(output!.output[0]!.code).length;
  assert.ok(bytes > 1000 && bytes < 10_000, `${bytes} bytes`);
});
