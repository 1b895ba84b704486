import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHosts, withHosts } from '../record/hosts.ts';
import {
  type DatabaseSetting,
  databaseOption,
  type LogLevel,
  OPTION_NAMES,
  OPTIONS,
  type Option,
  type ServiceSettings,
  SOCKET_HOST,
  type TrustProxy,
  withSocketHost,
} from './options.ts';

/** The settings of a Lockstep process, checked. */
export interface Settings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  /** Unset: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined;
  /** Unset: `databaseUrl`. */
  readonly replicationUrl: string | undefined;
  /** Unset: the views live in this process. */
  readonly valkeyUrl: string | undefined;
  readonly valkeyReplicas: number;
  readonly logLevel: LogLevel;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly secret: string | undefined;
  /** Without a slash at its end. */
  readonly publicUrl: string | undefined;
  readonly corsOrigins: readonly string[];
  readonly trustProxy: TrustProxy;
  /** Milliseconds. */
  readonly waitMs: number;
  /** Milliseconds. */
  readonly leaderTimeoutMs: number;
  readonly walLimitBytes: number;
  /** Requests a second for each address; 0: no limit. Unset: a generous one that spares this machine itself. */
  readonly rateLimit: number | undefined;
  /** Names of the services to run; unset: all. */
  readonly only: readonly string[] | undefined;
  readonly services: ServiceSettings;
}

export type ConfigSource = 'default' | 'file' | 'env' | 'override';

/** The settings that services declare, by name. */
export type DatabaseUrls = Readonly<Record<DatabaseSetting['name'], string | undefined>>;

export interface Config extends Settings {
  readonly databases: DatabaseUrls;
  /** What services declare, beside the options that there always are. */
  readonly declared: readonly DatabaseSetting[];
  /** Where each value comes from. */
  readonly sources: Readonly<Record<string, ConfigSource>>;
}

/** What `lockstep.config.ts` exports by default: any of the settings. */
export type ConfigFile = Partial<Settings> & Partial<DatabaseUrls>;

/** A wrong setting. Its message is for the operator: option, value found, value expected. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export interface ConfigInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of `lockstep.config.ts`; relative paths start here. */
  readonly cwd: string;
  /** Stronger than the environment: options of the command line. */
  readonly overrides?: ConfigFile;
  /** What the services declare. */
  readonly declared?: readonly DatabaseSetting[];
}

type Options = Readonly<Record<string, Option<unknown>>>;

interface Found {
  readonly value: unknown;
  readonly source: ConfigSource;
  /** As the operator wrote it: `PORT`, `port in lockstep.config.ts`. */
  readonly where: string;
}

const FILE = 'lockstep.config.ts';

/** Declares the settings in `lockstep.config.ts`. Only checks types: what it is given is what it returns. */
export function defineConfig(config: ConfigFile): ConfigFile {
  return config;
}

/** The effective settings: overrides, then the environment, then `lockstep.config.ts`, then defaults. Throws {@link ConfigError}. */
export async function loadConfig({ env, cwd, overrides = {}, declared = [] }: ConfigInput): Promise<Config> {
  const options = optionsWith(declared);
  const file = await readConfigFile(resolve(cwd, FILE), Object.keys(options));
  const values: Record<string, unknown> = {};
  const sources: Record<string, ConfigSource> = {};
  for (const [name, option] of Object.entries(options)) {
    const found = given(name, overrides) ?? fromEnv(option, env, cwd) ?? fromFile(name, file);
    values[name] = found ? check(option, found) : option.fallback;
    sources[name] = found?.source ?? 'default';
  }
  values.dataDir = resolve(cwd, values.dataDir as string);
  const pick = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, values[name]]));
  const databases = pick(declared.map(({ name }) => name)) as DatabaseUrls;
  return { ...(pick(OPTION_NAMES) as unknown as Settings), databases, declared, sources };
}

function optionsWith(declared: readonly DatabaseSetting[]): Options {
  return { ...OPTIONS, ...Object.fromEntries(declared.map((setting) => [setting.name, databaseOption(setting)])) };
}

/** A copy to show: passwords in URLs are `***`. */
export function redact(config: Config): Config {
  const hidden = (values: object, options: Options) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        options[name]?.secret && typeof value === 'string' ? redacted(options[name], value) : value,
      ]),
    );
  return {
    ...(hidden(config, OPTIONS) as unknown as Config),
    databases: hidden(config.databases, optionsWith(config.declared)) as DatabaseUrls,
  };
}

