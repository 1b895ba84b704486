import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { Command } from 'commander';
import { WrongUsage } from '../failure.ts';
import { isServiceName, NAME_RULE } from '../own-services.ts';
import type { CommandContext } from '../program.ts';
import { newService } from './new-service.ts';

export function addNew(program: Command, { cwd, out }: CommandContext): void {
  program
    .command('new')
    .argument('<name>', 'of the service, such as my-service')
    .description('write a small service of your own into services/<name>/')
    .action((name: string) => {
      if (!isServiceName(name)) throw new WrongUsage(`A service cannot be called "${name}"; ${NAME_RULE}.`);
      const folder = join(cwd, 'services', name);
      if (existsSync(folder)) throw new Error(`${folder} is there already; take another name, or remove it.`);
      const files = newService(name).map(([path, text]) => [join(folder, path), text] as const);
      const written = [...missingFiles(cwd), ...files];
      for (const [path, text] of written) write(path, text);
      const paths = written.map(([path]) => relative(cwd, path));
      out.print(paths, [...paths.map((path) => `  ${path}`), '', next(name)].join('\n'));
    });
}

/** Tells Node that the files beside it are modules. */
const MODULES = `${JSON.stringify({ type: 'module' })}\n`;

/** For `tsc` and editors: as Node takes the files, nothing is compiled. */
const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2024",
    "lib": ["es2024", "esnext.disposable", "dom"],
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["services"]
}
`;

/** What the folder around the services needs, and has not. */
function missingFiles(cwd: string): (readonly [path: string, text: string])[] {
  const modules = [join(cwd, 'services/package.json'), MODULES] as const;
  const tsconfig = [join(cwd, 'tsconfig.json'), TSCONFIG] as const;
  return [...(isModule(cwd) ? [] : [modules]), tsconfig].filter(([path]) => !existsSync(path));
}

function isModule(folder: string): boolean {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return false;
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { type?: unknown }).type === 'module';
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function next(name: string): string {
  return `Try it:  npx lockstep test ${name}
         npx lockstep start --only ${name}
Its page, with every route and what it tells live, is then at /${name}/.`;
}
