import { useSyncExternalStore } from 'react';
import { session, type User } from './session.ts';

const subscribe = (listener: () => void) => session.subscribe(listener);

/** Who is signed in, followed. */
export function useUser(): User {
  return useSyncExternalStore(subscribe, () => session.user);
}
