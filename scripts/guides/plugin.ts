import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { GROUPS, GUIDES, readGuide } from './guides.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ALL = 'virtual:guides';
const ONE = 'virtual:guide/';
/** What is so named is no file, for other plugins. */
const OWN = '\0';

/** Makes the documents modules: `virtual:guides` lists them, and loads each when its page is opened. */
export function guidesPlugin(): Plugin {
  return {
    name: 'guides',
    resolveId: (id) => (id === ALL || id.startsWith(ONE) ? OWN + id : undefined),
    load(id) {
      if (id === OWN + ALL) return listModule();
      const source = GUIDES.find(({ name }) => id === OWN + ONE + name);
      if (!source) return undefined;
      this.addWatchFile(join(ROOT, source.file));
      return `export default ${JSON.stringify(readGuide(source))};`;
    },
    generateBundle() {
      // For the server: which addresses are pages.
      const names = GUIDES.map(({ name }) => name);
      this.emitFile({ type: 'asset', fileName: 'guides.json', source: JSON.stringify(names) });
    },
  };
}

function listModule(): string {
  const groups = GROUPS.map(({ title, guides }) => ({
    title,
    guides: guides.map(({ name, label, about }) => ({ name, label, about })),
  }));
  const loaders = GUIDES.map(({ name }) => `${JSON.stringify(name)}: () => import(${JSON.stringify(ONE + name)})`);
  return `export const groups = ${JSON.stringify(groups)};\nexport const load = { ${loaders.join(', ')} };`;
}
