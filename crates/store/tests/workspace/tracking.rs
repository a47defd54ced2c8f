//! What scripts log: kept once, found again, and there after a repair.

use std::collections::BTreeMap;
use std::ops::Bound;

use base::{Clock, Code, Progress, RunId};
use rusqlite::types::Value;
use store::runs::RunState;
use store::tracking::artifacts::{self, StoredFile};
use store::tracking::experiments::{self, NewExperiment};
use store::tracking::inputs::{self, DatasetInput, LoggedDataset};
use store::tracking::logged_models::{self, ModelStatus, NewLoggedModel};
use store::tracking::points::{self, Point};
use store::tracking::registry::{self, VersionFacts};
use store::tracking::script_runs::{self, NewScriptRun, RunUpdate};
use store::tracking::search::{self, Compare, Condition, Field, Order, Search, Test, TextTest, View};
use store::tracking::walks::{self, Along};
use store::tracking::{self, Pair};
use store::{Depth, Entry, Store, trash};

use crate::world::{World, action, new_model_version, project};

fn pair(key: &str, value: &str) -> Pair {
    (key.to_owned(), value.to_owned())
}

fn experiment(store: &Store, name: &str) -> i64 {
    let project_id = store.read(store::projects::list).unwrap().first().map(|project| project.id.clone());
    let project_id = project_id.unwrap_or_else(|| project(store));
    let new = NewExperiment {
        id: None,
        project_id,
        name: name.to_owned(),
        artifact_location: None,
        tags: vec![pair("team", "a")],
    };
    store.write(action(), |w| experiments::create(w, &new)).unwrap().id
}

fn new_run(experiment_id: i64, started_at: i64) -> NewScriptRun {
    NewScriptRun {
        id: None,
        experiment_id,
        name: "calm-owl-1".to_owned(),
        user_id: "ada".to_owned(),
        state: RunState::Running,
        started_at,
        ended_at: None,
        tags: vec![pair("mlflow.runName", "calm-owl-1")],
    }
}

fn run(store: &Store, experiment_id: i64, started_at: i64) -> RunId {
    store.log(move |e| script_runs::create(e, &new_run(experiment_id, started_at))).unwrap().id
}

fn log(store: &Store, id: &RunId, key: &str, points: &[(i64, i64, f64)]) {
    let id = id.clone();
    let all = points.iter().map(|&(step, at_ms, value)| Point { value, step, at_ms }).collect();
    let curves = BTreeMap::from([(key.to_owned(), all)]);
    store.log(move |e| points::log(e, &id, &curves)).unwrap();
}

fn finish(store: &Store, id: &RunId) {
    let id = id.clone();
    let update = RunUpdate { state: Some(RunState::Done), ended_at: Some(9), name: None };
    store.log(move |e| script_runs::update(e, &id, &update)).unwrap();
}

fn settle_all(store: &Store) {
    let resting = store.read(|db| tracking::unsettled(db, 100)).unwrap();
    store.write(action(), |w| resting.iter().try_for_each(|one| tracking::settle(w, one))).unwrap();
}

#[test]
fn the_same_point_is_kept_once_and_the_last_is_the_greatest_by_step_and_time() {
    let world = World::new();
    let id = run(&world.store, experiment(&world.store, "a"), 1);
    log(&world.store, &id, "loss", &[(1, 10, 0.5), (0, 10, 0.9), (1, 10, 0.5)]);
    log(&world.store, &id, "loss", &[(1, 10, 6.0), (-5, 99, 1.0), (1, 10, f64::NAN)]);
    let (last, history) = world
        .store
        .read(|db| Ok((store::metrics::last(db, &id)?, points::history(db, &id, "loss", None, 10)?)))
        .unwrap();
    assert_eq!((last[0].last.step, last[0].last.value, last[0].points), (1, 6.0, 5));
    let order: Vec<_> =
        history.iter().map(|point| (point.at_ms, point.step, point.value.to_string())).collect();
    let expected = [(10, 0, "0.9"), (10, 1, "NaN"), (10, 1, "0.5"), (10, 1, "6"), (99, -5, "1")];
    assert_eq!(order, expected.map(|(at, step, value)| (at, step, value.to_owned())));
    let mut paged = Vec::new();
    while let Ok(page) = world.store.read(|db| points::history(db, &id, "loss", paged.last().copied(), 2))
        && !page.is_empty()
    {
        paged.extend(page);
    }
    assert_eq!(format!("{paged:?}"), format!("{history:?}"));
}

