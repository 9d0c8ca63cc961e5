-- The audit log, second version: counts by the minute, a hash chain, keys that are found without an index on the rows,
-- retention, sampling, recordings. Applied in one transaction; never edited once released.

-- Tamper evidence. Rows of version 1 have no hash: the chain does not cover them.
-- kind: 'rows'; 'retired': stands for batches whose departures retention has taken, hash is the last one's.
alter table batches add column kind text not null default 'rows';
-- Of the canonical rows of evictions and key_events in the range, and of events; of a retired one the first is its seal.
alter table batches add column departures_hash blob;
alter table batches add column events_hash blob;
-- Of the hash before, the range, the two above and what stands in samplings for the range.
alter table batches add column hash blob;
-- Four bytes a row: names the row that was changed.
alter table batches add column row_sums blob;
alter table gaps add column hash blob;

-- By which of its modes an adaptive policy ran the cache, and since when (null: from the beginning).
alter table evictions add column mode text;
alter table evictions add column mode_since real;

-- Which keys of the run are hashed: null: none; prefix: all but their prefix; whole: all of them, prefixes that stand alone
-- stay; all: prefixes, too.
alter table runs add column redaction text;
-- Tells the secret from others, and nothing of it.
alter table runs add column redaction_secret text;

-- Boot of the system, and the process's start in its ticks: process_started_at, by the wall clock, is put wrong when that is set.
-- null: the system does not tell, or version 1.
alter table runs add column process_identity text;

-- What was written between two times, exact also where rows were sampled, dropped or retired. One row per minute (span
-- 60000) or, when old, hour (3600000), and combination. At most 64 prefixes per minute and cache, the rest under '*'.
create table rollups (
  from_at integer not null,
  span integer not null,
  run_id integer not null references runs (id),
  cache text not null,
  -- evicted, expired, removed, cleared, rejected
  type text not null,
  -- Eviction cause, removal cause, rejection reason; ''.
  cause text not null,
  -- Of evicted only; ''.
  policy text not null,
  -- The key's; '' where there is none.
  prefix text not null,
  count integer not null,
  bytes integer not null,
  hits integer not null,
  -- How many were never hit.
  unused integer not null,
  -- Sums: ms, ms, the caller's unit.
  age real not null,
  idle real not null,
  cost real not null,
  -- Evicted entries that were asked for again, counted in the minute of the miss; sums.
  regretted integer not null,
  regretted_bytes integer not null,
  regretted_cost real not null,
  regret_delay real not null,
  primary key (from_at, run_id, cache, type, cause, policy, prefix)
) strict, without rowid;

-- Ages (ms) and sizes (bytes) of evicted entries. Bucket 0: 0; n: 2^(n-1) <= value < 2^n.
create table histograms (
  from_at integer not null,
  span integer not null,
  run_id integer not null references runs (id),
  cache text not null,
  -- age, size
  measure text not null,
  bucket integer not null,
  count integer not null,
  primary key (from_at, run_id, cache, measure, bucket)
) strict, without rowid;

-- Traffic and usage per minute and cache, from the checks; cache '' is the whole (rss, heap_used only there).
create table usage (
  from_at integer not null,
  span integer not null,
  run_id integer not null references runs (id),
  cache text not null,
  hits integer not null,
  misses integer not null,
  bytes_added integer not null,
  -- At the last check of the span.
  items integer not null,
  bytes integer not null,
  most_bytes integer not null,
  most_usage real,
  most_rss integer,
  most_heap_used integer,
  primary key (from_at, run_id, cache)
) strict, without rowid;

-- Rows of evictions and key_events in the order of writing, cut into portions at the ends of batches. While a segment is
-- open its rows are scanned; the keys of a sealed one are in key_index.
create table segments (
  id integer primary key,
  run_id integer not null references runs (id),
  first_seq integer not null,
  last_seq integer not null,
  from_at real not null,
  to_at real not null,
  row_count integer not null,
  -- 0: open; 1: its keys are in key_index; 2: retention is removing its rows.
  sealed integer not null default 0
) strict;

create index segments_by_time on segments (from_at);

create index segments_open on segments (run_id) where sealed = 0;

create index segments_leaving on segments (id) where sealed = 2;

-- Filled segment by segment, in order: only ever appended to.
create table key_index (
  segment integer not null,
  key text not null,
  seq integer not null,
  -- 0: evictions, 1: key_events.
  kind integer not null,
  primary key (segment, key, seq)
) strict, without rowid;

-- From this seq on, rows of departures are kept for this share of the keys (1: all).
create table samplings (
  run_id integer not null references runs (id),
  seq integer not null,
  at real not null,
  share real not null,
  primary key (run_id, seq)
) strict, without rowid;

-- Level 'all': what happened to single keys and leaves no row, as compressed columns.
create table blocks (
  run_id integer not null references runs (id),
  first_seq integer not null,
  last_seq integer not null,
  from_at real not null,
  to_at real not null,
  events integer not null,
  data blob not null,
  primary key (run_id, first_seq)
) strict;

