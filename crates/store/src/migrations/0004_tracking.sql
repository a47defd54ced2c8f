-- What scripts log through the tracking API: experiments, runs with tags and curves, datasets that
-- went in, models that came out, files, and what the registry knows of models that came that way.

create table experiments (
    id integer primary key,
    project_id text not null references projects (id),
    name text not null,
    artifact_location text not null,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict;
-- Also of deleted ones: a name is taken until the experiment is gone for good.
create unique index experiments_by_name on experiments (name);

create table experiment_tags (
    experiment_id integer not null references experiments (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (experiment_id, key)
) strict, without rowid;

-- What a run by a script has beside what every run has. Its times are those the script says.
create table script_runs (
    run_id text primary key references runs (id) on delete cascade,
    experiment_id integer not null references experiments (id),
    user_id text not null,
    started_at integer not null,
    ended_at integer,
    artifact_uri text not null
) strict, without rowid;
create index script_runs_by_start on script_runs (experiment_id, started_at desc, run_id);

create table run_tags (
    run_id text not null references runs (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (run_id, key)
) strict, without rowid;

-- `is_ordered` is 1 while the order of steps is that of times, so that one index serves both.
create table curves (
    id integer primary key,
    run_id text not null references runs (id) on delete cascade,
    key text not null,
    is_ordered integer not null,
    last_step integer not null,
    last_at_ms integer not null
) strict;
create unique index curves_by_run on curves (run_id, key);

-- A point is its own key: the same one again is no other point. Not a number is 0 with a mark.
create table points (
    curve_id integer not null references curves (id) on delete cascade,
    step integer not null,
    at_ms integer not null,
    value real not null,
    is_nan integer not null,
    primary key (curve_id, step, at_ms, value, is_nan)
) strict, without rowid;

create table logged_datasets (
    id integer primary key,
    experiment_id integer not null references experiments (id),
    name text not null,
    digest text not null,
    source_type text not null,
    source text not null,
    schema text,
    profile text
) strict;
create unique index logged_datasets_by_name on logged_datasets (experiment_id, name, digest);

create table run_inputs (
    run_id text not null references runs (id) on delete cascade,
    dataset_id integer not null references logged_datasets (id),
    context text,
    tags text not null,                 -- JSON
    primary key (run_id, dataset_id)
) strict, without rowid;
create index run_inputs_by_dataset on run_inputs (dataset_id);

create table logged_models (
    id text primary key,
    experiment_id integer not null references experiments (id),
    name text not null,
    model_type text,
    source_run_id text,
    status text not null,
    artifact_uri text not null,
    created_at integer not null,
    updated_at integer not null,
    deleted_at integer
) strict, without rowid;
create index logged_models_by_experiment on logged_models (experiment_id, created_at desc, id);
create index logged_models_by_run on logged_models (source_run_id);

create table logged_model_params (
    model_id text not null references logged_models (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (model_id, key)
) strict, without rowid;

create table logged_model_tags (
    model_id text not null references logged_models (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (model_id, key)
) strict, without rowid;

create table logged_model_metrics (
    model_id text not null references logged_models (id) on delete cascade,
    key text not null,
    at_ms integer not null,
    step integer not null,
    run_id text not null,
    value real,
    dataset_name text,
    dataset_digest text,
    primary key (model_id, key, at_ms, step, run_id)
) strict, without rowid;

-- `direction` is `in` or `out`.
create table run_models (
    run_id text not null references runs (id) on delete cascade,
    direction text not null,
    model_id text not null,
    step integer not null,
    primary key (run_id, direction, model_id, step)
) strict, without rowid;

-- Files of runs and models, by their path below the root of artifacts.
create table artifacts (
    path text primary key,
    digest text not null,
    size_bytes integer not null,
    changed_at integer not null
) strict, without rowid;

create table model_facts (
    model_id text primary key references models (id) on delete cascade,
    updated_at integer not null
) strict, without rowid;

create table model_tags (
    model_id text not null references models (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (model_id, key)
) strict, without rowid;

create table version_facts (
    version_id text primary key references model_versions (id) on delete cascade,
    source text not null,
    run_ref text not null,
    run_link text not null,
    user_id text not null,
    stage text not null,
    logged_model_id text,
    updated_at integer not null
) strict, without rowid;

create table version_tags (
    version_id text not null references model_versions (id) on delete cascade,
    key text not null,
    value text not null,
    primary key (version_id, key)
) strict, without rowid;

-- What changed since its manifest was taken back, and has none until it rests.
create table unsettled (
    subject text primary key,
    kind text not null                  -- `run` or `logged_model`
) strict, without rowid;
