#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runOnNode24 } from './node24.js';

// TypeScript in a clone of the repository, JavaScript in the package: Node erases no types under node_modules.
const scripts = ['../src/cli/main.ts', '../dist/src/cli/main.js'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
await runOnNode24(
  scripts.find((path) => existsSync(path)),
  process.argv.slice(2),
);
