-- Runs at scale: what a table of many runs is sorted, filtered and grouped by, and saved views of it.

-- The smallest and the largest value a curve has had. Null only while it has had none: not a number
-- counts for neither.
alter table last_metrics add column least real;
alter table last_metrics add column greatest real;

-- The run it is nested under: that of a sweep, or the one that a script names by a tag.
alter table runs add column parent_id text;

-- One index a kind of value, each wide enough that no row has to be looked up.
drop index last_metrics_by_key;
create index last_metrics_by_key on last_metrics (key, value, least, greatest);
create index params_by_key on params (key, value);
create index run_tags_by_key on run_tags (key, value);
create index runs_by_parent on runs (parent_id) where parent_id is not null;
create index runs_in_table on runs (project_id, coalesce(started_at, created_at) desc, number desc,
    experiment, parent_id, state, pipeline, finished_at, name) where trashed_at is null;
create index runs_by_experiment on runs (project_id, experiment) where trashed_at is null;

-- How a table of runs is looked at: columns, filter, order, groups.
create table run_views (
    project_id text not null references projects (id),
    name text not null,
    body text not null,                 -- JSON
    changed_at integer not null,
    primary key (project_id, name)
) strict, without rowid;
