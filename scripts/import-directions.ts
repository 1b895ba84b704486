import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * Who may import whom inside `src/`. Imports point backwards along the data's path; identity and testing stand beside it.
 * A folder that is not named here may not exist.
 */
const path = ['record', 'changes', 'views', 'live', 'runtime', 'http', 'cli'];
const allowed: Readonly<Record<string, readonly string[]>> = {
  record: [],
  identity: ['record'],
  changes: ['record'],
  views: ['record', 'changes'],
  live: ['record', 'changes', 'views'],
  runtime: ['record', 'changes', 'views', 'live', 'identity'],
  http: ['record', 'changes', 'views', 'live', 'identity', 'runtime'],
  cli: [...path, 'identity', 'services', 'scripts'],
  index: [...path, 'identity'],
  client: [],
  testing: [...path, 'identity', 'index', 'services'],
};

/** Imports that go against the rule, each for a reason. Types only: nothing runs backwards. */
const exceptions: readonly { file: string; to: string }[] = [];

interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

const IMPORT = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

/** The imports of one source file, in order. */
export function importsOf(source: string): Import[] {
  return [...source.matchAll(IMPORT)].map((match) => ({
    specifier: (match[2] ?? match[3])!,
    line: source.slice(0, match.index + match[0].length).split('\n').length,
    typeOnly: match[1] !== undefined,
  }));
}

/** One line for each import that breaks the rule. `file` is relative to the root, with `/`. */
export function violationsIn(file: string, source: string): string[] {
  const from = areaOf(file);
  const isTest = /\.test\.tsx?$/.test(file);
  const declares = file.endsWith('.d.ts');
  return importsOf(source)
    .filter((each) => each.specifier.startsWith('.') || (from === 'web' && isOwnPackage(each.specifier)))
    .map((each) => ({ ...each, target: targetOf(file, each.specifier) }))
    .filter((each) => !mayImport({ file, from, isTest, target: each.target, typeOnly: declares || each.typeOnly }))
    .map((each) => `${file}:${each.line} imports ${each.target}: ${rule(from)}`);
}

/** All violations under `root`. */
export function violationsUnder(root: string): string[] {
  return globSync('{src,services,web}/**/*.{ts,tsx}', { cwd: root, exclude: ['web/dist/**'] })
    .sort()
    .flatMap((file) => violationsIn(file, readFileSync(join(root, file), 'utf8')));
}

function isOwnPackage(specifier: string): boolean {
  return specifier === 'lockstep' || specifier.startsWith('lockstep/');
}

/** The package by its own name, as its users import it: `lockstep/client` is `src/client/index.ts`. */
function targetOf(file: string, specifier: string): string {
  if (!isOwnPackage(specifier)) return posix.join(posix.dirname(file), specifier);
  return posix.join('src', specifier.slice('lockstep/'.length), 'index.ts');
}

/** `src/live/topics.ts` is of `live`, `src/index.ts` of `index`, `services/leaderboard/routes.ts` of `services/leaderboard`. */
function areaOf(file: string): string {
  const [top, second = ''] = file.split('/');
  if (top === 'src') return second === 'index.ts' ? 'index' : second;
  if (top === 'services') return second.endsWith('.ts') ? 'services' : `services/${second}`;
  return top!;
}

interface Question {
  readonly file: string;
  readonly from: string;
  readonly isTest: boolean;
  readonly target: string;
  readonly typeOnly: boolean;
}

function mayImport({ file, from, isTest, target, typeOnly }: Question): boolean {
  const to = areaOf(target);
  if (to === from) return true;
  if (isTest && (to === 'testing' || to === 'client' || to === 'scripts')) return true;
  // A service with a part of the kit replaced, to see that a test finds the fault; and what stands in for a service's clients.
  if (from === 'testing' && to.startsWith('services/')) return isTest || posix.basename(target).startsWith('test-');
  if (typeOnly && exceptions.some((each) => each.file === file && each.to === to)) return true;
  if (from === 'services') return to === 'index' || to.startsWith('services/');
  if (from.startsWith('services/')) return to === 'index';
  if (from === 'web')
    return to === 'client' || (typeOnly && (['http', 'scripts'].includes(to) || to.startsWith('services/')));
  return allowed[from]?.includes(to) ?? false;
}

function rule(from: string): string {
  if (from.startsWith('services')) return 'a service imports its own folder and src/index.ts';
  if (from === 'web')
    return 'the web application uses lockstep/client, and of src/http, services and scripts only types';
  if (!allowed[from]) return `src/${from} is no part of the layout`;
  return `${from} may import ${allowed[from].join(', ') || 'nothing but itself'}`;
}
