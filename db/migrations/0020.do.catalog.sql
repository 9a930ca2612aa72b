-- Where things run and what can be rented. Not tenant-owned: the operator's catalog.

create table zone (
  id uuid primary key,
  name text not null unique,
  created_at timestamptz(3) not null default now()
);

create table pod (
  id uuid primary key,
  zone_id uuid not null references zone,
  name text not null,
  subnet cidr,
  unique (zone_id, name)
);

-- A site is one connected platform; what it said of itself when it was last asked.
create table site (
  name text primary key,
  kind text not null,
  version text not null,
  execution text not null check (execution in ('kvm', 'emulated', 'simulated')),
  execution_reason text not null,
  capabilities jsonb not null,
  reachable boolean not null,
  inventory_at timestamptz
);

create table cluster (
  id uuid primary key,
  pod_id uuid not null references pod,
  name text not null,
  site text not null references site,
  unique (pod_id, name)
);

-- Primary storage is near a cluster (volumes); secondary belongs to a zone (templates, snapshots).
create table storage_pool (
  id uuid primary key,
  name text not null,
  tier text not null check (tier in ('primary', 'secondary')),
  zone_id uuid references zone,
  cluster_id uuid references cluster,
  kind text not null,
  size_bytes int8 not null check (size_bytes >= 0),
  check ((tier = 'primary') = (cluster_id is not null)),
  check ((tier = 'secondary') = (zone_id is not null))
);
create unique index storage_pool_of_cluster on storage_pool (cluster_id, name) where tier = 'primary';
create unique index storage_pool_of_zone on storage_pool (zone_id, name) where tier = 'secondary';

create table host (
  id uuid primary key,
  cluster_id uuid not null references cluster,
  site text not null references site,
  -- What the platform calls it.
  native_id text not null,
  name text not null,
  state text not null check (state in ('up', 'down', 'maintenance')),
  -- The operator's word: may new work be placed here?
  schedulable boolean not null default true,
  cpus int not null check (cpus > 0),
  memory_bytes int8 not null check (memory_bytes > 0),
  disk_bytes int8 not null check (disk_bytes > 0),
  huge_pages jsonb not null,
  labels jsonb not null,
  seen_at timestamptz(3),
  created_at timestamptz(3) not null default now(),
  unique (site, native_id)
);

create table gpu_device (
  host_id uuid not null references host,
  id text not null,
  model text not null,
  memory_bytes int8 not null,
  isolation text not null check (isolation in ('hard', 'soft')),
  slices_max int not null check (slices_max >= 1),
  present boolean not null default true,
  primary key (host_id, id)
);

create table image (
  id uuid primary key,
  name text not null unique,
  description text not null,
  default_user text not null,
  min_memory_mib int not null,
  min_disk_gib int not null,
  state text not null check (state in ('ready', 'building', 'failed', 'retired'))
);

create table flavor (
  id uuid primary key,
  name text not null unique,
  description text not null,
  fields jsonb not null,
  state text not null check (state in ('offered', 'retired')),
  created_at timestamptz(3) not null default now()
);

create table price_profile (
  id uuid primary key,
  name text not null,
  version int not null generated always as identity unique,
  body jsonb not null,
  -- First local day on which it is in force; null while it is a draft. One start, one version.
  active_from date unique,
  created_at timestamptz(3) not null default now()
);
