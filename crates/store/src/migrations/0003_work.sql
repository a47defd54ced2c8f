-- What a step last depended on, where a run comes from, receipts of repeated runs, sweeps, triggers.

-- Kept apart from the cache: a result may go, or be used by another pipeline, and what the step of
-- this one depended on is still wanted, to say what changed.
create table step_uses (
    project_id text not null,
    pipeline text not null,
    step_id text not null,
    key text not null,
    components text not null,           -- JSON
    facts text not null,                -- JSON
    run_id text,
    used_at integer not null,
    primary key (project_id, pipeline, step_id)
) strict, without rowid;

create table run_origins (
    run_id text primary key references runs (id) on delete cascade,
    cause text not null,
    of_run text,
    facts text not null                 -- JSON
) strict, without rowid;
create index run_origins_by_run on run_origins (of_run, cause);

create table run_receipts (
    run_id text not null references runs (id) on delete cascade,
    number integer not null,
    is_identical integer not null,
    body text not null,                 -- JSON
    at_ms integer not null,
    primary key (run_id, number)
) strict, without rowid;

-- A sweep is the run that its trials are nested under.
create table sweeps (
    run_id text primary key references runs (id) on delete cascade,
    name text not null,
    spec text not null,
    state text not null
) strict, without rowid;

create table sweep_trials (
    sweep_id text not null references sweeps (run_id) on delete cascade,
    number integer not null,
    params text not null,               -- JSON
    state text not null,
    value real,
    rounds text not null,               -- JSON
    run_id text,
    error text,                         -- JSON
    primary key (sweep_id, number)
) strict, without rowid;

create table trigger_states (
    project_id text not null references projects (id),
    name text not null,
    is_paused integer not null,
    state text not null,                -- JSON
    primary key (project_id, name)
) strict, without rowid;

create table trigger_events (
    id integer primary key,
    project_id text not null references projects (id),
    name text not null,
    at_ms integer not null,
    why text not null,
    outcome text not null,
    run_id text
) strict;
create index trigger_events_by_name on trigger_events (project_id, name, id);
