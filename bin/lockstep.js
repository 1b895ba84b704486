#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hugePages } from './huge-pages.js';
import { runOnNode24 } from './node24.js';

// TypeScript in a clone of the repository, JavaScript in the package: Node erases no types under node_modules.
const scripts = ['../src/cli/main.ts', '../dist/src/cli/main.js'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const args = process.argv.slice(2);
// Only a server holds so much that it gains by it.
const env = args.includes('start') ? hugePages() : {};
await runOnNode24(
  scripts.find((path) => existsSync(path)),
  args,
  env,
);
