//! Stores of MLflow come in and go out through the program: complete, once, whatever kills it, and
//! never over what is here.
#![cfg(unix)]

mod testkit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rusqlite::Connection;
use serde_json::{Value, json};
use testkit::{World, text};

/// Runs of the large database. The acceptance asks for this many.
const RUNS: u32 = 10_000;

/// The tables of MLflow 3 that hold what is taken.
const TABLES: &str = "
create table alembic_version (version_num varchar(32) not null);
insert into alembic_version values ('dc11669786a5');
create table experiments (experiment_id integer primary key, name varchar(256) not null, artifact_location varchar(256),
    lifecycle_stage varchar(32), creation_time bigint, last_update_time bigint, workspace varchar(63) default 'default');
create table experiment_tags (key varchar(250), value text, experiment_id integer);
create table runs (run_uuid varchar(32) primary key, name varchar(250), user_id varchar(256), status varchar(9),
    start_time bigint, end_time bigint, lifecycle_stage varchar(20), deleted_time bigint, artifact_uri varchar(200),
    experiment_id integer);
create table params (key varchar(250), value varchar(8000), run_uuid varchar(32), primary key (key, run_uuid));
create table tags (key varchar(250), value varchar(8000), run_uuid varchar(32), primary key (key, run_uuid));
create table metrics (key varchar(250), value float, timestamp bigint, run_uuid varchar(32), step bigint, is_nan boolean,
    primary key (key, timestamp, step, run_uuid, value, is_nan));
create index index_params_run_uuid on params (run_uuid);
create index index_tags_run_uuid on tags (run_uuid);
create index index_metrics_run_uuid on metrics (run_uuid);
create table registered_models (name varchar(256), creation_time bigint, last_updated_time bigint, description text,
    workspace varchar(63) default 'default');
create table registered_model_tags (key varchar(250), value text, name varchar(256), workspace varchar(63) default 'default');
create table registered_model_aliases (alias varchar(256), version integer, name varchar(256),
    workspace varchar(63) default 'default');
create table model_versions (name varchar(256), version integer, creation_time bigint, last_updated_time bigint,
    description text, user_id text, current_stage text, source text, run_id text, run_link text, storage_location text,
    workspace varchar(63) default 'default');
create table model_version_tags (key varchar(250), value text, name varchar(256), version integer,
    workspace varchar(63) default 'default');";

/// So many runs in ten experiments, every seventh deleted, with parameters, tags and two curves, one of
/// which is not a number at every fifth step.
fn fill(db: &Connection, runs: u32) {
    let fill = format!(
        "begin;
         with recursive n(i) as (select 0 union all select i + 1 from n where i < 9)
         insert into experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time)
            select i, iif(i = 0, 'Default', 'team/' || i), '/gone/mlruns/' || i, iif(i = 9, 'deleted', 'active'), 100 + i, 200 + i from n;
         insert into experiment_tags select 'k', 'of ' || name, experiment_id from experiments where experiment_id > 0;
         create temp table n as with recursive n(i) as (select 0 union all select i + 1 from n where i < {runs} - 1)
            select i, printf('%032x', i * 7919 + 17) as id from n;
         insert into runs select id, 'run ' || i, 'user ' || (i % 3),
            case i % 5 when 0 then 'FINISHED' when 1 then 'FAILED' when 2 then 'KILLED' when 3 then 'RUNNING' else 'SCHEDULED' end,
            1000 + i, iif(i % 5 < 3, 2000 + i, null), iif(i % 7 = 0 or i % 10 = 9, 'deleted', 'active'),
            iif(i % 7 = 0 or i % 10 = 9, 3000 + i, null), '/gone/mlruns/' || (i % 10) || '/' || id || '/artifacts', i % 10 from n;
         insert into params select 'p' || k.i, 'value ' || n.i || char(10) || 'é', n.id from n, (select i from n limit 3) k;
         insert into tags select 'mlflow.runName', 'run ' || i, id from n;
         insert into tags select 't', iif(i % 4 = 0, '', 'tag ' || i), id from n;
         insert into metrics select 'loss', 1.0 / (k.i + 1 + n.i), 5000 + k.i, n.id, k.i, 0 from n, (select i from n limit 5) k;
         insert into metrics select 'odd/one', iif(k.i = 4, 0, -k.i), 9000 - k.i, n.id, k.i, k.i = 4 from n, (select i from n limit 5) k;
         commit;"
    );
    db.execute_batch(TABLES).expect("the tables are made");
    db.execute_batch(&fill).unwrap_or_else(|e| panic!("{e}"));
}