#[test]
fn a_sample_has_the_first_point_of_each_part_and_the_last_of_all() {
    let world = World::new();
    let id = run(&world.store, experiment(&world.store, "a"), 1);
    let all: Vec<_> = (0..10).map(|step| (step, step, step as f64)).collect();
    log(&world.store, &id, "loss", &all);
    let steps = |range, most| -> Vec<i64> {
        let points = world.store.read(|db| points::sample(db, &id, "loss", range, most)).unwrap();
        points.iter().map(|point| point.step).collect()
    };
    assert_eq!(steps((0, 9), 4), [0, 3, 6, 8, 9], "ntile(4) of ten rows has parts of 3, 3, 2 and 2");
    assert_eq!(steps((0, 9), 100), (0..10).collect::<Vec<_>>());
    assert_eq!(steps((3, 5), 2), [3, 5]);
    assert_eq!(steps((50, 60), 2), [0; 0]);
}

#[test]
fn a_curve_is_walked_by_step_or_by_time_from_one_point_to_another() {
    let world = World::new();
    let id = run(&world.store, experiment(&world.store, "a"), 1);
    log(&world.store, &id, "loss", &[(0, 30, 3.0), (1, 10, 1.0), (2, 20, 2.0), (3, 40, f64::NAN)]);
    let walk = |along, limits| -> Vec<i64> {
        let mut steps = Vec::new();
        let read = |db: &rusqlite::Connection| {
            let curve = walks::find(db, &id, "loss")?.expect("it is there");
            assert_eq!(curve.points, 4);
            walks::between(db, curve, along, limits, |point| steps.push(point.step))
        };
        world.store.read(read).unwrap();
        steps
    };
    let point = |step, at_ms, value| Point { value, step, at_ms };
    let all = (Bound::Unbounded, Bound::Unbounded);
    assert_eq!(walk(Along::Step, all), [0, 1, 2, 3]);
    assert_eq!(walk(Along::Time, all), [1, 2, 0, 3]);
    let middle = (Bound::Excluded(point(1, 10, 1.0)), Bound::Included(point(0, 30, 3.0)));
    assert_eq!(walk(Along::Time, middle), [2, 0]);
    let rest = (Bound::Included(point(2, 20, 2.0)), Bound::Excluded(point(3, 40, f64::NAN)));
    assert_eq!(walk(Along::Step, rest), [2]);
    assert_eq!(world.store.read(|db| walks::find(db, &id, "other")).unwrap(), None);
}

#[test]
fn a_parameter_is_written_once_and_a_conflict_writes_nothing() {
    let world = World::new();
    let id = run(&world.store, experiment(&world.store, "a"), 1);
    let add = |params: Vec<Pair>| {
        let id = id.clone();
        world.store.log(move |e| script_runs::add_params(e, &id, &params)).unwrap()
    };
    assert_eq!(add(vec![pair("p", "1")]), []);
    assert_eq!(add(vec![pair("p", "1")]), []);
    assert_eq!(add(vec![pair("new", "x"), pair("p", "2")]), [pair("p", "1")]);
    let logged = world.store.read(|db| script_runs::logged(db, std::slice::from_ref(&id))).unwrap();
    assert_eq!(logged[&id].params, [pair("p", "1")]);
}

