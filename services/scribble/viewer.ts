import type { ClientSocket } from '../../src/index.ts';

/**
 * One client as the broadcast sees it.
 * - `live`: gets what every live client gets, in shared frames.
 * - `behind`: is told what changed after `sequence`, from the view, until that is everything.
 * - `empty`: (`scribble.v2`) is to get the whole canvas first.
 */
export type ViewerState = 'live' | 'behind' | 'empty';

export interface Viewer {
  readonly socket: ClientSocket;
  /** Speaks `scribble.v2`; otherwise JSON. */
  readonly binary: boolean;
  state: ViewerState;
  /** Of the last change it was sent while it was behind. */
  sequence: number;
}
