import { isIP } from 'node:net';
import { parseHosts } from '../record/hosts.ts';
import { parseValkeyUrl, redactValkeyUrl } from '../views/stores/valkey/url.ts';

/** How one option is written: what it accepts, in words and as code. */
export interface Kind<T> {
  /** Completes "expected ...". */
  readonly expected: string;
  /** The value, from an environment variable's text or from the file's own type; undefined when it is none. */
  read(value: unknown): T | undefined;
}

export interface Option<T> extends Kind<T> {
  /** Name of the environment variable. */
  readonly env: string;
  readonly fallback: T;
  /** One line for `lockstep config`. */
  readonly about: string;
  /** Also read from the file that `<env>_FILE` names, and shown only redacted. */
  readonly secret?: true;
  /** How a secret value is shown; as a URL without its password unless told. */
  redact?(value: string): string;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
export type TrustProxy = boolean | number | readonly string[];
/** Per-service settings: `{ leaderboard: { maxLevel: 200 } }`. Each service checks its own. */
export type ServiceSettings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const LOG_LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

function text(expected: string): Kind<string> {
  return { expected, read: (value) => (typeof value === 'string' && value.length > 0 ? value : undefined) };
}

function integer(min: number, max: number, what: string): Kind<number> {
  return {
    expected: `${what}: a whole number from ${min} to ${max}`,
    read(value) {
      const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
      return Number.isInteger(number) && (number as number) >= min && (number as number) <= max
        ? (number as number)
        : undefined;
    },
  };
}

function bytes(min: number): Kind<number> {
  return {
    expected: `a size of at least ${min} bytes, such as 1073741824, "512MB" or "1GiB"`,
    read(value) {
      const match = /^(\d{1,15})\s*([kmg]i?b)?$/i.exec(String(value));
      const size = match ? Number(match[1]) * UNITS[match[2]?.toLowerCase() ?? '']! : Number.NaN;
      return Number.isSafeInteger(size) && size >= min ? size : undefined;
    },
  };
}

export const SOCKET_HOST = 'socket';

/** `postgres://user:password@/database?host=/folder`, libpq's form for a Unix socket, is a URL only with a host put in. */
export function withSocketHost(text: string): string {
  return text.replace(/^(postgres(?:ql)?:\/\/[^@/]+@)\//, `$1${SOCKET_HOST}/`);
}

const POSTGRES = ['postgres:', 'postgresql:'];

function url(schemes: readonly string[], example: string): Kind<string> {
  return {
    expected: `a URL such as ${example}`,
    read(value) {
      if (typeof value !== 'string') return undefined;
      const url = URL.parse(withSocketHost(value));
      return url && schemes.includes(url.protocol) ? value.replace(/\/+$/, '') : undefined;
    },
  };
}

const valkeyUrl: Kind<string> = {
  expected:
    'a URL such as redis://user:password@host:6379, rediss:// for TLS, several host:port with commas between them for a Cluster',
  read: (value) => (typeof value === 'string' && parseValkeyUrl(value) ? value : undefined),
};

function postgres(database: string): Kind<string> {
  const one = url(POSTGRES, `postgresql://user:password@host:5432/${database}`);
  return {
    expected: `${one.expected}, with commas between several hosts, of which the primary is used`,
    read(value) {
      const hosts = typeof value === 'string' ? parseHosts(value)?.urls : undefined;
      return hosts?.every((each) => one.read(each) !== undefined) ? (value as string).replace(/\/+$/, '') : undefined;
    },
  };
}

/** A list in the file, or its elements with commas between them. */
function elements(value: unknown): readonly string[] | undefined {
  if (typeof value === 'string') return value.split(',').flatMap((part) => part.trim() || []);
  return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : undefined;
}

const origins: Kind<readonly string[]> = {
  expected: '"*", or origins such as https://example.org, with commas between them',
  read(value) {
    const list = elements(value);
    return list?.every((part) => part === '*' || (URL.canParse(part) && new URL(part).origin === part))
      ? list
      : undefined;
  },
};

const names: Kind<readonly string[]> = {
  expected: 'names of services, such as leaderboard, with commas between them',
  read(value) {
    const list = elements(value);
    return list && list.length > 0 ? list : undefined;
  },
};

function isNetwork(part: string): boolean {
  const [address = '', prefix, ...rest] = part.split('/');
  const family = isIP(address);
  if (rest.length > 0) return false;
  if (family === 0) return prefix === undefined && ['loopback', 'linklocal', 'uniquelocal'].includes(part);
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

const trustProxy: Kind<TrustProxy> = {
  expected:
    'true, false, the number of proxies in front, or their addresses (10.0.0.0/8, loopback) with commas between them',
  read(value) {
    if (typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    if (/^\d{1,2}$/.test(String(value))) return Number(value);
    const list = elements(value);
    return list && list.length > 0 && list.every(isNetwork) ? list : undefined;
  },
};

const logLevel: Kind<LogLevel> = {
  expected: `one of ${LOG_LEVELS.join(', ')}`,
  read: (value) => LOG_LEVELS.find((level) => level === value),
};

const services: Kind<ServiceSettings> = {
  expected: 'an object of objects, such as { leaderboard: { maxLevel: 200 } }',
  read(value) {
    const isObject = (part: unknown) => typeof part === 'object' && part !== null && !Array.isArray(part);
    const parsed = typeof value === 'string' ? parseJson(value) : value;
    return isObject(parsed) && Object.values(parsed as object).every(isObject)
      ? (parsed as ServiceSettings)
      : undefined;
  },
};

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Every option but unset ones have a value of their kind. */
function unset<T>(kind: Kind<T>): Kind<T | undefined> & { readonly fallback: T | undefined } {
  return { ...kind, fallback: undefined };
}

const WEB = ['http:', 'https:'];

/** Every option, in the order `lockstep config` prints them. */
export const OPTIONS = {
  host: {
    ...text('an address to listen on, such as 127.0.0.1 or ::'),
    env: 'HOST',
    fallback: '127.0.0.1',
    about: 'address to listen on',
  },
  port: {
    ...integer(0, 65535, 'a port (0 picks a free one)'),
    env: 'PORT',
    fallback: 8080,
    about: 'port to listen on',
  },
  dataDir: {
    ...text('a folder'),
    env: 'LOCKSTEP_DATA',
    fallback: '.lockstep',
    about: 'folder of the embedded database and the control socket',
  },
  databaseUrl: {
    ...unset(postgres('database')),
    env: 'DATABASE_URL',
    secret: true,
    about: 'the record; unset: the embedded PostgreSQL',
  },
  replicationUrl: {
    ...unset(postgres('database')),
    env: 'LOCKSTEP_REPLICATION_URL',
    secret: true,
    about: 'the record without a pooler in between; unset: databaseUrl',
  },
  valkeyUrl: {
    ...unset(valkeyUrl),
    env: 'VALKEY_URL',
    secret: true,
    redact: redactValkeyUrl,
    about: 'the store of the views, shared by many nodes; unset: the memory of this process',
  },
  valkeyReplicas: {
    ...integer(0, 5, 'replicas'),
    env: 'LOCKSTEP_VALKEY_REPLICAS',
    fallback: 0,
    about: 'replicas that must have a change before it counts as applied',
  },
  logLevel: { ...logLevel, env: 'LOG_LEVEL', fallback: 'info', about: 'least severe messages to log' },
  issuer: {
    ...unset(url(WEB, 'https://issuer.example.org')),
    env: 'LOCKSTEP_ISSUER',
    about: 'external OIDC issuer whose tokens are trusted; unset: own accounts',
  },
  audience: {
    ...unset(text("the audience of the issuer's tokens")),
    env: 'LOCKSTEP_AUDIENCE',
    about: 'audience the external tokens must name',
  },
  smtpUrl: {
    ...unset(url(['smtp:', 'smtps:'], 'smtps://user:password@mail.example.org')),
    env: 'LOCKSTEP_SMTP_URL',
    secret: true,
    about: 'mail server; set: e-mail addresses must be confirmed',
  },
  secret: {
    ...unset(text('a long random text, such as `openssl rand -base64 32` prints')),
    env: 'LOCKSTEP_SECRET',
    secret: true,
    about: 'encrypts the signing keys in the record; unset: they lie there readable for its owner',
  },
  publicUrl: {
    ...unset(url(WEB, 'https://example.org')),
    env: 'LOCKSTEP_PUBLIC_URL',
    about: 'how clients reach this server; unset: http://host:port',
  },
  corsOrigins: {
    ...origins,
    env: 'LOCKSTEP_CORS_ORIGINS',
    fallback: [],
    about: 'other origins whose pages may call the API',
  },
  trustProxy: {
    ...trustProxy,
    env: 'LOCKSTEP_TRUST_PROXY',
    fallback: false,
    about: 'proxies whose X-Forwarded-* headers are believed',
  },
  waitMs: {
    ...integer(0, 600_000, 'milliseconds'),
    env: 'LOCKSTEP_WAIT_MS',
    fallback: 5000,
    about: 'longest wait for a view, in milliseconds',
  },
  leaderTimeoutMs: {
    ...integer(500, 600_000, 'milliseconds'),
    env: 'LOCKSTEP_LEADER_TIMEOUT',
    fallback: 5000,
    about: 'a leading node that is silent for so long is deposed, in milliseconds',
  },
  walLimitBytes: {
    ...bytes(2 ** 24),
    env: 'LOCKSTEP_WAL_LIMIT',
    fallback: 2 ** 30,
    about: 'WAL kept for a slow follower before it rebuilds, in bytes',
  },
  rateLimit: {
    ...unset(integer(0, 1_000_000, 'requests a second')),
    env: 'LOCKSTEP_RATE_LIMIT',
    about: 'requests a second for each address, 0 for no limit; unset: 1000, and none for this machine itself',
  },
  only: { ...unset(names), env: 'LOCKSTEP_ONLY', about: 'the services to run; unset: all' },
  services: { ...services, env: 'LOCKSTEP_SERVICES', fallback: {}, about: 'settings of each service' },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

export type OptionName = keyof typeof OPTIONS;
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/** A setting that a service declares: the database its projections write to, where that is not the record's. */
export interface DatabaseSetting {
  /** In `lockstep.config.ts`. */
  readonly name: `${string}DatabaseUrl`;
  /** The environment variable; its `_FILE` sibling names a file with the URL. */
  readonly env: string;
  /** One line for `lockstep config`. */
  readonly about: string;
}

export function databaseOption({ env, about }: DatabaseSetting): Option<string | undefined> {
  return { ...unset(postgres('database')), env, about, secret: true };
}
