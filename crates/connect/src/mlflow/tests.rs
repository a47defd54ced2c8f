//! Stores of both kinds: whole ones, hostile ones, and ones that a program has locked.

use std::fs;
use std::path::{Path, PathBuf};

use base::Code;
use rusqlite::Connection;

use super::*;

const RUN: &str = "0123456789abcdef0123456789abcdef";

/// The tables of MLflow 2 that matter, with what one run needs.
const TABLES: &str = "
create table alembic_version (version_num varchar(32) not null);
insert into alembic_version values ('0584bdc529eb');
create table experiments (experiment_id integer primary key, name varchar(256), artifact_location varchar(256),
    lifecycle_stage varchar(32), creation_time bigint, last_update_time bigint);
create table experiment_tags (key varchar(250), value varchar(5000), experiment_id integer);
create table runs (run_uuid varchar(32) primary key, name varchar(250), user_id varchar(256), status varchar(9),
    start_time bigint, end_time bigint, lifecycle_stage varchar(20), deleted_time bigint, artifact_uri varchar(200),
    experiment_id integer);
create table params (key varchar(250), value varchar(8000), run_uuid varchar(32));
create table tags (key varchar(250), value varchar(8000), run_uuid varchar(32));
create table metrics (key varchar(250), value float, timestamp bigint, run_uuid varchar(32), step bigint, is_nan boolean);
create table registered_models (name varchar(256), creation_time bigint, last_updated_time bigint, description text);
create table model_versions (name varchar(256), version integer, creation_time bigint, last_updated_time bigint,
    description text, user_id text, current_stage text, source text, run_id text, run_link text);
create table model_version_tags (key varchar(250), value text, name varchar(256), version integer);
create table trace_info (request_id varchar(50));
insert into experiments values (0, 'Default', './mlruns/0', 'active', 1, 2);
insert into trace_info values ('a'), ('b');";

fn database(dir: &Path, more: &str) -> PathBuf {
    let path = dir.join("mlflow.db");
    Connection::open(&path)
        .expect("this is a good store")
        .execute_batch(&format!("{TABLES}\n{more}"))
        .expect("this is a good store");
    path
}

fn file(path: PathBuf, text: &str) {
    fs::create_dir_all(path.parent().expect("this is a good store")).expect("this is a good store");
    fs::write(path, text).expect("this is a good store");
}

/// A folder with one experiment and one run.
fn folder(dir: &Path) -> PathBuf {
    let root = dir.join("mlruns");
    file(
        root.join("0/meta.yaml"),
        "name: Default\nartifact_location: file:///x/mlruns/0\nlifecycle_stage: active\n",
    );
    let meta = format!(
        "run_id: {RUN}\nrun_name: one\nstatus: 3\nstart_time: 5\nend_time: 9\nartifact_uri: file:///x\n"
    );
    file(root.join(format!("0/{RUN}/meta.yaml")), &meta);
    root
}

fn opened(path: &Path) -> Store {
    Store::open(path).unwrap_or_else(|e| panic!("{e}"))
}

fn refused(path: &Path) -> Error {
    match Store::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error,
    }
}

fn key(id: &str) -> RunKey {
    RunKey { experiment_id: 0, id: id.to_owned() }
}

#[test]
fn a_run_of_a_database_is_whole() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let path = database(
        dir.path(),
        &format!(
            "insert into runs values ('{RUN}', 'one', 'me', 'FAILED', 5, null, 'deleted', 8, 'x', 0);
             insert into params values ('b', '2', '{RUN}'), ('a', '1', '{RUN}');
             insert into tags values ('t', null, '{RUN}');
             insert into metrics values ('m', 0, 3, '{RUN}', 1, 1), ('m', 0.5, 2, '{RUN}', 0, 0), ('n', 1e999, 1, '{RUN}', -1, 0);"
        ),
    );
    let store = opened(&path);
    assert_eq!(store.title(), "database of MLflow 2, schema `0584bdc529eb`");
    assert_eq!(store.runs().expect("this is a good store"), [key(RUN)]);
    let run = store.run(&key(RUN), &mut Vec::new()).expect("this is a good store");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(run.params, [pair("a", "1"), pair("b", "2")]);
    assert_eq!(run.tags, [pair("t", "")]);
    assert_eq!((run.status.as_str(), run.is_deleted, run.ended_at), ("FAILED", true, None));
    assert_eq!(run.curves["m"][0], Point { value: 0.5, step: 0, at_ms: 2 });
    assert!(run.curves["m"][1].value.is_nan());
    assert_eq!(run.curves["n"], [Point { value: f64::MAX, step: -1, at_ms: 1 }]);
    assert_eq!(store.not_taken().expect("this is a good store")[0].what, "2 traces");
}

