const MB = 1024 * 1024;

/**
 * The embedded server's settings, as the text of a configuration file that is written anew at each start. `ALTER SYSTEM`
 * overrides them. `memory` is the machine's, in bytes.
 */
export function serverSettings(
  memory: number,
  clusterName: string,
  overrides: Readonly<Record<string, string>>,
): string {
  const settings: Record<string, string> = {
    cluster_name: clusterName,
    // Not "$user": the user and Lockstep's own schema have one name, and hand-made tables would land there.
    search_path: 'public',
    // Durable before acknowledged (SPEC 1).
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    // The change feed.
    wal_level: 'logical',
    max_wal_senders: '20',
    max_replication_slots: '20',
    wal_sender_timeout: '30s',
    logical_decoding_work_mem: '128MB',
    // The last resort: the follower gives up long before (walLimitBytes).
    max_slot_wal_keep_size: '8GB',
    max_wal_size: '2GB',
    // Short statements, a few busy connections.
    max_connections: '100',
    shared_buffers: `${sharedBuffers(memory)}MB`,
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // To Lockstep's own log: no statement that failed, since its caller is told.
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'log',
    log_checkpoints: 'off',
    log_line_prefix: '',
    ...overrides,
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    .join('');
}

/** An eighth of the memory, between 64 MB and 1 GB. */
function sharedBuffers(memory: number): number {
  return Math.round(Math.min(1024, Math.max(64, memory / 8 / MB)));
}
