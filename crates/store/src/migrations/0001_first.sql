-- The index of a workspace. Every table is strict; times are milliseconds since 1970 in UTC;
-- digests are 64 hexadecimal digits; columns that hold JSON say so.

create table audit (
    id integer primary key,
    at_ms integer not null,
    actor text not null,
    action text not null,
    subject text not null,
    details text not null,              -- JSON
    topics text not null,               -- JSON
    prev text not null,
    hash text not null unique
) strict;

-- Which manifest files there must be. `body` is what is still to be written; empty when the file
-- is to be removed; null once the disk agrees.
create table manifests (
    hash text primary key,
    sequence integer not null,
    kind text not null,
    subject text not null,
    body text
) strict, without rowid;
create index manifests_by_subject on manifests (subject, sequence);
create index manifests_pending on manifests (sequence) where body is not null;

create table projects (
    id text primary key,
    slug text not null unique,
    name text not null,
    created_at integer not null,
    last_run_number integer not null default 0,
    trashed_at integer
) strict, without rowid;

create table datasets (
    id text primary key,
    project_id text not null references projects (id),
    name text not null,
    target text,
    task text,
    created_at integer not null,
    last_number integer not null default 0,
    trashed_at integer
) strict, without rowid;
create unique index datasets_by_name on datasets (project_id, name) where trashed_at is null;

create table dataset_versions (
    id text primary key,
    dataset_id text not null references datasets (id) on delete cascade,
    number integer not null,
    content text not null,
    content_bytes integer not null,
    rows integer not null,
    columns integer not null,
    rejected_rows integer not null,
    parse text not null,                -- JSON
    schema text not null,               -- JSON
    profile text,
    source_name text not null,
    created_at integer not null,
    unique (dataset_id, number)
) strict, without rowid;
create index dataset_versions_by_content on dataset_versions (content);

create table runs (
    id text primary key,
    project_id text not null references projects (id),
    pipeline text not null,
    number integer not null,
    name text not null,
    experiment text not null,
    state text not null,
    pipeline_digest text,
    git_commit text,
    threads integer,
    note text not null,
    created_at integer not null,
    started_at integer,
    finished_at integer,
    error text,                         -- JSON
    trashed_at integer,
    unique (project_id, number)
) strict, without rowid;
create index runs_by_project on runs (project_id, number desc);
create index runs_by_state on runs (state);

create table step_runs (
    run_id text not null references runs (id) on delete cascade,
    step_id text not null,
    position integer not null,
    kind text not null,
    state text not null,
    key text,
    reason text not null,               -- JSON
    outputs text not null,              -- JSON
    summary text not null,              -- JSON
    error text,                         -- JSON
    started_at integer,
    finished_at integer,
    cpu_ms integer,
    max_rss_bytes integer,
    primary key (run_id, step_id)
) strict, without rowid;

create table run_datasets (
    run_id text not null references runs (id) on delete cascade,
    step_id text not null,
    version_id text not null references dataset_versions (id),
    primary key (run_id, step_id, version_id)
) strict, without rowid;
create index run_datasets_by_version on run_datasets (version_id);

create table params (
    run_id text not null references runs (id) on delete cascade,
    step_id text not null,
    key text not null,
    value text not null,
    primary key (run_id, step_id, key)
) strict, without rowid;

-- A value that is not a number (NaN) is null: SQLite knows no other way.
create table metrics (
    run_id text not null references runs (id) on delete cascade,
    step_id text not null,
    key text not null,
    ordinal integer not null,
    value real,
    step integer not null,
    at_ms integer not null,
    primary key (run_id, step_id, key, ordinal)
) strict, without rowid;

-- The last point of each curve, so that a table of runs needs no look at the curves.
create table last_metrics (
    run_id text not null references runs (id) on delete cascade,
    step_id text not null,
    key text not null,
    value real,
    step integer not null,
    at_ms integer not null,
    points integer not null,
    primary key (run_id, step_id, key)
) strict, without rowid;
create index last_metrics_by_key on last_metrics (key, value);

