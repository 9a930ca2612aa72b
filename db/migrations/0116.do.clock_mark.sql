-- What time it was when a process last worked, so that a restart after the machine's clock was set
-- back goes on from there (src/loops/clock.ts). One row for each boot of each machine: within a boot
-- the kernel knows how long it has been since.
create table clock_mark (
  boot_id text primary key,
  -- On the program's clock.
  at timestamptz(3) not null,
  -- Of the machine at that moment, sleep included.
  uptime_ms int8 not null check (uptime_ms >= 0)
);
create index clock_mark_newest on clock_mark (at);
revoke all on clock_mark from millrace_tenant;
