-- Since when looks at a site have failed in a row, and since when it has not been seen at all: set once
-- they have failed for long enough (`siteAwayAfterMs`), so that a blip moves nobody's order. Nothing new
-- is placed on its hosts as long as it is set; what they hold stays held.
alter table site
  add column unreachable_since timestamptz(3),
  add column away_since timestamptz(3);