-- Levels 'changes' and 'all': stores of entries that were still there where retention ended.
create table carried (
  run_id integer not null references runs (id),
  cache text not null,
  key text not null,
  seq integer not null,
  at real not null,
  type text not null,
  data text not null,
  -- Of the run and the columns above.
  hash blob not null,
  primary key (run_id, cache, key)
) strict, without rowid;

-- How far retention has got in a run, by kind (departures, cycles, samples, general): rows up to this seq and time are gone.
create table horizons (
  run_id integer not null references runs (id),
  kind text not null,
  seq integer not null,
  at real not null,
  -- Of departures: the hashes of the run's rows in carried, each bit added to those of the others.
  carried blob not null,
  -- Of the run and the columns above.
  hash blob not null,
  primary key (run_id, kind)
) strict, without rowid;

-- What each kind but departures takes, estimated, so that each can have a quota: kept by the triggers below.
create table sizes (
  kind text primary key,
  row_count integer not null,
  bytes integer not null
) strict, without rowid;

insert into sizes values ('cycles', 0, 0), ('samples', 0, 0), ('general', 0, 0), ('rollups', 0, 0);

-- Which kind an event is of: cycles (many while a cache thrashes), samples (one a check), general (few, and the ones
-- that explain the rest). 100: an event's row and its places in the indexes, its JSON aside.
create trigger event_came after insert on events begin
  update sizes set row_count = row_count + 1, bytes = bytes + 100 + length(new.data)
  where kind = case
    when new.type in ('cycle-started', 'cycle-continued', 'cycle-completed', 'cleared', 'adapted') then 'cycles'
    when new.type = 'checked' then 'samples' else 'general' end;
end;

create trigger event_went after delete on events begin
  update sizes set row_count = row_count - 1, bytes = bytes - 100 - length(old.data)
  where kind = case
    when old.type in ('cycle-started', 'cycle-continued', 'cycle-completed', 'cleared', 'adapted') then 'cycles'
    when old.type = 'checked' then 'samples' else 'general' end;
end;

create trigger rollup_came after insert on rollups begin
  update sizes set row_count = row_count + 1, bytes = bytes + 120 where kind = 'rollups';
end;

create trigger rollup_went after delete on rollups begin
  update sizes set row_count = row_count - 1, bytes = bytes - 120 where kind = 'rollups';
end;

create trigger histogram_came after insert on histograms begin
  update sizes set row_count = row_count + 1, bytes = bytes + 40 where kind = 'rollups';
end;

create trigger histogram_went after delete on histograms begin
  update sizes set row_count = row_count - 1, bytes = bytes - 40 where kind = 'rollups';
end;

create trigger usage_came after insert on usage begin
  update sizes set row_count = row_count + 1, bytes = bytes + 100 where kind = 'rollups';
end;

create trigger usage_went after delete on usage begin
  update sizes set row_count = row_count - 1, bytes = bytes - 100 where kind = 'rollups';
end;

-- What version 1 wrote: segments of it end where batches do, and are sealed by the next run that writes to the file.
insert into segments (run_id, first_seq, last_seq, from_at, to_at, row_count)
select run_id, first_seq, last_seq, min(e_from, k_from), max(e_to, k_to), e_rows + k_rows
from (
  select run_id, first_seq, last_seq,
    (select count(*) from evictions e where e.run_id = p.run_id and e.seq between p.first_seq and p.last_seq) as e_rows,
    (select count(*) from key_events e where e.run_id = p.run_id and e.seq between p.first_seq and p.last_seq) as k_rows,
    coalesce((select at from evictions e where e.run_id = p.run_id and e.seq between p.first_seq and p.last_seq order by seq limit 1), 9e15) as e_from,
    coalesce((select at from key_events e where e.run_id = p.run_id and e.seq between p.first_seq and p.last_seq order by seq limit 1), 9e15) as k_from,
    coalesce((select at from evictions e where e.run_id = p.run_id and e.seq between p.first_seq and p.last_seq order by seq desc limit 1), -9e15) as e_to,
    coalesce((select at from key_events e where e.run_id = p.run_id and e.seq between p.first_seq and p.last_seq order by seq desc limit 1), -9e15) as k_to
  from (
    select run_id, min(first_seq) as first_seq, max(last_seq) as last_seq
    from (
      select run_id, first_seq, last_seq,
        (sum(row_count) over (partition by run_id order by first_seq) - row_count) / 32768 as portion
      from batches
    )
    group by run_id, portion
  ) p
)
where e_rows + k_rows > 0
order by run_id, first_seq;

update sizes set (row_count, bytes) = (
  select count(*), coalesce(sum(100 + length(data)), 0) from events
  where sizes.kind = case
    when type in ('cycle-started', 'cycle-continued', 'cycle-completed', 'cleared', 'adapted') then 'cycles'
    when type = 'checked' then 'samples' else 'general' end
)
where kind <> 'rollups';
