-- More reasons to look after a customer: what of his ends soon, a tier within reach, a review to go
-- through with him.
alter table customer_task drop constraint customer_task_kind_check;
alter table customer_task add constraint customer_task_kind_check check (kind in
  ('no_spend_2m', 'usage_drop', 'invoice_overdue', 'term_ending', 'package_ending',
    'tier_by_hand_ending', 'near_next_tier', 'review_due'));
