import { Socket } from 'node:net';
import pg from 'pg';
import { connectionConfig, cutOff } from '../../record/connections.ts';
import { hostGroup } from '../../record/primary.ts';
import { ReadingSocket } from './reading-socket.ts';

/** Beside the record's settings: names and texts are read as UTF-8, and row security may not hide rows from a view. */
const FEED_OPTIONS = '-c client_encoding=UTF8 -c row_security=off';
/**
 * In a transaction of tables that are not published the server says nothing until half of this is over: less than it takes a follower to
 * hold the stream for dead. The whole is more, so that the server is not the first to give up.
 */
const REPLICATION_OPTIONS = '-c wal_sender_timeout=20s';

export interface ConnectOptions {
  readonly url: string;
  /** Makes it a replication connection, where SQL is only spoken in simple queries. */
  readonly replication?: boolean;
  readonly connectTimeoutMs?: number;
}

/** A connection of the feed's own; of several hosts to the primary, and cut off when another one is. Options in the URL (`?options=-c wal_sender_timeout=2s`) hold where they do not contradict the feed's. */
export async function connect(options: ConnectOptions): Promise<pg.Client> {
  const hosts = hostGroup(options.url);
  const url = hosts ? await hosts.group.find(hosts.hosted) : options.url;
  const { connectionString, options: settings } = connectionConfig(url);
  const before = options.replication ? `${REPLICATION_OPTIONS} ` : '';
  const client = new pg.Client({
    connectionString,
    options: `${before}${settings} ${FEED_OPTIONS}`,
    application_name: 'lockstep feed',
    stream: socketFor,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    ...(options.replication && { replication: 'database' }),
  });
  client.on('error', () => {}); // every use of the connection learns of its end itself
  const unwatch = hosts?.group.onMoved(hosts.hosted, () => cutOff(client)) ?? (() => {});
  client.once('end', unwatch);
  try {
    await client.connect();
    return client;
  } catch (error) {
    unwatch();
    throw error;
  }
}

/** Called by pg with its configuration. TLS wraps the socket, and needs a common one. */
function socketFor(config?: { readonly ssl?: unknown }): Socket {
  return config?.ssl ? new Socket() : new ReadingSocket();
}
