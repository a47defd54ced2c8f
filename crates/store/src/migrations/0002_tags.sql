-- Movable names on the versions of a dataset, and a trash for single versions.

create table dataset_tags (
    dataset_id text not null references datasets (id) on delete cascade,
    tag text not null,
    number integer not null,
    changed_at integer not null,
    primary key (dataset_id, tag),
    foreign key (dataset_id, number) references dataset_versions (dataset_id, number) on delete cascade
) strict, without rowid;
create index dataset_tags_by_version on dataset_tags (dataset_id, number);

alter table dataset_versions add column trashed_at integer;