fn database(world: &World, runs: u32) -> PathBuf {
    let folder = world.path("project");
    fs::create_dir_all(&folder).expect("can be made");
    let path = folder.join("mlflow.db");
    fill(&Connection::open(&path).expect("can be made"), runs);
    path
}

/// Every field of every row of one database, as the other has it: rows that only one side has.
fn differences(world: &World, theirs: &Path) -> Vec<String> {
    let db = Connection::open(world.workspace().join("fettle.db")).expect("the index opens");
    db.execute("attach ?1 as theirs", [text(theirs)]).expect("both open");
    let pairs = [
        (
            "experiments",
            "select experiment_id, name, creation_time, last_update_time, lifecycle_stage from theirs.experiments",
            "select id, name, created_at, updated_at, iif(deleted_at is null, 'active', 'deleted') from main.experiments",
        ),
        (
            "experiment tags",
            "select experiment_id, key, value from theirs.experiment_tags",
            "select experiment_id, key, value from main.experiment_tags",
        ),
        (
            "runs",
            "select run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, deleted_time, experiment_id
             from theirs.runs",
            "select r.id, r.name, s.user_id, case r.state when 'done' then 'FINISHED' when 'failed' then 'FAILED'
                when 'cancelled' then 'KILLED' when 'running' then 'RUNNING' when 'queued' then 'SCHEDULED' end,
                s.started_at, s.ended_at, iif(r.trashed_at is null, 'active', 'deleted'), r.trashed_at, s.experiment_id
             from main.runs r join main.script_runs s on s.run_id = r.id",
        ),
        ("params", "select run_uuid, key, value from theirs.params", "select run_id, key, value from main.params"),
        ("tags", "select run_uuid, key, value from theirs.tags", "select run_id, key, value from main.run_tags"),
        (
            "points",
            "select run_uuid, key, step, timestamp, value, is_nan from theirs.metrics",
            "select c.run_id, c.key, p.step, p.at_ms, p.value, p.is_nan from main.curves c join main.points p on p.curve_id = c.id",
        ),
    ];
    let mut found = Vec::new();
    for (what, one, other) in pairs {
        for (side, query) in
            [("only there", format!("{one} except {other}")), ("only here", format!("{other} except {one}"))]
        {
            let count: u32 = db
                .query_row(&format!("select count(*) from ({query})"), [], |row| row.get(0))
                .expect("both are read");
            if count > 0 {
                found.push(format!("{count} {what} {side}"));
            }
        }
    }
    found
}

fn import(world: &World, path: &Path) -> Value {
    world.ok(&["track", "import", text(path)])
}

fn count(moved: &Value, what: &str) -> Value {
    let counts = moved["counts"].as_array().expect("counts");
    let found = counts.iter().find(|count| count["what"] == what);
    found.cloned().unwrap_or_else(|| panic!("no {what} in {moved}"))
}

/// Found, added, same, conflicts, skipped.
fn five(moved: &Value, what: &str) -> [u64; 5] {
    let count = count(moved, what);
    ["found", "added", "same", "conflicts", "skipped"].map(|name| count[name].as_u64().expect("a number"))
}

fn notes(moved: &Value, kind: &str) -> Vec<String> {
    let notes = moved["notes"].as_array().expect("notes").iter().filter(|note| note["kind"] == kind);
    notes.map(|note| format!("{}: {}", note["what"], note["why"])).collect()
}

/// The index of a workspace, without what a look at it changes.
fn rows(world: &World) -> Vec<(String, u64)> {
    let db = Connection::open(world.workspace().join("fettle.db")).expect("the index opens");
    let tables = [
        "experiments",
        "runs",
        "run_tags",
        "params",
        "points",
        "artifacts",
        "models",
        "model_versions",
        "audit",
    ];
    let count = |table: &str| {
        let query = format!("select count(*) from {table}");
        (
            table.to_owned(),
            db.query_row(&query, [], |row| row.get(0)).unwrap_or_else(|e| panic!("{table}: {e}")),
        )
    };
    tables.map(count).into()
}