create table step_cache (
    key text primary key,
    project_id text not null,
    pipeline text not null,
    step_id text not null,
    components text not null,           -- JSON
    outputs text not null,              -- JSON
    bytes integer not null,
    created_at integer not null,
    last_used_at integer not null,
    uses integer not null default 0
) strict, without rowid;
create index step_cache_by_step on step_cache (project_id, pipeline, step_id, last_used_at);
create index step_cache_by_use on step_cache (last_used_at);

create table models (
    id text primary key,
    project_id text not null references projects (id),
    name text not null,
    note text not null,
    created_at integer not null,
    last_number integer not null default 0,
    trashed_at integer
) strict, without rowid;
create unique index models_by_name on models (project_id, name) where trashed_at is null;

create table model_versions (
    id text primary key,
    model_id text not null references models (id) on delete cascade,
    number integer not null,
    package text not null,
    package_bytes integer not null,
    run_id text references runs (id),
    step_id text,
    dataset_version_id text references dataset_versions (id),
    metrics text not null,              -- JSON
    parity text,                        -- JSON
    signature text not null,            -- JSON
    note text not null,
    created_at integer not null,
    unique (model_id, number)
) strict, without rowid;
create index model_versions_by_run on model_versions (run_id);
create index model_versions_by_dataset on model_versions (dataset_version_id);

create table aliases (
    model_id text not null references models (id) on delete cascade,
    alias text not null,
    number integer not null,
    changed_at integer not null,
    primary key (model_id, alias),
    foreign key (model_id, number) references model_versions (model_id, number)
) strict, without rowid;

-- Every move of an alias, with what the gates said when it moved.
create table promotions (
    model_id text not null references models (id) on delete cascade,
    sequence integer not null,
    alias text not null,
    from_number integer,
    to_number integer,
    gates text,                         -- JSON
    note text not null,
    at_ms integer not null,
    primary key (model_id, sequence)
) strict, without rowid;

create table deployments (
    id text primary key,
    project_id text not null references projects (id),
    name text not null,
    target text not null,
    model_id text not null references models (id),
    state text not null,
    current_revision integer,
    config text not null,               -- JSON
    created_at integer not null,
    last_number integer not null default 0
) strict, without rowid;
create unique index deployments_by_name on deployments (project_id, name) where state <> 'deleted';

create table revisions (
    deployment_id text not null references deployments (id) on delete cascade,
    number integer not null,
    model_version_id text not null references model_versions (id),
    state text not null,
    port integer,
    pid integer,
    process_started integer,
    instance text not null,
    token_file text,
    created_at integer not null,
    healthy_at integer,
    ended_at integer,
    error text,                         -- JSON
    primary key (deployment_id, number)
) strict, without rowid;
create index revisions_by_version on revisions (model_version_id);

create table alert_rules (
    id integer primary key,
    deployment_id text not null references deployments (id) on delete cascade,
    metric text not null,
    feature text,
    threshold real not null,
    window_rows integer not null,
    created_at integer not null,
    enabled integer not null
) strict;
create index alert_rules_by_deployment on alert_rules (deployment_id);

create table alerts (
    id integer primary key,
    rule_id integer references alert_rules (id) on delete set null,
    deployment_id text not null references deployments (id) on delete cascade,
    metric text not null,
    feature text,
    value real not null,
    threshold real not null,
    message text not null,
    details text not null,              -- JSON
    raised_at integer not null,
    acknowledged_at integer
) strict;
create index alerts_by_deployment on alerts (deployment_id, raised_at);
create index alerts_open on alerts (raised_at) where acknowledged_at is null;

create table jobs (
    id text primary key,
    kind text not null,
    title text not null,
    subject text not null,              -- JSON
    state text not null,
    stage text,
    done integer not null default 0,
    total integer,
    created_at integer not null,
    started_at integer,
    finished_at integer,
    error text,                         -- JSON
    result text                         -- JSON
) strict, without rowid;
create index jobs_by_time on jobs (created_at);
create index jobs_by_state on jobs (state);

create table settings (
    key text primary key,
    value text not null                 -- JSON
) strict, without rowid;

create table drafts (
    project_id text not null references projects (id),
    pipeline text not null,
    body text not null,
    history text not null,              -- JSON
    saved_at integer not null,
    primary key (project_id, pipeline)
) strict, without rowid;
