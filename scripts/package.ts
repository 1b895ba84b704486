// What `npm pack` does before it packs (`prepack`) and after (`postpack`): the package is JavaScript with its types and the built
// pages, under dist/, and needs neither TypeScript nor what builds the pages. Its package.json says so while it is packed.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildWebIfNeeded } from './build-web.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = join(root, 'package.json');
const saved = join(root, 'node_modules/.cache/lockstep-package.json');
/** Only for building the pages. */
const BUILD_ONLY = ['vite', '@vitejs/plugin-react', 'react', 'react-dom', 'uplot', 'wouter'];

interface Manifest {
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly [name: string]: unknown;
}

async function prepack(): Promise<void> {
  if (existsSync(saved)) postpack(); // the last one was cut off
  await buildWebIfNeeded();
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' });
  rmSync(join(root, 'dist/scripts'), { recursive: true, force: true }); // only a type of it was asked for
  for (const file of globSync(['{src,services}/**/*.sql', 'src/**/*.lua'], { cwd: root })) copy(file);
  cpSync(join(root, 'web/dist'), join(root, 'dist/web/dist'), { recursive: true });
  mkdirSync(dirname(saved), { recursive: true });
  copyFileSync(manifest, saved);
  const packaged = packagedManifest(JSON.parse(readFileSync(manifest, 'utf8')) as Manifest);
  for (const place of [manifest, join(root, 'dist/package.json')]) writeFileSync(place, packaged);
}

function postpack(): void {
  copyFileSync(saved, manifest);
  rmSync(saved);
}

function copy(file: string): void {
  mkdirSync(join(root, 'dist', dirname(file)), { recursive: true });
  copyFileSync(join(root, file), join(root, 'dist', file));
}

function packagedManifest({ devDependencies: _, scripts: __, ...rest }: Manifest): string {
  const dependencies = Object.entries(rest.dependencies).filter(([name]) => !BUILD_ONLY.includes(name));
  const exports = Object.entries(rest.exports).map(([name, source]) => [name, compiled(source)]);
  return `${JSON.stringify({ ...rest, exports: Object.fromEntries(exports), dependencies: Object.fromEntries(dependencies) }, undefined, 2)}\n`;
}

function compiled(source: string): unknown {
  if (!source.endsWith('.ts')) return source;
  const [types, script] = ['.d.ts', '.js'].map((suffix) => source.replace('./', './dist/').replace(/\.ts$/, suffix));
  return { types, default: script };
}

if (process.argv[2] === 'postpack') postpack();
else await prepack();
