const POSTGRES_URL = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#]*)(.*)$/s;
const SESSION_ATTRS = /([?&])target_session_attrs=([^&]*)(&|$)/;

/** What of libpq's `target_session_attrs` can be asked for: Lockstep writes, so the others make no sense. */
const ATTRS = new Set(['any', 'read-write', 'primary']);

/** A PostgreSQL URL taken apart: libpq's form with several hosts is none for `URL` and `pg`. */
export interface HostedUrl {
  /** One URL for each host, which `pg` takes. */
  readonly urls: readonly string[];
  /** As written: `db1:5432,db2:5432`. */
  readonly hosts: string;
  /** Whether each connection must be to a server that takes writes. */
  readonly primary: boolean;
}

/** `postgresql://user:password@db1:5432,db2:5432/shop?target_session_attrs=read-write`; undefined for what is no PostgreSQL URL. */
export function parseHosts(url: string): HostedUrl | undefined {
  const [, before, hosts, rest] = POSTGRES_URL.exec(url) ?? [];
  if (before === undefined || hosts === undefined || rest === undefined) return undefined;
  const attrs = SESSION_ATTRS.exec(rest)?.[2];
  if (attrs !== undefined && !ATTRS.has(attrs)) return undefined;
  const plain = rest.replace(SESSION_ATTRS, (_all, start, _value, end) => (end === '&' ? start : ''));
  const list = hosts.split(',');
  if (list.length > 1 && list.includes('')) return undefined;
  return {
    urls: list.map((host) => `${before}${host}${plain}`),
    hosts,
    primary: list.length > 1 || (attrs !== undefined && attrs !== 'any'),
  };
}

/** The same URL with other hosts. */
export function withHosts(url: string, hosts: string): string {
  return url.replace(POSTGRES_URL, (_all, before, _hosts, rest) => `${before}${hosts}${rest}`);
}
