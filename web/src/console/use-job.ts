import { Problem } from 'lockstep/client';
import { useState } from 'react';
import { client, messageFor } from '../client.ts';
import type { ControlLine } from './types.ts';

export type Job<Result> =
  | { readonly state: 'idle' }
  | { readonly state: 'running'; readonly share: number | null }
  | { readonly state: 'done'; readonly result: Result }
  | { readonly state: 'failed'; readonly message: string };

/** Has one view verified or rebuilt, and follows how far that is. */
export function useJob<Result>(): [Job<Result>, (kind: 'verify' | 'rebuild', view: string) => Promise<void>] {
  const [job, setJob] = useState<Job<Result>>({ state: 'idle' });
  const run = async (kind: 'verify' | 'rebuild', view: string) => {
    setJob({ state: 'running', share: null });
    let ended = false;
    try {
      for await (const line of lines(`/console/api/${kind}?${new URLSearchParams({ view })}`)) {
        if ('error' in line) throw new Problem({ ...line.error, requestId: undefined, body: undefined });
        if ('result' in line) {
          ended = true;
          setJob({ state: 'done', result: line.result[0] as Result });
        } else {
          const { rows, of } = line.progress;
          setJob({ state: 'running', share: of > 0 ? Math.min(1, rows / of) : null });
        }
      }
      if (!ended) setJob({ state: 'failed', message: 'The server ended before it was done.' });
    } catch (error) {
      setJob({ state: 'failed', message: messageFor(error) });
    }
  };
  return [job, run];
}

/** What the server tells of a job, line by line, while it goes on. */
async function* lines(path: string): AsyncGenerator<ControlLine> {
  const token = await client.session.token();
  const response = await fetch(path, { method: 'POST', headers: token ? { Authorization: `Bearer ${token}` } : {} });
  if (!response.ok || !response.body) {
    const { message = `The server answered ${response.status}.` } = await response.json().catch(() => ({}));
    throw new Problem({ status: response.status, message, requestId: undefined, body: undefined });
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const parts = (rest + read.value).split('\n');
    rest = parts.pop()!;
    for (const part of parts) yield JSON.parse(part) as ControlLine;
  }
}
