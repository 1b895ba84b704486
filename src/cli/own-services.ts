import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ServiceDefinition } from '../runtime/service.ts';

const NAME = /^[a-z][a-z0-9-]{0,39}$/;

/** Whether a service may be called so. */
export function isServiceName(name: string): boolean {
  return NAME.test(name) && !RESERVED.has(name);
}

/** Paths that are taken. */
const RESERVED = new Set('assets console docs guides healthz identity live lockstep metrics readyz'.split(' '));

/**
 * The services that Lockstep ships with and those in `services/<name>/service.ts` under the working folder, where `lockstep new`
 * puts them. A service of one's own takes the place of a shipped one of the same name.
 */
export async function findServices(
  cwd: string,
  shipped: readonly ServiceDefinition[],
): Promise<readonly ServiceDefinition[]> {
  const files = globSync('services/*/service.{ts,js}', { cwd }).sort();
  const own = await Promise.all(files.map((file) => loadService(join(cwd, file))));
  const names = new Set(own.map(({ name }) => name));
  return [...shipped.filter(({ name }) => !names.has(name)), ...own];
}

async function loadService(file: string): Promise<ServiceDefinition> {
  const { default: service } = await importService(file);
  const folder = basename(dirname(file));
  if (!service?.name || typeof service.routes !== 'function') {
    throw new Error(`${file} exports no service; expected "export default defineService({ name: '${folder}', ... })".`);
  }
  if (service.name !== folder) {
    throw new Error(`The service in ${file} is named "${service.name}"; name it "${folder}", as its folder.`);
  }
  if (!isServiceName(folder)) throw new Error(`${file}: a service cannot be called "${folder}"; ${NAME_RULE}.`);
  if (!existsSync(service.migrations)) {
    throw new Error(`${file}: there is no folder ${service.migrations}; put the numbered .sql files there.`);
  }
  return service;
}

export const NAME_RULE = 'take lower-case letters, digits and hyphens, and no path that is taken';

async function importService(file: string): Promise<{ default?: ServiceDefinition }> {
  try {
    return (await import(pathToFileURL(file).href)) as { default?: ServiceDefinition };
  } catch (error) {
    throw new Error(`${file} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}
