// `npm run bench [-- --quick] [-- PART ...]`: measures, prints and, unless it was quick, writes what it found into RESULTS.md.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { type Bench, FULL, openBench, type Part, QUICK } from './bench.ts';
import { parts } from './parts/index.ts';
import type { Findings } from './report/findings.ts';
import { machine } from './report/machine.ts';
import { markdown } from './report/markdown.ts';
import { storedParts, storePart } from './report/stored.ts';
import { terminalText } from './report/text.ts';

const RESULTS = join(import.meta.dirname, 'RESULTS.md');
const NOTES = join(import.meta.dirname, 'notes.md');

/** Longer than any run should take. */
const LIMIT_MINUTES = 60;

interface Result {
  readonly name: string;
  readonly title: string;
  readonly findings: Findings;
}

function readArguments() {
  const names = parts.map((part) => part.name);
  const { values, positionals } = parseArgs({
    options: { quick: { type: 'boolean', default: false }, json: { type: 'boolean', default: false } },
    allowPositionals: true,
  });
  const wrong = positionals.find((name) => !names.includes(name));
  if (wrong) throw new Error(`There is no part "${wrong}"; there are ${names.join(', ')}.`);
  const chosen = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  return { ...values, chosen };
}

/** Runs a part in a directory of its own. */
async function runPart(bench: Bench, part: Part): Promise<Result> {
  const { name, title } = part;
  const directory = join(bench.directory, name);
  mkdirSync(directory);
  const began = performance.now();
  bench.say(`${styleText('bold', title)} (${name})`);
  try {
    const findings = await part.run({ ...bench, directory });
    bench.say(`  ${((performance.now() - began) / 1000).toFixed(0)} s`);
    return { name, title, findings };
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function run(): Promise<void> {
  const { quick, json, chosen } = readArguments();
  const bench = openBench(quick ? QUICK : FULL);
  const results: Result[] = [];
  for (const part of chosen) {
    const result = await runPart(bench, part);
    results.push(result);
    if (!quick) storePart({ ...result, machine: machine() });
    if (!json) console.log(`\n${terminalText(result.findings)}\n`);
  }
  if (json) console.log(JSON.stringify({ machine: Object.fromEntries(machine()), quick, results }, undefined, 2));
  if (quick) return;
  const stored = new Map(storedParts().map((part) => [part.name, part]));
  const measured = parts.flatMap(({ name }) => stored.get(name) ?? []);
  writeFileSync(RESULTS, markdown({ parts: measured, notes: readFileSync(NOTES, 'utf8') }));
  bench.say(`wrote ${RESULTS}`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
setTimeout(() => {
  console.error(`The benchmark did not end in ${LIMIT_MINUTES} minutes.`);
  process.exit(1);
}, LIMIT_MINUTES * 60_000).unref();
try {
  await run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
}
process.exit();
