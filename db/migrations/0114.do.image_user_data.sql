-- Whether cloud-init user data may be given with a machine of this image. The driver says so anew at
-- each start.
alter table image add column takes_user_data boolean not null default false;
