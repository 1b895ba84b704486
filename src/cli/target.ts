import type { LiveStatus, VerifyReport } from '../live/live.ts';

/** What `lockstep status` tells. */
export interface SystemStatus {
  readonly version: string;
  readonly pid: number;
  /** Where it serves; null when it was opened for a command alone. */
  readonly url: string | null;
  /** Seconds since its start. */
  readonly uptime: number;
  readonly record: { readonly engine: string; readonly embedded: boolean; readonly url: string };
  readonly store: string;
  readonly live: LiveStatus;
}

export interface RebuildReport {
  readonly view: string;
  readonly position: string;
  readonly entries: number;
  readonly seconds: number;
}

/** `view` is `<service>.<name>`. */
export type ViewProgress = (view: string, rows: number, of: number) => void;

/** The system a command works on: the running server, or one opened for as long as the command lasts. */
export interface Target {
  /** Names of the views, `<service>.<name>`. */
  status(): Promise<SystemStatus>;
  /** One view, or all. */
  verify(view: string | undefined, progress: ViewProgress): AsyncIterable<VerifyReport>;
  rebuild(view: string | undefined, progress: ViewProgress): AsyncIterable<RebuildReport>;
}
