import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, readFileSync, type Stats, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

/** Whom PostgreSQL runs as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Starts PostgreSQL's programs, which refuse to run as root, so that they end with this process. */
export interface Launcher {
  /** `deathSignal` is what the kernel sends the program when this process dies. */
  start(program: string, args: readonly string[], options: StartOptions): ChildProcess;
  /** Gives a file or directory, just made by this process, to the programs. */
  giveAway(path: string): void;
}

export interface StartOptions {
  readonly deathSignal: 'INT' | 'KILL';
  readonly stdio: SpawnOptions['stdio'];
}

/** `program` is one of those that will be started; the others lie beside it. */
export function launcherFor({
  dataDir,
  pgdata,
  program,
}: {
  dataDir: string;
  pgdata: string;
  program: string;
}): Launcher {
  const account = accountFor(pgdata);
  if (account) letPass(account, dataDir, pgdata);
  const setpriv = findSetpriv();
  const privileges = account ? privilegeArguments(account, [pgdata, program], setpriv !== undefined) : [];
  // A plain environment: PGDATA, PGPORT, PGOPTIONS or LANG of the caller must not change what is made or started.
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  return {
    start(program, args, { deathSignal, stdio }) {
      const options: SpawnOptions = { env, stdio, cwd: '/' };
      if (!setpriv) return spawn(program, args, { ...options, ...account });
      return spawn(setpriv, [...privileges, '--pdeathsig', deathSignal, '--', program, ...args], options);
    },
    giveAway(path) {
      if (account) chownSync(path, account.uid, account.gid);
    },
  };
}

/**
 * Undefined for the user this process runs as. Under root: the owner of the data where there is some already, otherwise
 * `postgres` where that user exists, otherwise `nobody`.
 */
function accountFor(pgdata: string): Account | undefined {
  const self = process.getuid?.();
  const owner = statSync(pgdata, { throwIfNoEntry: false });
  if (self === 0) return owner && owner.uid !== 0 ? owner : unprivilegedAccount(readFileSync('/etc/passwd', 'utf8'));
  if (owner && owner.uid !== self) {
    throw new Error(
      `${pgdata} belongs to user ${owner.uid}, and this is user ${self}: it was made when Lockstep ran as another user, ` +
        'perhaps root. Start Lockstep as that user again, or give it another directory with LOCKSTEP_DATA.',
    );
  }
  return undefined;
}

/** From the text of /etc/passwd. */
export function unprivilegedAccount(passwd: string): Account {
  const lines = passwd.split('\n').map((line) => line.split(':'));
  const found = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  const [uid, gid] = [Number(found?.[2]), Number(found?.[3])];
  return uid > 0 && gid > 0 ? { uid, gid } : { uid: 65_534, gid: 65_534 };
}

/** The data directory itself is ours to open: passing it is allowed, listing it is not. */
function letPass(account: Account, dataDir: string, pgdata: string): void {
  if (closedFor(account, pgdata) === dataDir) chmodSync(dataDir, (statSync(dataDir).mode & 0o777) | 0o001);
}

function findSetpriv(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, 'setpriv')).find((path) => existsSync(path));
}

/**
 * Under root the clone is often in /root, which nobody else may enter. The capability to pass and read directories is then
 * kept across the change of user: `no_setuid_fixup` because PostgreSQL asks with access(2), which forgets the capabilities
 * of an ordinary user without it.
 */
function privilegeArguments(account: Account, paths: readonly string[], hasSetpriv: boolean): string[] {
  const user = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const closed = paths.map((path) => closedFor(account, path)).find((folder) => folder !== undefined);
  if (closed === undefined) return user;
  if (hasSetpriv && mayPassOnReadSearch()) {
    const capability = '+dac_read_search';
    return [...user, `--inh-caps=${capability}`, `--ambient-caps=${capability}`, '--securebits=+no_setuid_fixup'];
  }
  throw new Error(
    `PostgreSQL refuses to run as root, so Lockstep runs it as user ${account.uid}, who may not enter ${closed}. ` +
      `Move the installation and its data directory (LOCKSTEP_DATA) to where that user may go, such as /srv or /opt, or run ` +
      `Lockstep as an ordinary user. (With setpriv of util-linux and the capabilities DAC_READ_SEARCH and SETPCAP it would work here.)`,
  );
}

/** The first folder on the way to `path` that the account may not enter. */
export function closedFor(account: Account, path: string): string | undefined {
  const folders: string[] = [];
  for (let folder = dirname(path); folders.at(-1) !== folder; folder = dirname(folder)) folders.push(folder);
  return folders.reverse().find((folder) => {
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats && !mayEnter(account, stats);
  });
}

function mayEnter(account: Account, folder: Stats): boolean {
  if (folder.uid === account.uid) return (folder.mode & 0o100) !== 0;
  if (folder.gid === account.gid) return (folder.mode & 0o010) !== 0;
  return (folder.mode & 0o001) !== 0;
}

/** Whether this process has CAP_DAC_READ_SEARCH (2) and CAP_SETPCAP (8), which containers often take away. */
function mayPassOnReadSearch(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  const needed = (1n << 2n) | (1n << 8n);
  return effective !== undefined && (BigInt(`0x${effective}`) & needed) === needed;
}
