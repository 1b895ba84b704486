// Runs the documents' code: blocks marked `sh run` and `ts run` (scripts/doc-blocks.ts), against a server of their own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { services } from '../services/index.ts';
import { OPTIONS } from '../src/runtime/options.ts';
import { declaredSettings } from '../src/runtime/service.ts';
import { freePort, ServerProcess } from '../src/testing/server-process.ts';
import { type DocBlock, docBlocks, mismatch } from './doc-blocks.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const documents = globSync('{*.md,docs/*.md,services/*/README.md,bench/*.md}', { cwd: root });
const read = (document: string) => readFileSync(join(root, document), 'utf8');

/** What the documents call the server. */
const WRITTEN_URL = 'http://localhost:8080';

interface Place {
  readonly url: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a program on what is written to its standard input; what it printed, or an error with that. */
async function run(program: string, args: readonly string[], input: string, env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(program, args, { cwd: root, env, stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  child.stdin.end(input);
  const [code] = await once(child, 'close');
  assert.equal(code, 0, output);
  return output;
}

const END_OF_STEP = '----- end of step';

/** A document's shell blocks share one shell: what one sets, the next has. */
async function runShell(blocks: readonly DocBlock[], { url, env }: Place): Promise<void> {
  const steps = blocks.flatMap((block) => block.steps);
  const script = steps
    .map(({ code }) => `${code.replaceAll(WRITTEN_URL, url)}\necho; echo '${END_OF_STEP}'`)
    .join('\n');
  const output = await run('bash', ['-euo', 'pipefail'], script, env);
  const outputs = output.split(`${END_OF_STEP}\n`);
  const wrong = steps.map((step, index) => mismatch(outputs[index] ?? '', step.expected)).filter(Boolean);
  assert.deepEqual(wrong, []);
}

async function runTypeScript(block: DocBlock, { url, env }: Place): Promise<void> {
  const [step] = block.steps;
  const output = await run(
    process.execPath,
    ['--input-type=module-typescript', '-'],
    step!.code.replaceAll(WRITTEN_URL, url),
    env,
  );
  assert.equal(mismatch(output, step!.expected), undefined);
}

async function withServer(work: (place: Place) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'lockstep-docs-'));
  const server = new ServerProcess({ dataDir, port: await freePort() });
  try {
    server.start();
    await server.ready();
    // Node 24 first, for `npx lockstep`.
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    await work({ url: server.url, env: { ...process.env, LOCKSTEP_DATA: dataDir, DATABASE_URL: '', PATH: path } });
  } finally {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

for (const document of documents) {
  const blocks = docBlocks(read(document));
  if (blocks.length === 0) continue;
  describe(document, () => {
    test('its code runs and prints what it says', () =>
      withServer(async (place) => {
        await runShell(
          blocks.filter((block) => block.language === 'sh'),
          place,
        );
        for (const block of blocks.filter((block) => block.language === 'ts')) await runTypeScript(block, place);
      }));
  });
}

test('links between documents lead somewhere', () => {
  const broken = documents.flatMap((document) =>
    [...read(document).matchAll(/\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map((match) => match[1]!)
      .filter((target) => !existsSync(join(root, dirname(document), target)))
      .map((target) => `${document}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('every option is written down', () => {
  const written = read('docs/reference.md');
  const options = [
    ...Object.entries(OPTIONS).map(([name, { env }]) => ({ name, env })),
    ...declaredSettings(services).map(({ name, env }) => ({ name: name as string, env })),
  ];
  const missing = options.filter(
    ({ name, env }) => !written.includes(`| \`${env}\``) || !written.includes(`\`${name}\``),
  );
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});
