-- The audit log, first version. Applied in one transaction; never edited once released.
--
-- Times are epoch ms (real: a run's clock may give fractions), sizes bytes. JSON has null for Infinity.
-- No index on keys: one cuts inserts to a tenth at two million rows. What there is beside the primary keys follows
-- time, so that it is only ever appended to.

create table runs (
  id integer primary key,
  run text not null unique,
  level text not null,
  started_at real not null,
  version text not null,
  node text not null,
  host text not null,
  pid integer not null,
  -- When that process started: tells a process from a later one with the same pid.
  process_started_at real not null,
  seed integer not null,
  settings text not null,
  may_use text not null,
  stopped_at real,
  stop_reason text,
  exit_code integer,
  last_seq integer not null default 0,
  last_at real not null,
  -- Exact counts, updated with each batch, dropped events included.
  evicted_items integer not null default 0,
  evicted_bytes integer not null default 0,
  cycles integer not null default 0,
  warnings integer not null default 0,
  peak_bytes integer not null default 0,
  peak_bytes_at real,
  peak_items integer not null default 0,
  lost_events integer not null default 0
) strict;

-- What was written together: each batch covers first_seq..last_seq, events that the level does not keep included.
-- Batches of a run are contiguous, or a gap stands between them.
create table batches (
  run_id integer not null references runs (id),
  first_seq integer not null,
  last_seq integer not null,
  row_count integer not null,
  primary key (run_id, first_seq)
) strict, without rowid;

-- Events that never became rows, by range and count.
create table gaps (
  run_id integer not null references runs (id),
  first_seq integer not null,
  last_seq integer not null,
  from_at real not null,
  to_at real not null,
  -- null: nobody knows.
  lost integer,
  reason text not null,
  primary key (run_id, first_seq)
) strict, without rowid;

create index gaps_by_time on gaps (to_at);

create table evictions (
  run_id integer not null references runs (id),
  seq integer not null,
  at real not null,
  cache text not null,
  key text not null,
  cause text not null,
  policy text not null,
  size integer not null,
  hits integer not null,
  stored_at real not null,
  stored_by text,
  age real not null,
  idle real not null,
  ttl_left real,
  cost real not null,
  score real,
  runner_up text,
  runner_up_score real,
  trigger_cache text,
  trigger_key text,
  trigger_size integer,
  cycle text,
  -- The first miss of the key afterwards.
  missed_at real,
  primary key (run_id, seq)
) strict, without rowid;

create index evictions_by_time on evictions (at);

-- What else happened to single keys: many rows at levels 'changes' and 'all'.
create table key_events (
  run_id integer not null references runs (id),
  seq integer not null,
  at real not null,
  type text not null,
  cache text not null,
  key text not null,
  -- The event's other fields, JSON.
  data text not null,
  primary key (run_id, seq)
) strict, without rowid;

create index key_events_by_time on key_events (at);

-- What happened to the whole, or to a whole cache: few rows, asked for by type.
create table events (
  run_id integer not null references runs (id),
  seq integer not null,
  at real not null,
  type text not null,
  cache text,
  data text not null,
  primary key (run_id, seq)
) strict, without rowid;

create index events_by_type on events (type, at);

create index cycles_completed on events (run_id, json_extract(data, '$.cycle')) where type = 'cycle-completed';
