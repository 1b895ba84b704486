import { createHash } from 'node:crypto';

/** Lua that runs on the server with one key; known there by its digest once it was sent. */
export interface Script {
  readonly source: string;
  readonly sha: string;
}

export function scriptOf(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
