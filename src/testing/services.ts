import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { serve } from '../http/serve.ts';
import type { OpenStore } from '../live/stored/store.ts';
import { type ConfigFile, loadConfig } from '../runtime/config.ts';
import { openRuntime, type Runtime } from '../runtime/runtime.ts';
import { declaredSettings, type ServiceDefinition } from '../runtime/service.ts';
import { testDatabase } from './database.ts';
import { releaseStore, testStoreUrl } from './store.ts';

export interface TestApp extends Runtime {
  readonly url: string;
  /** A new process on the same database, in effect: everything is stopped and started again. */
  restart(): Promise<TestApp>;
}

/** Lockstep with these services on a database of the test's own, or the one that `settings` names, listening on a free port; gone with the test. */
export async function testServices(
  t: TestContext,
  services: readonly ServiceDefinition[],
  settings: ConfigFile = {},
  store?: () => OpenStore,
): Promise<TestApp> {
  const databaseUrl = settings.databaseUrl ?? (await testDatabase(t)).url;
  return startApp({ t, databaseUrl, services, settings, ...(store && { store }) });
}

interface AppOptions {
  readonly t: TestContext;
  readonly databaseUrl: string;
  readonly services: readonly ServiceDefinition[];
  readonly settings: ConfigFile;
  readonly store?: () => OpenStore;
}

async function startApp(options: AppOptions): Promise<TestApp> {
  const { t, databaseUrl, services, settings } = options;
  const valkeyUrl = options.store ? undefined : await testStoreUrl(databaseUrl);
  const dataDir = await mkdtemp(join(tmpdir(), 'lockstep-app-'));
  const config = await loadConfig({
    env: {},
    cwd: dataDir,
    declared: declaredSettings(services),
    overrides: { dataDir, databaseUrl, ...(valkeyUrl && { valkeyUrl }), port: 0, rateLimit: 0, ...settings },
  });
  const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
  // From here on: a start that fails leaves nothing either.
  let end = async () => {};
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= end().then(() => rm(dataDir, { recursive: true, force: true }));
    return stopped;
  };
  t.after(() => stop().then(() => releaseStore(databaseUrl)));
  const runtime = await openRuntime({ config, services, log, ...(options.store && { store: options.store() }) });
  end = () => runtime.stop();
  const served = await serve(runtime, { version: 'test' });
  end = () => served.stop();
  while (isBuilding(runtime)) await sleep(5);
  return {
    ...runtime,
    url: served.url,
    stop,
    restart: async () => {
      await stop();
      return startApp(options);
    },
  };
}

/** A view that is broken is a test's own doing. */
function isBuilding({ live }: Runtime): boolean {
  const { following, views } = live.status();
  return !following || views.some(({ state }) => state === 'building');
}