#[test]
fn what_is_no_store_is_refused_in_words() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let at = |name: &str| dir.path().join(name);
    fs::write(at("text"), "just a text").expect("this is a good store");
    fs::write(at("empty"), "").expect("this is a good store");
    Connection::open(at("other.db"))
        .expect("this is a good store")
        .execute_batch("create table runs (a)")
        .expect("this is a good store");
    fs::create_dir(at("folder")).expect("this is a good store");
    for (name, said, code) in [
        ("text", "is no SQLite database", Code::InvalidInput),
        ("empty", "is no SQLite database", Code::InvalidInput),
        ("other.db", "not one of MLflow", Code::InvalidInput),
        ("folder", "there is no store of MLflow", Code::InvalidInput),
        ("nothing", "cannot read", Code::NotFound),
    ] {
        let error = refused(&at(name));
        assert!(error.to_string().contains(said), "{error}");
        assert_eq!(error.code, code, "{error}");
        assert!(error.hint.is_some() || code == Code::NotFound, "{error}");
    }
}

#[test]
fn a_schema_that_is_too_old_or_unknown_is_named() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let old = database(dir.path(), "update alembic_version set version_num = 'bd07f7e963c5'");
    let error = refused(&old);
    assert!(error.to_string().contains("`bd07f7e963c5` is older than MLflow 2"), "{error}");
    assert!(error.hint.expect("this is a good store").contains("mlflow db upgrade"));

    let dir = tempfile::tempdir().expect("this is a good store");
    let changed = "update alembic_version set version_num = 'ffff00000000'; alter table runs rename column start_time to began";
    let error = refused(&database(dir.path(), changed));
    assert!(
        error.to_string().contains("no column `start_time` in `runs`: its schema `ffff00000000`"),
        "{error}"
    );

    // One that only has more than we know is read.
    let dir = tempfile::tempdir().expect("this is a good store");
    let newer =
        "update alembic_version set version_num = 'ffff00000000'; alter table runs add column more text";
    assert!(
        opened(&database(dir.path(), newer)).title().contains("MLflow 3 or later, schema `ffff00000000`")
    );
}

#[test]
fn a_view_in_the_place_of_a_table_is_not_read() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let endless = "drop table params; create view params as with recursive n(key) as
        (select 1 union all select key + 1 from n) select key, key as value, '' as run_uuid from n";
    let error = refused(&database(dir.path(), endless));
    assert!(error.to_string().contains("no column `key` in `params`"), "{error}");
}

#[test]
fn a_damaged_database_is_told_from_a_damaged_row() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let rows = format!(
        "insert into runs values ('{RUN}', 'one', 'me', 'FINISHED', 'soon', null, 'active', null, 'x', 0);"
    );
    let error = opened(&database(dir.path(), &rows))
        .run(&key(RUN), &mut Vec::new())
        .expect_err("this is no good store");
    assert_eq!(error.code, Code::InvalidInput, "{error}");
    assert!(error.to_string().contains("a row in it"), "{error}");

    let dir = tempfile::tempdir().expect("this is a good store");
    let many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
        insert into params select 'k' || i, hex(zeroblob(50)), 'r' from n;";
    let path = database(dir.path(), many);
    let mut bytes = fs::read(&path).expect("this is a good store");
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    fs::write(&path, bytes).expect("this is a good store");
    let read = Store::open(&path).and_then(|store| {
        store.experiments(&mut Vec::new())?;
        store.runs()?;
        store.run(&key("r"), &mut Vec::new())
    });
    let error = read.expect_err("this is no good store");
    assert!(matches!(error.code, Code::Corrupt | Code::NotFound), "{error}");
    bytes = fs::read(&path).expect("this is a good store");
    bytes.truncate(5_000);
    fs::write(&path, bytes).expect("this is a good store");
    let error = Store::open(&path).and_then(|store| store.runs()).expect_err("this is no good store");
    assert_eq!(error.code, Code::Corrupt, "{error}");
    assert!(error.to_string().contains("it is damaged"), "{error}");
}

#[test]
fn a_locked_database_says_so_and_is_left_alone() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let path = database(dir.path(), "");
    let before = fs::read(&path).expect("this is a good store");
    let writer = Connection::open(&path).expect("this is a good store");
    writer.execute_batch("begin exclusive").expect("this is a good store");
    let error = refused(&path);
    assert_eq!(error.code, Code::Unavailable, "{error}");
    assert!(
        error.to_string().contains("a program has locked it")
            && error.hint.expect("this is a good store").contains("server")
    );
    drop(writer);
    opened(&path).runs().expect("this is a good store");
    assert_eq!(fs::read(&path).expect("this is a good store"), before);
    assert_eq!(
        fs::read_dir(dir.path()).expect("this is a good store").count(),
        1,
        "nothing is left beside it"
    );
}