#[test]
fn ten_thousand_runs_come_in_whole_and_a_second_time_changes_nothing() {
    let world = World::new();
    let path = database(&world, RUNS);
    let runs = u64::from(RUNS);
    let began = std::time::Instant::now();
    let moved = import(&world, &path);
    eprintln!("{RUNS} runs taken in {:?}", began.elapsed());
    assert_eq!(moved["source"], "database of MLflow 3 or later, schema `dc11669786a5`");
    assert_eq!((five(&moved, "runs"), &moved["isChanged"]), ([runs, runs, 0, 0, 0], &json!(true)));
    assert_eq!(five(&moved, "points")[..2], [runs * 10, runs * 10]);
    assert_eq!(five(&moved, "params")[..2], [runs * 3, runs * 3]);
    assert_eq!(differences(&world, &path), Vec::<String>::new());
    let before = rows(&world);
    let began = std::time::Instant::now();
    let again = import(&world, &path);
    eprintln!("{RUNS} runs compared in {:?}", began.elapsed());
    assert_eq!(again["isChanged"], false, "{}", again["counts"]);
    assert_eq!(five(&again, "runs"), [runs, 0, runs, 0, 0]);
    assert_eq!(notes(&again, "conflict"), Vec::<String>::new());
    // Manifests of what rests are written meanwhile, which is no change of what is kept.
    let kept =
        |rows: Vec<(String, u64)>| rows.into_iter().filter(|(table, _)| table != "audit").collect::<Vec<_>>();
    assert_eq!(kept(rows(&world)), kept(before));
}

#[test]
fn an_import_that_is_killed_goes_on_where_it_was() {
    let world = World::new();
    let path = database(&world, 4_000);
    world.ok(&["project", "list"]);
    let index = Connection::open(world.workspace().join("fettle.db")).expect("the index opens");
    let there =
        || -> u32 { index.query_row("select count(*) from script_runs", [], |row| row.get(0)).unwrap_or(0) };
    let mut command = world.command(&["track", "import", text(&path)]);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while there() < 400 {
        assert!(process.try_wait().expect("it can be asked").is_none(), "it ended too early");
        std::thread::yield_now();
    }
    process.kill().expect("it can be killed");
    process.wait().expect("it ends");
    let kept = u64::from(there());
    assert!((400..4_000).contains(&kept), "{kept}");
    let moved = import(&world, &path);
    assert_eq!(five(&moved, "runs"), [4_000, 4_000 - kept, kept, 0, 0]);
    assert_eq!(differences(&world, &path), Vec::<String>::new());
    let report = world.ok(&["workspace", "check", "--full"]);
    assert_eq!(report["isClean"], true, "{report}");
}

#[test]
fn what_is_here_is_never_written_over() {
    let world = World::new();
    let path = database(&world, 20);
    import(&world, &path);
    let theirs = Connection::open(&path).expect("it opens");
    let change = "update params set value = 'other' where key = 'p0' and run_uuid = printf('%032x', 17);
        update runs set user_id = 'other', end_time = 1 where run_uuid = printf('%032x', 7919 + 17);
        insert into metrics values ('loss', 7, 7, printf('%032x', 2 * 7919 + 17), 7, 0);
        update experiment_tags set value = 'other' where experiment_id = 3;
        insert into experiment_tags values ('new', 'one', 3);";
    theirs.execute_batch(change).expect("it can be changed");
    let moved = import(&world, &path);
    assert_eq!(five(&moved, "runs"), [20, 0, 17, 3, 0]);
    let said = notes(&moved, "conflict");
    for (id, fields) in [(17, "other parameters"), (7_936, "other user, times"), (15_855, "other curves")] {
        let is_said = |note: &String| note.contains(&format!("{id:032x}")) && note.contains(fields);
        assert!(said.iter().any(is_said), "{fields}: {said:?}");
    }
    assert!(said.iter().any(|note| note.contains("team/3") && note.contains("tag `k`")), "{said:?}");
    let differ = differences(&world, &path);
    let expected = [
        // Setting a tag here is a change of the experiment.
        "1 experiments only there",
        "1 experiments only here",
        "1 experiment tags only there",
        "1 experiment tags only here",
        "1 runs only there",
        "1 runs only here",
        "1 params only there",
        "1 params only here",
        "1 points only there",
    ];
    assert_eq!(differ, expected);
    // A tag that is not here yet is no conflict.
    let tags = Connection::open(world.workspace().join("fettle.db")).expect("the index opens");
    let value: String = tags
        .query_row("select value from experiment_tags where experiment_id = 3 and key = 'new'", [], |row| {
            row.get(0)
        })
        .expect("it was added");
    assert_eq!(value, "one");
}

