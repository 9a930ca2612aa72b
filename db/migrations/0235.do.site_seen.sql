-- A site is away when nobody has seen it for long enough (`siteAwayAfterMs`), which the time of the last
-- look says by itself: what a look that fails wrote down was wrong where no process looked any more.
alter table site
  drop column unreachable_since,
  drop column away_since;
