-- What a site's driver says that its platform lacks: [{severity, message, advice}], for the operator;
-- and why a site that does not answer does not.
alter table site
  add column findings jsonb not null default '[]',
  add column trouble text;