#[test]
fn a_number_that_is_taken_gives_way_and_runs_join_the_experiment_of_their_name() {
    let world = World::new();
    let first = database(&world, 10);
    import(&world, &first);
    let other = world.path("other.db");
    let db = Connection::open(&other).expect("can be made");
    db.execute_batch(TABLES).expect("the tables are made");
    let id = "f".repeat(32);
    db.execute_batch(&format!(
        "insert into experiments values (1, 'somebody''s', null, 'active', 1, 1, 'default'), (7, 'team/2', null, 'active', 1, 1, 'default');
         insert into runs values ('{id}', '', null, 'FINISHED', null, null, 'active', null, null, 1),
            ('{}', 'joins', null, 'FINISHED', 1, 2, 'active', null, null, 7);",
        "e".repeat(32)
    ))
    .expect("it is filled");
    for is_first in [true, false] {
        let moved = import(&world, &other);
        assert_eq!(moved["isChanged"], is_first, "{moved}");
        let said = notes(&moved, "changed").join("\n");
        assert!(said.contains("somebody's") && said.contains("number 10 here"), "{said}");
        assert!(said.contains("team/2") && said.contains("number 2 here"), "{said}");
    }
    let shown = world.ok(&["call", "run.show", &json!({ "run": id }).to_string()]);
    assert_eq!(shown["script"]["experiment"], "somebody's");
}

#[test]
fn files_come_along_and_hostile_ones_stay_where_they_are() {
    let world = World::new();
    let path = database(&world, 3);
    fs::write(world.path("secret"), "secret").expect("can be written");
    let id = |n: u32| format!("{:032x}", n * 7919 + 17);
    let at = |n: u32| world.path("project").join(format!("mlruns/{n}/{}/artifacts", id(n)));
    fs::create_dir_all(at(0).join("plots")).expect("can be made");
    fs::write(at(0).join("plots/é.svg"), "<svg/>").expect("can be written");
    fs::write(at(0).join("empty"), "").expect("can be written");
    fs::write(at(0).join("a#b"), "no client asks for this").expect("can be written");
    std::os::unix::fs::symlink(world.path("secret"), at(0).join("link")).expect("can be made");
    let db = Connection::open(&path).expect("it opens");
    let outside = world.path("elsewhere").join(id(1));
    fs::create_dir_all(&outside).expect("can be made");
    fs::write(outside.join("f"), "outside").expect("can be written");
    let set = "update runs set artifact_uri = ?2 where run_uuid = ?1";
    db.execute(set, (id(1), text(&outside))).expect("it is set");
    db.execute(set, (id(2), format!("s3://bucket/2/{}/artifacts", id(2)))).expect("it is set");
    let moved = import(&world, &path);
    assert_eq!(five(&moved, "files"), [4, 2, 0, 0, 2]);
    let said = notes(&moved, "skipped").join("\n");
    assert!(said.contains("`link`") && said.contains("`a#b`"), "{said}");
    let said = notes(&moved, "elsewhere").join("\n");
    assert!(said.contains("s3://bucket/2") && said.contains("outside of what is imported"), "{said}");
    // Whoever names the folder gets its files, and only those that were missing.
    let named = world.ok(&["track", "import", text(&path), "--artifacts", text(&world.path("elsewhere"))]);
    assert_eq!(five(&named, "runs"), [3, 0, 3, 0, 0]);
    assert_eq!(five(&named, "files"), [5, 1, 2, 0, 2]);
    // Another content of a file that is here is a conflict.
    fs::write(at(0).join("empty"), "no more").expect("can be written");
    let moved = import(&world, &path);
    let said = notes(&moved, "conflict").join("\n");
    assert!(said.contains("file `empty`") && said.contains("another content"), "{said}");
    let index = Connection::open(world.workspace().join("fettle.db")).expect("the index opens");
    let mut paths = index.prepare("select path, size_bytes from artifacts order by path").expect("it reads");
    let paths = paths.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("it reads");
    let paths: Vec<(String, u64)> = paths.collect::<Result<_, _>>().expect("it reads");
    let expected = [
        (format!("0/{}/artifacts/empty", id(0)), 0),
        (format!("0/{}/artifacts/plots/é.svg", id(0)), 6),
        (format!("1/{}/artifacts/f", id(1)), 7),
    ];
    assert_eq!(paths, expected);
}

