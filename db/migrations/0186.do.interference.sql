-- How busy a host is beyond what it has, as its platform tells: work that waits for a CPU, devices that
-- run slower than they could.
alter table host add column cpu_pressure_percent real;
alter table gpu_device add column throttled boolean not null default false;
