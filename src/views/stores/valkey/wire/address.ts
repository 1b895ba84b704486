import { readFileSync } from 'node:fs';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A store's URL, taken apart. */
export interface StoreAddress {
  /** Several name the nodes of one cluster, by which the others are found. */
  readonly endpoints: readonly Endpoint[];
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  } | null;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The number of the database, 0 unless told; a cluster has only that one. */
  readonly database: number;
}

const FORM = /^(redis|rediss|valkey|valkeys):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/(\d{1,4})?)?(?:\?([^#]*))?$/;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^:[\]\s]+)(?::(\d{1,5}))?$/;
const PARAMETERS = ['ca', 'cert', 'key', 'servername'];

/** How a store's URL is written, for messages. */
export const STORE_URL = 'rediss://user:password@host:6379, with commas between several hosts of a cluster';

/** The URL's parts, without reading the files it names; undefined when it is none. */
export function parseStoreUrl(text: string): StoreAddress | undefined {
  const [, scheme, credentials, hosts, database, query] = FORM.exec(text) ?? [];
  if (!scheme) return undefined;
  const endpoints = hosts!.split(',').map(endpointOf);
  const tls = scheme === 'rediss' || scheme === 'valkeys';
  const parameters = [...new URLSearchParams(query ?? '')];
  const known = parameters.every(([name]) => tls && PARAMETERS.includes(name));
  if (!known || endpoints.includes(undefined)) return undefined;
  const [username, password] = credentialsOf(credentials);
  return {
    endpoints: endpoints as Endpoint[],
    tls: tls ? Object.fromEntries(parameters) : null,
    username: username || undefined,
    password,
    database: Number(database ?? 0),
  };
}

function endpointOf(text: string): Endpoint | undefined {
  const [, host, port = '6379'] = HOST.exec(text) ?? [];
  return host && Number(port) > 0 && Number(port) < 65_536
    ? { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
    : undefined;
}

function credentialsOf(text = ''): [username: string, password: string | undefined] {
  const colon = text.indexOf(':');
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return colon < 0 ? [decoded(text), undefined] : [decoded(text.slice(0, colon)), decoded(text.slice(colon + 1))];
}

/** The URL with its password as `***`. */
export function redactStoreUrl(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^:@/?#]*):[^@/?#]*@/, '$1:***@');
}

/** The files that the URL names, read. */
export function tlsFiles({ tls }: StoreAddress): {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
} {
  const files = (['ca', 'cert', 'key'] as const).flatMap((name) => {
    const path = tls?.[name];
    return path ? [[name, readFileSync(path)] as const] : [];
  });
  return Object.fromEntries(files);
}
