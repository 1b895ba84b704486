import { existsSync } from 'node:fs';

const builder = new URL('../../scripts/build-web.ts', import.meta.url);

/**
 * In a clone of the repository: builds the pages where they are missing or older than their sources, which takes a second or two.
 * An installed package brings them. `before` is called before it builds them.
 */
export async function ensurePages(before: () => void): Promise<void> {
  if (!existsSync(builder)) return;
  const { buildWebIfNeeded }: typeof import('../../scripts/build-web.ts') = await import(builder.href);
  await buildWebIfNeeded(before);
}
