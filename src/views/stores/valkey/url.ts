/** Where a Valkey or Redis is, and as whom to sign in. */
export interface ValkeyAddress {
  /** At least one; more than one are nodes of a Cluster. */
  readonly hosts: readonly ValkeyHost[];
  readonly cluster: boolean;
  /** An ACL user; the default one where undefined. */
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** 0 in a Cluster. */
  readonly database: number;
  /** Undefined: without TLS. */
  readonly tls: ValkeyTls | undefined;
}

export interface ValkeyHost {
  readonly host: string;
  readonly port: number;
}

/** Files in PEM; the system's authorities where `ca` is undefined. */
export interface ValkeyTls {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The name on the server's certificate, where it is not the host's. */
  readonly servername: string | undefined;
}

const FORM = /^(redis|rediss|valkey|valkeys):\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/(\d{0,3}))?(?:\?(.*))?$/;
const HOST = /^(\[[\da-fA-F:.]+\]|[\w.-]+)(?::(\d{1,5}))?$/;
const PARAMETERS = ['cluster', 'ca', 'cert', 'key', 'servername'];

/**
 * Reads `redis://user:password@host:6379/0`, `rediss://` with TLS, or several `host:port` with commas between them, which are a
 * Cluster (as is one host with `?cluster=true`). `valkey://` and `valkeys://` are the same. Undefined where it is none.
 */
export function parseValkeyUrl(text: string): ValkeyAddress | undefined {
  const [, scheme, userinfo, authority, database = '', query = ''] = FORM.exec(text) ?? [];
  if (scheme === undefined) return undefined;
  const hosts = authority!.split(',').map(hostOf);
  const parameters = new URLSearchParams(query);
  const known = [...parameters.keys()].every((name) => PARAMETERS.includes(name));
  const cluster = hosts.length > 1 || parameters.get('cluster') === 'true';
  const secure = scheme === 'rediss' || scheme === 'valkeys';
  const user = credentials(userinfo);
  if (!known || !user || !hosts.every((host) => host !== undefined)) return undefined;
  if (cluster && Number(database) > 0) return undefined;
  if (!secure && ['ca', 'cert', 'key', 'servername'].some((name) => parameters.has(name))) return undefined;
  return { hosts, cluster, ...user, database: Number(database), tls: secure ? tlsOf(parameters) : undefined };
}

/** The same URL with its password as `***`; wholly `***` when it is none. */
export function redactValkeyUrl(text: string): string {
  if (!parseValkeyUrl(text)) return '***';
  return text.replace(/^(\w+:\/\/[^:@/?]*):[^@/?]*@/, '$1:***@');
}

function hostOf(text: string): ValkeyHost | undefined {
  const [, host, port = '6379'] = HOST.exec(text) ?? [];
  const number = Number(port);
  return host !== undefined && number > 0 && number < 65_536
    ? { host: host.replace(/^\[|\]$/g, ''), port: number }
    : undefined;
}

/** `user:password`, `:password` or nothing; percent-encoded where it must be. */
function credentials(userinfo = ''): Pick<ValkeyAddress, 'username' | 'password'> | undefined {
  const [name = '', ...rest] = userinfo.split(':');
  try {
    return {
      username: decodeURIComponent(name) || undefined,
      password: decodeURIComponent(rest.join(':')) || undefined,
    };
  } catch {
    return undefined;
  }
}

function tlsOf(parameters: URLSearchParams): ValkeyTls {
  const [ca, cert, key, servername] = ['ca', 'cert', 'key', 'servername'].map(
    (name) => parameters.get(name) ?? undefined,
  );
  return { ca, cert, key, servername };
}
