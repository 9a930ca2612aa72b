-- How calls to the provider are repeated: {keys, of, inRow, notBefore}. `keys` counts the calls that
-- ended without what they were for, and is part of the next call's key: a platform answers a key
-- that it knows with the old result, for ever. The others are the rest between two.
alter table instance add column pace jsonb not null
  default '{"keys": 0, "of": null, "inRow": 0, "notBefore": 0}';

-- The platform's own instant of the stop that the last start left behind. A stop of another instant
-- is a new one; two clocks are never compared.
alter table instance add column stop_before_start timestamptz(3);