export interface ConfigLine {
  readonly name: string;
  readonly env: string;
  readonly value: unknown;
  readonly source: ConfigSource;
  readonly about: string;
}

/** Every option with its value and where that comes from, for `lockstep config`. Secrets are redacted unless asked for. */
export function describe(config: Config, options: { readonly showSecrets?: boolean } = {}): ConfigLine[] {
  const { databases, ...settings } = options.showSecrets ? config : redact(config);
  const values: Readonly<Record<string, unknown>> = { ...settings, ...databases };
  return Object.entries(optionsWith(config.declared)).map(([name, { env, about }]) => ({
    name,
    env,
    value: values[name],
    source: config.sources[name]!,
    about,
  }));
}

/** A URL with its password as `***`, also one given as a parameter; wholly `***` when it is no URL. */
export function redactUrl(text: string): string {
  const hosts = parseHosts(text)?.hosts;
  if (hosts?.includes(',')) return withHosts(redactUrl(withHosts(text, SOCKET_HOST)), hosts);
  const withHost = withSocketHost(text);
  if (!URL.canParse(withHost)) return '***';
  const url = new URL(withHost);
  if (url.password) url.password = '***';
  for (const name of url.searchParams.keys()) {
    if (/password|passphrase|secret/i.test(name)) url.searchParams.set(name, '***');
  }
  return withHost === text ? url.href : url.href.replace(`@${SOCKET_HOST}/`, '@/');
}

function redacted({ redact = redactUrl }: Option<unknown>, value: string): string {
  return redact(value);
}

function check(option: Option<unknown>, { value, where }: Found): unknown {
  const checked = option.read(value);
  if (checked !== undefined) return checked;
  const found = option.secret && typeof value === 'string' ? redacted(option, value) : JSON.stringify(value);
  throw new ConfigError(`${where} is ${found}; expected ${option.expected}.`);
}

function given(name: string, overrides: ConfigFile): Found | undefined {
  const value = (overrides as Readonly<Record<string, unknown>>)[name];
  return value === undefined ? undefined : { value, source: 'override', where: `Option "${name}"` };
}

function fromFile(name: string, file: ConfigFile): Found | undefined {
  const value = (file as Readonly<Record<string, unknown>>)[name];
  return value === undefined ? undefined : { value, source: 'file', where: `"${name}" in ${FILE}` };
}

/** From the variable or, for a secret, from the file that its `_FILE` sibling names. An empty variable counts as unset. */
function fromEnv({ env: variable, secret }: Option<unknown>, env: ConfigInput['env'], cwd: string): Found | undefined {
  const path = secret ? env[`${variable}_FILE`] : undefined;
  if (env[variable] && path) throw new ConfigError(`${variable} and ${variable}_FILE are both set; unset one of them.`);
  if (path)
    return { value: readSecret(`${variable}_FILE`, resolve(cwd, path)), source: 'env', where: `${variable}_FILE` };
  return env[variable] ? { value: env[variable], source: 'env', where: variable } : undefined;
}

function readSecret(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(
      `${variable} names ${path}, which cannot be read (${reason}); expected a file with the secret.`,
    );
  }
}

async function readConfigFile(path: string, names: readonly string[]): Promise<ConfigFile> {
  if (!existsSync(path)) return {};
  const file: unknown = await importDefault(path);
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    throw new ConfigError(`${path} exports no settings; expected "export default defineConfig({ port: 8080 })".`);
  }
  for (const key of Object.keys(file)) {
    if (names.includes(key)) continue;
    throw new ConfigError(`${path} sets "${key}", which is no option; did you mean "${nearest(key, names)}"?`);
  }
  return file;
}

async function importDefault(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new ConfigError(`${path} cannot be loaded: ${(error as Error).message}`, { cause: error });
  }
}

/** The word of `words` with the fewest single-letter edits to `word`. */
function nearest(word: string, words: readonly string[]): string {
  const ranked = words.map((candidate) => ({
    candidate,
    edits: editDistance(word.toLowerCase(), candidate.toLowerCase()),
  }));
  return ranked.reduce((best, next) => (next.edits < best.edits ? next : best)).candidate;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
