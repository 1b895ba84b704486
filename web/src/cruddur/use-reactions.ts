import { useCallback, useMemo } from 'react';
import { client } from '../client.ts';
import { own, type Reactions } from './api.ts';
import { useLoaded } from './use-loaded.ts';

export interface MyReactions {
  has(kind: keyof Reactions, uuid: string): boolean;
  toggle(kind: keyof Reactions, uuid: string): void;
}

const PATHS = { likes: 'like', reposts: 'repost' } as const;

/** What I like and have reposted. Shown at once, then as the server has it. */
export function useReactions(username: string | undefined, onNobody: () => void): MyReactions {
  const { data, update, reload } = useLoaded<Reactions>(username ?? null, () => own('GET', '/activities/reactions'));
  const has = useCallback((kind: keyof Reactions, uuid: string) => data?.[kind].includes(uuid) ?? false, [data]);
  const toggle = useCallback(
    (kind: keyof Reactions, uuid: string) => {
      if (!client.session.user) return onNobody();
      const done = has(kind, uuid);
      update((all) => ({ ...all, [kind]: done ? all[kind].filter((one) => one !== uuid) : [...all[kind], uuid] }));
      own(done ? 'DELETE' : 'POST', `/activities/${uuid}/${PATHS[kind]}`).then(reload, reload);
    },
    [has, update, reload, onNobody],
  );
  return useMemo(() => ({ has, toggle }), [has, toggle]);
}
