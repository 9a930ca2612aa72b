-- A lease may be asked to move to another host while it runs.
alter table operation drop constraint operation_kind_check;
alter table operation add constraint operation_kind_check check (kind in ('create', 'start', 'stop',
  'reboot', 'resize', 'move', 'release', 'snapshot', 'revert', 'snapshot-delete'));
