-- What a Kubernetes node advertises its GPUs as (R-GPU-03), and which GPU driver a host and an image have,
-- so that a slice is only cut where both are of one branch (R-GPU-08).
alter table gpu_device
  -- The extended resource of the whole device, and that of its parts; null where its platform has none.
  add resource text,
  add slice_resource text;
alter table host add gpu_driver text;
alter table image
  -- The version that it brings; null for an image without one, or that nobody said it of.
  add gpu_driver text,
  -- What is packed into it; null where nobody said.
  add frameworks jsonb;
