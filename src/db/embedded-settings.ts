/**
 * How the server is set: on its command line, so that a new release of Millrace brings its
 * settings with it and the cluster holds data only.
 */
export function serverSettings(
  socketDirectory: string,
  durability: "full" | "none",
): readonly string[] {
  return [
    "listen_addresses=",
    "port=5432",
    `unix_socket_directories=${socketDirectory}`,
    "unix_socket_permissions=0700",
    // Small: a laptop's cloud. Whoever sells more gives a DATABASE_URL.
    "shared_buffers=24MB",
    "wal_buffers=1MB",
    "max_connections=80",
    "superuser_reserved_connections=3",
    "work_mem=4MB",
    "maintenance_work_mem=32MB",
    "max_wal_size=256MB",
    "min_wal_size=32MB",
    // Few processes: reads are done by who asks for them, and queries here are short.
    "io_method=sync",
    "jit=off",
    "max_worker_processes=2",
    "max_parallel_workers=0",
    "max_parallel_workers_per_gather=0",
    "max_parallel_maintenance_workers=0",
    "max_logical_replication_workers=0",
    "autovacuum_max_workers=1",
    "autovacuum_worker_slots=2",
    // A backup keeps the write-ahead log that it needs with a slot of its own.
    "wal_level=replica",
    "max_wal_senders=0",
    "max_replication_slots=2",
    "logging_collector=off",
    // Failed statements are reported to who sent them; here they would only fill the disk.
    "log_min_messages=log",
    "log_checkpoints=off",
    "log_autovacuum_min_duration=-1",
    "log_timezone=UTC",
    "timezone=UTC",
    ...(durability === "full"
      ? ["fsync=on", "synchronous_commit=on", "full_page_writes=on"]
      : ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]),
  ];
}