#[test]
fn whoever_writes_together_is_acknowledged_alone() {
    let world = World::new();
    let id = run(&world.store, experiment(&world.store, "a"), 1);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..24_i64)
            .map(|n| {
                let (store, id) = (world.store.clone(), id.clone());
                scope.spawn(move || {
                    store.log(move |e: &mut Entry<'_>| {
                        script_runs::set_tags(e, &id, &[pair(&format!("t{n}"), "x")])?;
                        match n % 3 {
                            0 => Ok(n),
                            1 => Err(base::Error::invalid("no")),
                            _ => panic!("a fault of this one"),
                        }
                    })
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for (n, outcome) in outcomes.iter().enumerate() {
        match n % 3 {
            0 => assert_eq!(outcome.as_ref().unwrap(), &(n as i64)),
            1 => assert_eq!(outcome.as_ref().unwrap_err().code, Code::InvalidInput),
            _ => assert_eq!(outcome.as_ref().unwrap_err().code, Code::Internal),
        }
    }
    let tags = world.store.read(|db| script_runs::tags(db, &id)).unwrap();
    assert_eq!(tags.len(), 1 + 8, "only those that were acknowledged, and the name: {tags:?}");
}

#[test]
fn a_new_owner_leaves_running_scripts_alone() {
    let world = World::new();
    let id = run(&world.store, experiment(&world.store, "a"), 1);
    let dir = {
        let World { dir, store, feed } = world;
        drop((store, feed));
        dir
    };
    let store = crate::world::reopen(dir.path());
    assert_eq!(store.read(|db| script_runs::get(db, &id)).unwrap().state, RunState::Running);
}

#[test]
fn an_experiment_takes_its_runs_along_and_keeps_its_name() {
    let world = World::new();
    let store = &world.store;
    let experiment_id = experiment(store, "vision/resnet");
    let id = run(store, experiment_id, 1);
    store.write(action(), |w| experiments::set_deleted(w, experiment_id, true)).unwrap();
    assert!(store.read(|db| script_runs::get(db, &id)).unwrap().is_deleted);
    let late = store.log(move |e| script_runs::create(e, &new_run(experiment_id, 2)));
    assert_eq!(late.unwrap_err().code, Code::Conflict);
    let found = store.read(|db| experiments::by_name(db, "vision/resnet")).unwrap().unwrap();
    assert!(found.deleted_at.is_some());
    let new = NewExperiment {
        id: None,
        project_id: found.project_id,
        name: found.name,
        artifact_location: None,
        tags: Vec::new(),
    };
    let again = store.write(action(), |w| experiments::create(w, &new));
    assert_eq!(again.unwrap_err().code, Code::AlreadyExists);
    store.write(action(), |w| experiments::set_deleted(w, experiment_id, false)).unwrap();
    store.write(action(), |w| experiments::rename(w, experiment_id, "vision/vit")).unwrap();
    let run = store.read(|db| store::runs::get(db, &id)).unwrap();
    assert_eq!((run.experiment.as_str(), run.number), ("vision/vit", 1));
}

#[test]
fn runs_are_found_by_what_was_logged_and_come_in_the_order_that_is_wished() {
    let world = World::new();
    let store = &world.store;
    let experiment_id = experiment(store, "a");
    let ids: Vec<RunId> = (0..5).map(|n| run(store, experiment_id, n)).collect();
    for (id, value) in ids.iter().zip([0.2, 0.9, f64::NAN, 0.9]) {
        log(store, id, "auc", &[(0, 0, value)]);
    }
    let one = ids[1].clone();
    store.log(move |e| script_runs::add_params(e, &one, &[pair("Opt", "Adam_W%")]).map(drop)).unwrap();
    let find = |conditions: Vec<Condition>, order: Vec<Order>, offset, limit| -> Vec<usize> {
        let search = Search {
            conditions,
            order,
            offset,
            limit,
            experiments: vec![experiment_id],
            ..Search::default()
        };
        let found = store.read(|db| search::runs(db, &search)).unwrap();
        found.iter().map(|id| ids.iter().position(|one| one == id).unwrap()).collect()
    };
    let auc = || Field::Metric("auc".to_owned());
    let order = |is_ascending| vec![Order { field: auc(), is_ascending }];
    assert_eq!(find(vec![], vec![], 0, 9), [4, 3, 2, 1, 0], "the last begun first");
    assert_eq!(find(vec![], order(false), 0, 9), [3, 1, 0, 2, 4], "NaN, then missing, come last");
    assert_eq!(find(vec![], order(true), 0, 9), [0, 3, 1, 2, 4]);
    for offset in 0..5_usize {
        let page = find(vec![], order(false), offset as u64, 2);
        assert_eq!(page, [3, 1, 0, 2, 4][offset..(offset + 2).min(5)], "from {offset}");
    }
    let above = Condition { field: auc(), test: Test::Number(Compare::Above, 0.5) };
    assert_eq!(find(vec![above], vec![], 0, 9), [3, 1]);
    let param = |test| vec![Condition { field: Field::Param("Opt".to_owned()), test }];
    let text = |how, text: &str| param(Test::Text(how, text.to_owned()));
    assert_eq!(find(text(TextTest::Like, "Adam%"), vec![], 0, 9), [1]);
    assert_eq!(find(text(TextTest::Like, "adam%"), vec![], 0, 9), [0; 0]);
    assert_eq!(find(text(TextTest::ILike, "adam%"), vec![], 0, 9), [1]);
    assert_eq!(find(text(TextTest::Like, "A*"), vec![], 0, 9), [0; 0]);
    assert_eq!(find(text(TextTest::Unequal, "SGD"), vec![], 0, 9), [1], "a run without it does not differ");
    assert_eq!(find(param(Test::Missing), vec![], 0, 9), [4, 3, 2, 0]);
    let quoted = text(TextTest::Equal, "'; drop table runs; --");
    assert_eq!(find(quoted, vec![], 0, 9), [0; 0]);
}

#[test]
fn a_folder_lists_its_names_and_a_path_is_a_file_or_a_folder() {
    let world = World::new();
    let store = &world.store;
    let digest = store.objects().put_bytes(b"x").unwrap();
    let put = |path: &str| {
        let path = path.to_owned();
        store.log(move |e| artifacts::put(e, &path, StoredFile { digest, size_bytes: 1 }))
    };
    for path in ["1/r/a/b.txt", "1/r/a/c/d", "1/r/a-b", "1/r/a.txt", "1/r/CON", "1/r/été:x"] {
        put(path).unwrap();
    }
    let names = |folder: &str| -> Vec<(String, bool)> {
        let listed = store.read(|db| artifacts::list(db, folder)).unwrap();
        listed.into_iter().map(|one| (one.name, one.size_bytes.is_none())).collect()
    };
    let expected = [("CON", false), ("a", true), ("a-b", false), ("a.txt", false), ("été:x", false)];
    assert_eq!(names("1/r"), expected.map(|(name, is_folder)| (name.to_owned(), is_folder)));
    assert_eq!(names("1/r/CON"), []);
    assert_eq!(put("1/r/a").unwrap_err().code, Code::Conflict);
    assert_eq!(put("1/r/CON/x").unwrap_err().code, Code::Conflict);
    assert_eq!(store.log(|e| artifacts::delete(e, "1/r/a")).unwrap(), 2);
    assert_eq!(names("1/r/a"), []);
    assert_eq!(names("1/r").len(), 4, "what only begins with the same letters stays");
}

/// One of everything that scripts log.
fn furnish(store: &Store) -> RunId {
    let experiment_id = experiment(store, "a");
    let id = run(store, experiment_id, 1);
    log(store, &id, "loss", &[(0, 1, 0.1 + 0.2), (1, 2, f64::NAN)]);
    let digest = store.objects().put_bytes(b"a figure").unwrap();
    let dataset = LoggedDataset {
        name: "iris".to_owned(),
        digest: "d1".to_owned(),
        source_type: "local".to_owned(),
        source: "{}".to_owned(),
        schema: None,
        profile: None,
    };
    let input = DatasetInput { dataset, tags: vec![pair(inputs::CONTEXT_TAG, "train")] };
    let of = id.clone();
    let model = store
        .log(move |e| {
            script_runs::add_params(e, &of, &[pair("p", "1")])?;
            inputs::add_datasets(e, &of, experiment_id, &[input])?;
            let new = NewLoggedModel {
                id: None,
                experiment_id,
                name: "model".to_owned(),
                model_type: None,
                source_run_id: Some(of.to_string()),
                params: vec![pair("p", "1")],
                tags: vec![pair("t", "1")],
            };
            let model = logged_models::create(e, &new)?;
            inputs::add_outputs(e, &of, &[(model.id.clone(), 0)])?;
            artifacts::put(
                e,
                &format!("{experiment_id}/{of}/artifacts/f.png"),
                StoredFile { digest, size_bytes: 8 },
            )?;
            let file = format!("{experiment_id}/models/{}/artifacts/MLmodel", model.id);
            artifacts::put(e, &file, StoredFile { digest, size_bytes: 8 })?;
            logged_models::set_status(e, &model.id, ModelStatus::Ready)
        })
        .unwrap();
    store
        .write(action(), |w| {
            let project_id = experiments::get(w, experiment_id)?.project_id;
            let registered = registry::create(w, &project_id, "a name: with signs", "", &[pair("k", "v")])?;
            let facts = VersionFacts {
                source: format!("models:/{}", model.id),
                stage: registry::NO_STAGE.to_owned(),
                ..VersionFacts::default()
            };
            registry::add_version(
                w,
                &registered.model.id,
                new_model_version(digest),
                &facts,
                &[pair("k", "v")],
            )?;
            let second =
                registry::add_version(w, &registered.model.id, new_model_version(digest), &facts, &[])?;
            registry::set_model_tag(w, &registered.model.id, &pair("gone", "1"))?;
            registry::delete_model_tag(w, &registered.model.id, "gone")?;
            registry::delete_version(w, &second)
        })
        .unwrap();
    id
}

fn dump(path: &std::path::Path) -> Vec<(String, Vec<Vec<Value>>)> {
    let db = rusqlite::Connection::open(path.join("fettle.db")).unwrap();
    let tables = [
        "experiments",
        "experiment_tags",
        "script_runs",
        "run_tags",
        "curves",
        "points",
        "last_metrics",
        "logged_datasets",
        "run_inputs",
        "logged_models",
        "logged_model_params",
        "logged_model_tags",
        "run_models",
        "artifacts",
        "model_facts",
        "model_tags",
        "model_versions",
        "version_facts",
        "version_tags",
    ];
    let rows = |table: &str| {
        let mut statement = db.prepare(&format!("select * from {table} order by 1, 2")).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|at| row.get(at)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    tables.map(|table| (table.to_owned(), rows(table))).to_vec()
}

#[test]
fn what_has_settled_is_there_after_the_index_was_lost() {
    let world = World::new();
    let id = furnish(&world.store);
    finish(&world.store, &id);
    settle_all(&world.store);
    let report = world.store.check(Depth::Full, &Progress::silent()).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let path = world.path();
    let before = dump(&path);
    assert!(before.iter().all(|(_, rows)| !rows.is_empty()), "{before:?}");
    let dir = world.close();
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(path.join(format!("fettle.db{suffix}")));
    }
    let report = Store::repair(&path, Clock::fixed(crate::world::NOW), &Progress::silent()).unwrap();
    assert_eq!(report.troubles, []);
    assert_eq!(dump(&path), before);
    drop(dir);
}

#[test]
fn a_run_that_changes_after_it_has_settled_is_told_anew() {
    let world = World::new();
    let id = furnish(&world.store);
    finish(&world.store, &id);
    settle_all(&world.store);
    let of = id.clone();
    world.store.log(move |e| script_runs::set_tags(e, &of, &[pair("late", "1")])).unwrap();
    let is_clean = || world.store.check(Depth::Full, &Progress::silent()).unwrap().findings.is_empty();
    assert!(is_clean(), "what changes has no manifest that could be wrong");
    settle_all(&world.store);
    assert!(is_clean());
    assert_eq!(world.store.read(|db| tracking::unsettled(db, 9)).unwrap(), []);
}

#[test]
fn a_deleted_run_comes_back_whole_or_frees_its_bytes() {
    let world = World::new();
    let store = &world.store;
    let id = furnish(store);
    store.write(action(), |w| script_runs::set_deleted(w, &id, true)).unwrap();
    let active = Search { experiments: vec![1], limit: 9, ..Search::default() };
    assert_eq!(store.read(|db| search::runs(db, &active)).unwrap(), []);
    let deleted = Search { view: View::Deleted, ..active.clone() };
    assert_eq!(store.read(|db| search::runs(db, &deleted)).unwrap(), std::slice::from_ref(&id));
    let listed = store.read(trash::list).unwrap();
    assert_eq!((listed.len(), listed[0].bytes), (1, 8));
    store.write(action(), |w| script_runs::set_deleted(w, &id, false)).unwrap();
    assert_eq!(store.read(|db| search::runs(db, &active)).unwrap(), std::slice::from_ref(&id));
    store.write(action(), |w| trash::put(w, &trash::Item::Run(id.clone()))).unwrap();
    store.empty_trash().unwrap();
    let file = format!("1/{id}/artifacts/f.png");
    assert_eq!(store.read(|db| artifacts::find(db, &file)).unwrap(), None);
    let report = store.check(Depth::Full, &Progress::silent()).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
}
