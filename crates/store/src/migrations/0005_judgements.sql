-- What came of the tests of model versions, and who approved which.

create table model_tests (
    version_id text not null references model_versions (id) on delete cascade,
    sequence integer not null,
    -- The hash of the file of tests.
    tests text not null,
    is_passed integer not null,
    report text not null,
    at_ms integer not null,
    primary key (version_id, sequence)
) strict, without rowid;

create table approvals (
    version_id text not null references model_versions (id) on delete cascade,
    sequence integer not null,
    person text not null,
    -- The statement as it was signed, to the byte.
    statement text not null,
    key text not null,
    signature text not null,
    at_ms integer not null,
    primary key (version_id, sequence)
) strict, without rowid;
