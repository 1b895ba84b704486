/** What `INFO` tells of a server, as far as it matters here. */
export interface ServerInfo {
  /** `Redis 7.0.15`, `Valkey 8.1.0`. */
  readonly name: string;
  /** The version of Redis that it is, or is compatible with: `7.0.15`. */
  readonly redisVersion: string;
  /** Undefined where the server does not tell. */
  readonly maxmemoryPolicy: string | undefined;
}

/** Reads the answer to `INFO`. */
export function readInfo(info: string): ServerInfo {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const redisVersion = field('redis_version') ?? '0';
  const valkey = field('valkey_version');
  return {
    name: valkey ? `Valkey ${valkey}` : `Redis ${redisVersion}`,
    redisVersion,
    maxmemoryPolicy: field('maxmemory_policy'),
  };
}

const OLDEST = 7;

/** Why views cannot live on a server, with the fix; undefined where they can. */
export function unfitness({ name, redisVersion, maxmemoryPolicy }: ServerInfo): string | undefined {
  if (Number(redisVersion.split('.')[0]) < OLDEST)
    return `VALKEY_URL leads to ${name}; views need Valkey, or Redis ${OLDEST} or newer.`;
  // The keys of views never expire: what evicts only keys that do leaves them alone.
  if (maxmemoryPolicy?.startsWith('allkeys-')) {
    return (
      `The server at VALKEY_URL has the eviction policy ${maxmemoryPolicy}, which would let go of parts of views. Use a server ` +
      'of their own, or: CONFIG SET maxmemory-policy noeviction (and the same in its configuration file).'
    );
  }
  return undefined;
}