#[test]
fn a_run_of_a_folder_is_whole() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let root = folder(dir.path());
    let at = |path: &str| root.join(format!("0/{RUN}/{path}"));
    file(at("params/optimizer/rate"), "0.1");
    file(at("tags/text"), "two\nlines");
    file(at("metrics/train/loss"), "1 0.5 0\n2 nan 1\n3 inf 2\n4 1e-05\n");
    file(
        at("inputs/i/meta.yaml"),
        "source_type: DATASET\nsource_id: d\ntags:\n  mlflow.data.context: training\n",
    );
    file(
        root.join("0/datasets/d/meta.yaml"),
        "name: train\ndigest: abc\nsource_type: code\nsource: '{}'\nschema: null\n",
    );
    file(at("outputs/m-1/meta.yaml"), "step: 7\n");
    for path in [&root, &dir.path().to_owned()] {
        let mut troubles = Vec::new();
        let run = opened(path).run(&key(RUN), &mut troubles).expect("this is a good store");
        assert_eq!(run.params, [("optimizer/rate".to_owned(), "0.1".to_owned())]);
        assert_eq!(run.tags, [("text".to_owned(), "two\nlines".to_owned())]);
        let values: Vec<_> = run.curves["train/loss"].iter().map(|point| point.value).collect();
        assert!(values[1].is_nan() && values[0] == 0.5 && values[2..] == [f64::MAX, 1e-5], "{values:?}");
        assert_eq!((run.status.as_str(), run.name.as_str(), run.ended_at), ("FINISHED", "one", Some(9)));
        assert_eq!((run.datasets[0].name.as_str(), run.datasets[0].schema.clone()), ("train", None));
        assert_eq!(run.models_out, [("m-1".to_owned(), 7)]);
        assert_eq!(troubles, []);
    }
}

#[test]
fn the_registry_of_a_folder_is_whole_but_for_deleted_versions() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let root = folder(dir.path());
    let at = |path: &str| root.join("models/churn").join(path);
    file(at("meta.yaml"), "name: churn\ndescription: who leaves\naliases:\n  champion: '3'\n");
    file(at("aliases/champion"), "3");
    file(at("aliases/broken"), "three");
    file(at("version-1/meta.yaml"), "version: 1\ncurrent_stage: None\nsource: models:/m-1\nrun_id: r\n");
    file(at("version-2/meta.yaml"), "version: 2\ncurrent_stage: Deleted_Internal\n");
    file(at("version-3/meta.yaml"), "version: 3\ncurrent_stage: Staging\nsource: file:///x\n");
    let mut troubles = Vec::new();
    let models = opened(&root).registered_models(&mut troubles).expect("this is a good store");
    let numbers: Vec<_> =
        models[0].versions.iter().map(|version| (version.number, version.stage.as_str())).collect();
    assert_eq!(numbers, [(1, "None"), (3, "Staging")]);
    assert_eq!(models[0].versions[0].logged_model_id.as_deref(), Some("m-1"));
    assert_eq!(models[0].aliases, [("champion".to_owned(), 3)]);
    assert_eq!(troubles.len(), 1);
    assert!(troubles[0].what.contains("`broken`"), "{troubles:?}");
}

#[test]
fn what_a_folder_cannot_give_is_named_and_the_rest_is_read() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let root = folder(dir.path());
    let at = |path: &str| root.join(format!("0/{RUN}/{path}"));
    file(at("metrics/m"), "1 0.5 0\nnot a point\n2 0.25 1\n");
    file(at("params/good"), "1");
    fs::write(at("params/bad"), [0xff, 0xfe]).expect("this is a good store");
    file(at("inputs/i/meta.yaml"), "source_type: DATASET\nsource_id: ../../../etc\n");
    file(root.join("7/meta.yaml"), "");
    let other = "f".repeat(32);
    file(root.join(format!("0/{other}/meta.yaml")), &format!("run_id: {RUN}\n"));
    let store = opened(&root);
    let mut troubles = Vec::new();
    assert_eq!(store.experiments(&mut troubles).expect("this is a good store").len(), 1);
    assert!(troubles[0].what == "experiment 7" && troubles[0].why.contains("it is empty"), "{troubles:?}");
    troubles.clear();
    let run = store.run(&key(RUN), &mut troubles).expect("this is a good store");
    assert_eq!((run.curves["m"].len(), run.params.len(), run.datasets.len()), (2, 1, 0));
    let said: Vec<_> = troubles.iter().map(|trouble| trouble.why.as_str()).collect();
    assert!(said.iter().any(|why| why.contains("line 2 of")), "{said:?}");
    assert!(said.iter().any(|why| why.contains("is not UTF-8")), "{said:?}");
    assert!(said.iter().any(|why| why.contains("names no dataset")), "{said:?}");
    let error = store.run(&key(&other), &mut troubles).expect_err("this is no good store");
    assert!(error.to_string().contains("is that of the run"), "{error}");
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let dir = tempfile::tempdir().expect("this is a good store");
    let root = folder(dir.path());
    fs::write(dir.path().join("secret"), "secret").expect("this is a good store");
    let params = root.join(format!("0/{RUN}/params"));
    fs::create_dir(&params).expect("this is a good store");
    std::os::unix::fs::symlink(dir.path().join("secret"), params.join("p")).expect("this is a good store");
    std::os::unix::fs::symlink(&root, root.join("1")).expect("this is a good store");
    let store = opened(&root);
    let mut troubles = Vec::new();
    assert_eq!(store.experiments(&mut troubles).expect("this is a good store").len(), 1);
    assert_eq!(store.run(&key(RUN), &mut troubles).expect("this is a good store").params, []);
    assert!(troubles[0].why.contains("is a link"), "{troubles:?}");
}
