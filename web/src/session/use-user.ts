import type { SignedIn } from 'lockstep/client';
import { useSyncExternalStore } from 'react';
import { client } from '../client.ts';

const subscribe = (listener: () => void) => client.session.subscribe(listener);

/** Who is signed in, followed. */
export function useUser(): SignedIn {
  return useSyncExternalStore(subscribe, () => client.session.user);
}