#[test]
fn the_registry_comes_along_but_the_alias_of_deployments_waits_for_its_gate() {
    let world = World::new();
    let path = database(&world, 1);
    let db = Connection::open(&path).expect("it opens");
    let id = format!("{:032x}", 17);
    let folder = world.path("project").join(format!("mlruns/0/{id}/artifacts/model"));
    fs::create_dir_all(&folder).expect("can be made");
    fs::write(folder.join("MLmodel"), "flavors: {}").expect("can be written");
    db.execute_batch(&format!(
        "insert into registered_models values ('churn', 5, 6, 'who leaves', 'default');
         insert into registered_model_tags values ('owner', 'a', 'churn', 'default');
         insert into model_versions values
            ('churn', 1, 7, 8, 'one', 'me', 'Staging', '{0}', '{id}', 'link', null, 'default'),
            ('churn', 2, 7, 8, '', '', 'Deleted_Internal', '', '', '', null, 'default'),
            ('churn', 3, 9, 9, null, null, 'None', 's3://bucket/m', null, null, null, 'default');
         insert into model_version_tags values ('checked', 'yes', 'churn', 3, 'default');
         insert into registered_model_aliases values ('champion', 1, 'churn', 'default'), ('production', 3, 'churn', 'default'),
            ('lost', 2, 'churn', 'default');",
        folder.display()
    ))
    .expect("it is filled");
    let moved = import(&world, &path);
    assert_eq!((five(&moved, "models"), five(&moved, "versions")), ([1, 1, 0, 0, 0], [2, 2, 0, 0, 0]));
    assert_eq!(five(&moved, "aliases"), [3, 1, 0, 0, 2]);
    let said = notes(&moved, "skipped").join("\n");
    assert!(said.contains("alias `production` of `churn`") && said.contains("alias `lost`"), "{said}");
    let shown = world.ok(&["call", "model.show", r#"{"model":"churn"}"#]).to_string();
    assert!(shown.contains("champion") && !shown.contains("\"production\""), "{shown}");
    let index = Connection::open(world.workspace().join("fettle.db")).expect("the index opens");
    let mut rows = index
        .prepare(
            "select number, package_bytes, stage, source, note, v.created_at, run_ref from model_versions v
                  join version_facts f on f.version_id = v.id order by number",
        )
        .expect("it reads");
    let rows = rows.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
    });
    type Row = (u32, u64, String, String, String, i64, String);
    let rows: Vec<Row> = rows.expect("it reads").collect::<Result<_, _>>().expect("it reads");
    let source = format!("mlflow-artifacts:/0/{id}/artifacts/model");
    let none = String::new();
    assert_eq!(rows[0], (1, 11, "Staging".to_owned(), source, "one".to_owned(), 7, id));
    assert_eq!(rows[1], (3, 0, "None".to_owned(), "s3://bucket/m".to_owned(), none.clone(), 9, none));
    let again = import(&world, &path);
    assert_eq!((&again["isChanged"], five(&again, "versions")), (&json!(false), [2, 0, 2, 0, 0]));
}

#[test]
fn what_goes_out_comes_in_as_it_was() {
    let world = World::new();
    let path = database(&world, 50);
    let artifacts = world.path("project").join(format!("mlruns/0/{:032x}/artifacts/deep", 17));
    fs::create_dir_all(&artifacts).expect("can be made");
    fs::write(artifacts.join("file"), "content").expect("can be written");
    import(&world, &path);
    let out = world.path("out/mlruns");
    let moved = world.ok(&["track", "export", text(&out)]);
    assert_eq!((five(&moved, "runs")[1], five(&moved, "files")[1]), (50, 1));
    let refused = world.fails(2, &["track", "export", text(&out)]);
    assert!(refused["message"].to_string().contains("is there already"), "{refused}");
    let other = World::new();
    let back = import(&other, &out);
    assert_eq!(five(&back, "runs"), [50, 50, 0, 0, 0], "{back}");
    assert_eq!(differences(&other, &path), Vec::<String>::new());
    let left = fs::read_dir(world.path("out")).expect("it is there").count();
    assert_eq!(left, 1, "no draft stays beside it");
}

#[test]
fn what_is_no_store_is_refused_and_leaves_nothing() {
    let world = World::new();
    let nothing = world.path("nothing.db");
    let text_file = world.file("text.db", "just a text");
    let error = world.fails(2, &["track", "import", text(&nothing)]);
    assert_eq!(error["code"], "not_found", "{error}");
    let error = world.fails(2, &["track", "import", text(&text_file)]);
    assert!(
        error["message"].to_string().contains("no SQLite database") && !error["hint"].is_null(),
        "{error}"
    );
    let old = database(&world, 1);
    let db = Connection::open(&old).expect("it opens");
    db.execute_batch("update alembic_version set version_num = 'cc1f77228345'").expect("it is set");
    let error = world.fails(2, &["track", "import", text(&old)]);
    assert!(error["hint"].to_string().contains("mlflow db upgrade"), "{error}");
    db.execute_batch("update alembic_version set version_num = 'dc11669786a5'; begin exclusive")
        .expect("it is locked");
    let error = world.fails(1, &["track", "import", text(&old)]);
    assert_eq!(error["code"], "unavailable", "{error}");
    assert_eq!(rows(&world)[1].1, 0);
}
