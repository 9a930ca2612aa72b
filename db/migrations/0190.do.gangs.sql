-- Gangs: requests that start together, end together and go back into the line together.
alter table request
  -- Its place in its gang; the request with 0 has the gang's id and is the job that its owner sees.
  add column gang_rank int not null default 0 check (gang_rank between 0 and 1023),
  -- What its owner calls it and others of his, so that work can be kept near to them or apart.
  add column group_name text check (length(group_name) between 1 and 63),
  -- Groups whose hosts it wants to share, and those that it keeps away from, whoever is in them when
  -- it is placed; `near` and `apart` name single requests.
  add column near_groups text[] not null default '{}' check (cardinality(near_groups) <= 16),
  add column apart_groups text[] not null default '{}' check (cardinality(apart_groups) <= 16);
create index request_gang_open on request (tenant_id, gang_id)
  where gang_id is not null and ended_at is null;
create index request_of_group on request (tenant_id, group_name)
  where group_name is not null and ended_at is null;

-- Where the machine is reached by others of its tenant's network, as its platform said.
alter table instance add column address text;
