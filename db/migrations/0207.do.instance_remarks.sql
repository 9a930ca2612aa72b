-- What a platform says of a machine in words: why it does not run although it should, and what to know
-- of it besides. Each {code, message, advice, who, details}; what is there, never what was.
alter table instance
  add column waiting jsonb,
  add column notes jsonb not null default '[]';
