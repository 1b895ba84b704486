declare module '*.css';

/** Made of the documents when the pages are built (scripts/guides/plugin.ts). */
declare module 'virtual:guides' {
  type Listed = Pick<import('../../scripts/guides/guides.ts').GuideSource, 'name' | 'label' | 'about'>;

  /** In the order in which one would read them. */
  export const groups: readonly { readonly title: string; readonly guides: readonly Listed[] }[];
  /** By name: loads the guide. */
  export const load: Readonly<
    Record<string, () => Promise<{ readonly default: import('../../scripts/guides/render.ts').Guide }>>
  >;
}
