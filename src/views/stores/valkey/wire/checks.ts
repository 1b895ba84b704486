import type { StoreAddress } from './address.ts';
import type { Link } from './link.ts';

/** What a server says of itself. */
export interface ServerInfo {
  readonly product: 'Valkey' | 'Redis';
  readonly version: string;
  readonly cluster: boolean;
  /** `maxmemory-policy`; null where the server does not tell. */
  readonly policy: string | null;
  /** Bytes; 0 for no limit. */
  readonly maxMemory: number;
}

const LEAST_VERSION = 7;

export async function serverInfo(link: Link): Promise<ServerInfo> {
  const [server, memory] = await link.send([
    ['INFO', 'server'],
    ['INFO', 'memory'],
  ]);
  for (const reply of [server, memory])
    if (reply instanceof Error) throw new Error(`${link.name} does not let INFO be asked: ${reply.message}`);
  const fields = fieldsOf(`${server}\n${memory}`);
  const valkey = fields.get('valkey_version');
  return {
    product: valkey ? 'Valkey' : 'Redis',
    version: valkey ?? fields.get('redis_version') ?? '0',
    cluster: (fields.get('server_mode') ?? fields.get('redis_mode')) === 'cluster',
    policy: fields.get('maxmemory_policy') ?? null,
    maxMemory: Number(fields.get('maxmemory') ?? 0),
  };
}

function fieldsOf(info: string): Map<string, string> {
  return new Map(info.split(/\r?\n/).map((line) => line.split(/:(.*)/) as [string, string]));
}

/** Throws where views cannot live on the server, with what to do. */
export function checkServer({ product, version, policy, cluster }: ServerInfo, address: StoreAddress): void {
  if (Number.parseInt(version, 10) < LEAST_VERSION) {
    throw new Error(
      `VALKEY_URL leads to ${product} ${version}; expected Valkey or Redis ${LEAST_VERSION} or later. Upgrade the server.`,
    );
  }
  if (policy?.startsWith('allkeys-')) {
    throw new Error(
      `The server at VALKEY_URL evicts keys of any kind when its memory is full (maxmemory-policy is ${policy}), and views would lose data. ` +
        'Set it to noeviction: redis-cli config set maxmemory-policy noeviction, and the same line in its configuration file. ' +
        'A policy that begins with volatile- will do too: the keys of views never expire.',
    );
  }
  if (!cluster && address.endpoints.length > 1) {
    throw new Error(
      'VALKEY_URL names several hosts, but they are no cluster; name the one server. (Several hosts are nodes of one cluster.)',
    );
  }
}
