-- Why a host starts nothing of a kind of work, whatever room it has, by kind (core, standard, job), as
-- its platform says it. Null: it starts all of them.
alter table host add column refuses jsonb;
