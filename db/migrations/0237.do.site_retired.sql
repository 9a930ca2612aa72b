-- When the operator said that a site is gone for good; null again once it answers. Until then its hosts
-- are in no list, and nobody waits for it. The rows stay, as what ran there names them.
alter table site add column retired_at timestamptz(3);
