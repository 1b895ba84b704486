import type { TestContext } from 'node:test';
import { services } from '../../services/index.ts';
import type { ConfigFile } from '../runtime/config.ts';
import { type TestApp, testServices } from './services.ts';

export type { TestApp } from './services.ts';

/** Lockstep with all that it ships with, on a database of the test's own, listening on a free port; gone with the test. */
export function testApp(t: TestContext, settings: ConfigFile = {}): Promise<TestApp> {
  return testServices(t, services, settings);
}
