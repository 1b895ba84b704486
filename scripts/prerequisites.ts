import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What the tests need beyond npm. `found` gives the path, or undefined. */
interface Prerequisite {
  readonly debianPackage: string;
  readonly purpose: string;
  found(): string | undefined;
}

const prerequisites: readonly Prerequisite[] = [
  {
    debianPackage: 'chromium',
    purpose: 'browser tests (or set CHROMIUM to a Chromium or Chrome)',
    found: () =>
      [process.env.CHROMIUM, '/usr/bin/chromium', onPath('chromium')].find((path) => path && executable(path)),
  },
  {
    debianPackage: 'redis-server',
    purpose: 'tests of views in Valkey or Redis, and the benchmark against the naive way',
    found: () => onPath('redis-server'),
  },
  {
    debianPackage: 'openssl',
    purpose: 'certificates of tests',
    found: () => onPath('openssl'),
  },
];

/** Installs what is missing where that is possible (root, apt), otherwise ends the process naming the command to run. */
export function ensurePrerequisites(print: (line: string) => void): void {
  const missing = prerequisites.filter((each) => !each.found());
  if (missing.length === 0) return;
  const packages = missing.map((each) => each.debianPackage);
  const asRoot = process.getuid?.() === 0;
  if (asRoot && onPath('apt-get')) {
    print(`installing with apt-get: ${packages.join(' ')}`);
    withoutStartingServices(() => install(packages));
  }
  const stillMissing = missing.filter((each) => !each.found());
  if (stillMissing.length === 0) return;
  for (const each of stillMissing) print(`missing: ${each.debianPackage}, for ${each.purpose}`);
  print(
    `run this, then the tests again:\n\n    ${asRoot ? '' : 'sudo '}apt-get update && ${asRoot ? '' : 'sudo '}apt-get install -y --no-install-recommends ${packages.join(' ')}\n`,
  );
  process.exit(1);
}

function install(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) => execFileSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  try {
    apt('update', '-q');
    apt('install', '-y', '-q', '--no-install-recommends', ...packages);
  } catch {
    // Said by apt itself; what is still missing is named by the caller.
  }
}

/** Debian starts a service it installs; `policy-rc.d` is its way to say no (invoke-rc.d(8)). */
function withoutStartingServices(work: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    work();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function onPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
