-- What pays for the compute of a request: its use (`on_demand`), or a term that was bought ahead
-- (`subscription`). Intervals and events carry the plan; compute of a subscription is rated 0.
alter table request
  add plan text not null default 'on_demand' check (plan in ('on_demand', 'subscription')),
  -- Of a subscription: it may run before this instant. null until its first term has begun.
  add paid_until timestamptz(3),
  add constraint request_paid_plan check (paid_until is null or plan = 'subscription'),
  -- A subscription is a machine of one's own; jobs are on demand.
  add constraint request_plan_of_lease check (plan = 'on_demand' or kind = 'lease');
