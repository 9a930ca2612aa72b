-- The loop of subscriptions looks after every change of a machine: what waits for one is found by
-- these, however many subscriptions there are.
create index subscription_ordered on subscription (tenant_id, id) where state = 'ordered';
create index expansion_waiting on expansion (tenant_id, subscription_id)
  where state = 'resizing' or (state = 'ended' and activated_at is not null and reverted_at is null);
