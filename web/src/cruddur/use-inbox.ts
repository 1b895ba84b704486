import { useCallback, useRef, useState } from 'react';
import { useTopicEvents } from '../live/use-live.ts';
import { type Group, type InboxEvent, type Me, own } from './api.ts';
import { type Loaded, useLoaded } from './use-loaded.ts';

export interface Inbox {
  readonly groups: Loaded<Group[]>;
  /** In all conversations together. */
  readonly unread: number;
  /** Calls `listener` with what happens in any conversation, until the returned function is called. */
  listen(listener: (event: InboxEvent) => void): () => void;
}

/** My conversations, in step: what is pushed says that something happened, the list says what is so now. */
export function useInbox(me: Me | undefined): Inbox {
  const groups = useLoaded(me ? me.topic : null, () => own<Group[]>('GET', '/message_groups?limit=100'));
  const [listeners] = useState(() => new Set<(event: InboxEvent) => void>());
  const loaded = useRef(groups);
  loaded.current = groups;
  useTopicEvents<InboxEvent>(
    me?.topic,
    (events) => {
      if (events.some(({ type }) => type !== 'typing')) loaded.current.reload();
      for (const event of events) for (const listener of listeners) listener(event);
    },
    () => loaded.current.reload(),
  );
  const unread = groups.data?.reduce((sum, { unread_count }) => sum + unread_count, 0) ?? 0;
  const listen = useCallback(
    (listener: (event: InboxEvent) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [listeners],
  );
  return { groups, unread, listen };
}
