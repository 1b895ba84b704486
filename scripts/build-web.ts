import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, gzip } from 'node:zlib';
import { GUIDES } from './guides/guides.ts';

const ROOT = fileURLToPath(new URL('../web/', import.meta.url));
const CLIENT = fileURLToPath(new URL('../src/client/', import.meta.url));
/** What makes pages of the documents. */
const RENDERER = fileURLToPath(new URL('./guides/', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url));
const LOCK = join(REPOSITORY, 'package-lock.json');
/** In the output: what it was built from. */
const STAMP = 'built-from';

/** Builds the pages into `web/dist`, for users, also where it is called from a test. */
export async function buildWeb(): Promise<void> {
  const { NODE_ENV } = process.env;
  // Vite and React take it from here: with another one the pages would carry React's development build, twice the size.
  process.env.NODE_ENV = 'production';
  try {
    await build();
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

async function build(): Promise<void> {
  const stamp = await sourcesHash();
  // Loaded here: who finds the pages built already need not wait for it.
  const [vite, { default: react }, { guidesPlugin }] = await Promise.all([
    import('vite'),
    import('@vitejs/plugin-react'),
    import('./guides/plugin.ts'),
  ]);
  await vite.build({
    configFile: false,
    root: ROOT,
    logLevel: 'warn',
    plugins: [react(), guidesPlugin()],
    build: {
      outDir: 'dist',
      emptyOutDir: true,
      target: 'es2023',
      cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
      // An inlined file is a data: URL, which the content policy refuses.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // On a slow machine it would tell of plugins that take long.
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  });
  await compressFiles(join(ROOT, 'dist'));
  await writeFile(join(ROOT, 'dist', STAMP), stamp);
}

/** Puts a `.br` and a `.gz` beside each text file: the server sends what the browser takes and compresses nothing itself. */
async function compressFiles(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = entries.filter((entry) => entry.isFile() && /\.(html|js|css|svg)$/.test(entry.name));
  await Promise.all(
    texts.map(async (entry) => {
      const path = join(entry.parentPath, entry.name);
      const content = await readFile(path);
      await writeFile(`${path}.br`, await promisify(brotliCompress)(content));
      await writeFile(`${path}.gz`, await promisify(gzip)(content, { level: 9 }));
    }),
  );
}

/** Builds the pages unless they are built from just these sources; `before` is called when it does. */
export async function buildWebIfNeeded(before: () => void = () => {}): Promise<void> {
  const built = await readFile(join(ROOT, 'dist', STAMP), 'utf8').catch(() => null);
  if (built === (await sourcesHash())) return;
  before();
  await buildWeb();
}

/** Of every file the output depends on: the sources, the documents, the packages, what builds. */
async function sourcesHash(): Promise<string> {
  const sources = [...(await filesUnder(ROOT)), ...(await filesUnder(CLIENT)), ...(await filesUnder(RENDERER))];
  const own = sources.filter((path) => !path.startsWith(join(ROOT, 'dist')));
  const documents = GUIDES.map(({ file }) => join(REPOSITORY, file));
  const hash = createHash('sha256');
  for (const path of [...own.sort(), ...documents, LOCK, fileURLToPath(import.meta.url)]) {
    hash
      .update(`${relative(ROOT, path)}\0`)
      .update(await readFile(path))
      .update('\0');
  }
  return hash.digest('hex');
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await buildWeb();
