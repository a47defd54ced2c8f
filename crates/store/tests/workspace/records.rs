//! The records: what each function promises.

use std::collections::BTreeSet;
use std::time::Instant;

use base::{Code, Error, Stage, Timestamp};
use serde_json::json;
use store::deployments::{DeploymentState, NewDeployment};
use store::jobs::JobState;
use store::metrics::Metric;
use store::models::Reasons;
use store::monitors::{AlertMetric, NewAlert, NewRule};
use store::run_list::{Comparison, Condition, RunFilter, RunOrder};
use store::runs::RunState;
use store::{
    Page, Topic, cache, datasets, deployments, drafts, jobs, metrics, models, monitors, projects, run_list,
    runs, settings, steps,
};

use crate::world::{
    NOW, World, action, finished_run, furnish, new_model_version, new_run, new_version, project,
};

#[test]
fn projects_of_the_same_name_get_folders_of_their_own() {
    let world = World::new();
    let slugs = ["Iris", "iris!", "..", "Iris"]
        .map(|name| world.store.write(action(), |w| projects::create(w, name)).unwrap().slug);
    assert_eq!(slugs, ["iris", "iris-2", "project", "iris-3"]);
    for wrong in ["", "  ", "a\nb", &"x".repeat(201)] {
        let error = world.store.write(action(), |w| projects::create(w, wrong)).unwrap_err();
        assert_eq!(error.code, Code::InvalidInput, "{wrong:?}");
    }
    let id = project(&world.store);
    world.store.write(action(), |w| projects::rename(w, &id, "Blumen")).unwrap();
    let renamed = world.store.read(|db| projects::get(db, &id)).unwrap();
    assert_eq!((renamed.name.as_str(), renamed.slug.as_str()), ("Blumen", "flowers"));
}

#[test]
fn the_same_file_makes_no_new_version_and_a_changed_one_does() {
    let world = World::new();
    let project_id = project(&world.store);
    let (one, two) = (store::Digest::of(b"1"), store::Digest::of(b"2"));
    let dataset = world.store.write(action(), |w| datasets::create(w, &project_id, "iris")).unwrap();
    let add = |new| world.store.write(action(), |w| datasets::add_version(w, &dataset.id, new)).unwrap();
    let first = add(new_version(one));
    assert!(first.is_new);
    let again = add(new_version(one));
    assert_eq!((again.is_new, &again.version), (false, &first.version));
    assert!(add(new_version(two)).is_new);
    let corrected = datasets::NewVersion { parse: json!({"delimiter": ";"}), ..new_version(one) };
    assert_eq!(add(corrected).version.number, 3, "the same bytes read another way are another table");
    let versions = world.store.read(|db| datasets::versions(db, &dataset.id)).unwrap();
    assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(world.store.read(|db| datasets::with_content(db, &one)).unwrap().len(), 2);
    let taken = world.store.write(action(), |w| datasets::create(w, &project_id, "iris")).unwrap_err();
    assert_eq!(taken.code, Code::AlreadyExists);
}

#[test]
fn a_target_can_be_set_and_taken_back() {
    let world = World::new();
    let project_id = project(&world.store);
    let dataset = world.store.write(action(), |w| datasets::create(w, &project_id, "iris")).unwrap();
    for (target, task) in [(Some("species"), Some("multiclass")), (None, None)] {
        world.store.write(action(), |w| datasets::set_target(w, &dataset.id, target, task)).unwrap();
        let read = world.store.read(|db| datasets::get(db, &dataset.id)).unwrap();
        assert_eq!((read.target.as_deref(), read.task.as_deref()), (target, task));
    }
}

#[test]
fn a_run_goes_from_queued_to_its_end_and_stays_there() {
    let world = World::new();
    let project_id = project(&world.store);
    let run = world.store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap();
    assert_eq!((run.state, run.number, run.started_at), (RunState::Queued, 1, None));
    world.store.note(|c| runs::start(c, &run.id)).unwrap();
    assert_eq!(world.store.note(|c| runs::start(c, &run.id)).unwrap_err().code, Code::Conflict);
    let step = steps::StepRun::pending(&run.id, "train", 0, "train_forest");
    world.store.note(|c| steps::save(c, &step)).unwrap();
    let error = Error::invalid("the target has one class").hint("choose another column");
    let failed = steps::StepRun { state: steps::StepState::Failed, error: Some(error.clone()), ..step };
    world.store.note(|c| steps::save(c, &failed)).unwrap();
    world.store.write(action(), |w| runs::finish(w, &run.id, RunState::Failed, Some(&error))).unwrap();

    let read = world.store.read(|db| runs::get(db, &run.id)).unwrap();
    assert_eq!((read.state, read.finished_at, read.error), (RunState::Failed, Some(NOW), Some(error)));
    assert_eq!(world.store.read(|db| steps::list(db, &run.id)).unwrap(), std::slice::from_ref(&failed));
    let late = world.store.note(|c| steps::save(c, &failed)).unwrap_err();
    assert_eq!(late.code, Code::Conflict);
    let twice = world.store.write(action(), |w| runs::finish(w, &run.id, RunState::Done, None));
    assert_eq!(twice.unwrap_err().code, Code::Conflict);
}

#[test]
fn metrics_keep_every_point_and_know_the_last_one() {
    let world = World::new();
    let project_id = project(&world.store);
    let run = world.store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap();
    let point = |step, value| Metric { key: "loss".to_owned(), value, step, at: Timestamp(step) };
    let points = [point(0, 0.9), point(2, f64::NAN), point(1, 0.1 + 0.2), point(3, f64::INFINITY)];
    world.store.note(|c| metrics::log(c, &run.id, "train", &points)).unwrap();
    world.store.note(|c| metrics::log(c, &run.id, "train", &[point(1, 7.0)])).unwrap();
    let history =
        world.store.read(|db| metrics::history(db, &run.id, "train", "loss", Page::first())).unwrap();
    let values: Vec<_> = history.iter().map(|point| (point.step, point.value.to_bits())).collect();
    let expected = [(0, 0.9), (1, 0.1 + 0.2), (1, 7.0), (2, f64::NAN), (3, f64::INFINITY)];
    assert_eq!(values, expected.map(|(step, value): (i64, f64)| (step, value.to_bits())));
    let last = world.store.read(|db| metrics::last(db, &run.id)).unwrap();
    assert_eq!((last[0].last.step, last[0].last.value, last[0].points), (3, f64::INFINITY, 5));

    let params = [("rounds".to_owned(), "100".to_owned())];
    world.store.note(|c| metrics::set_params(c, &run.id, "train", &params)).unwrap();
    let read = world.store.read(|db| metrics::params_of_runs(db, std::slice::from_ref(&run.id))).unwrap();
    assert_eq!((read[0].key.as_str(), read[0].value.as_str()), ("rounds", "100"));
}

#[test]
fn ten_thousand_runs_are_listed_page_by_page() {
    let world = World::new();
    let project_id = project(&world.store);
    world
        .store
        .write(action(), |w| {
            for number in 0..10_000 {
                let run = runs::create(w, new_run(&project_id))?;
                let auc = f64::from(number % 100) / 100.0;
                let point = Metric { key: "auc".to_owned(), value: auc, step: 0, at: NOW };
                metrics::log(w, &run.id, "evaluate", &[point])?;
            }
            Ok(())
        })
        .unwrap();
    let filter = RunFilter { project_id: Some(project_id), ..RunFilter::default() };
    let mut seen = BTreeSet::new();
    let mut slowest_ms = 0;
    for offset in (0..10_000).step_by(500) {
        let started = Instant::now();
        let page = Page::new(offset, 500);
        let runs = world.store.read(|db| run_list::list(db, &filter, &RunOrder::Newest, page)).unwrap();
        slowest_ms = slowest_ms.max(started.elapsed().as_millis());
        assert!(runs.is_sorted_by_key(|run| std::cmp::Reverse(run.number)));
        seen.extend(runs.into_iter().map(|run| run.number));
    }
    assert_eq!(seen, (1..=10_000).collect());
    // 30 ms on two busy cores; a page that walks the table would take ten times that.
    assert!(slowest_ms < 500, "{slowest_ms} ms");
    assert_eq!(world.store.read(|db| run_list::count(db, &filter)).unwrap(), 10_000);

    let condition = Condition::Metric("auc".to_owned(), Comparison::AtLeast, 0.98);
    let best = RunFilter { conditions: vec![condition], ..filter };
    assert_eq!(world.store.read(|db| run_list::count(db, &best)).unwrap(), 200);
    let order = RunOrder::LowestMetric("auc".to_owned());
    let runs = world.store.read(|db| run_list::list(db, &best, &order, Page::new(99, 2))).unwrap();
    let ids: Vec<_> = runs.into_iter().map(|run| run.id).collect();
    let mut last = world.store.read(|db| metrics::last_of_runs(db, &ids)).unwrap();
    last.sort_by(|one, other| one.last.value.total_cmp(&other.last.value));
    assert_eq!(last.iter().map(|last| last.last.value).collect::<Vec<_>>(), [0.98, 0.99]);
}

#[test]
fn a_list_of_runs_can_be_narrowed_in_many_ways() {
    let world = World::new();
    let project_id = project(&world.store);
    for (experiment, note) in [("a", "Erste"), ("a/b", ""), ("ab", ""), ("c", "100% sure")] {
        let new =
            runs::NewRun { experiment: experiment.to_owned(), note: note.to_owned(), ..new_run(&project_id) };
        world.store.write(action(), |w| runs::create(w, new)).unwrap();
    }
    let count = |filter: RunFilter| world.store.read(|db| run_list::count(db, &filter)).unwrap();
    let all = RunFilter::default();
    assert_eq!(count(RunFilter { experiment: Some("a".to_owned()), ..all.clone() }), 2);
    assert_eq!(count(RunFilter { text: Some("ERSTE".to_owned()), ..all.clone() }), 1);
    assert_eq!(count(RunFilter { text: Some("0%".to_owned()), ..all.clone() }), 1);
    assert_eq!(count(RunFilter { text: Some("' or 1=1 --".to_owned()), ..all.clone() }), 0);
    assert_eq!(count(RunFilter { states: vec![RunState::Done], ..all.clone() }), 0);
    let done = finished_run(&world.store, &project_id);
    assert_eq!(count(RunFilter { states: vec![RunState::Done], ..all.clone() }), 1);
    let param = Condition::Param("rounds".to_owned(), "100".to_owned());
    let filter = RunFilter { conditions: vec![param], ..all };
    let order = RunOrder::Newest;
    let found = world.store.read(|db| run_list::list(db, &filter, &order, Page::first())).unwrap();
    assert_eq!(found.into_iter().map(|run| run.id).collect::<Vec<_>>(), [done]);
}

#[test]
fn an_alias_moves_and_remembers_why() {
    let world = World::new();
    let project_id = project(&world.store);
    let model = world.store.write(action(), |w| models::create(w, &project_id, "species")).unwrap();
    let package = store::Digest::of(b"package");
    for number in 1..=2 {
        let new = new_model_version(package);
        let version = world.store.write(action(), |w| models::add_version(w, &model.id, new)).unwrap();
        assert_eq!(version.number, number);
        assert_eq!(version.metrics, json!({"auc": 0.1 + 0.2}));
    }
    let reasons = Reasons { gates: Some(json!([{"passed": true}])), note: "better".to_owned() };
    let set = |alias: &str, number| {
        world.store.write(action(), |w| models::set_alias(w, &model.id, alias, number, &reasons))
    };
    set("champion", 1).unwrap();
    let promotion = set("champion", 2).unwrap();
    assert_eq!((promotion.from, promotion.to, &promotion.gates), (Some(1), Some(2), &reasons.gates));
    assert_eq!(set("champion", 3).unwrap_err().code, Code::NotFound);
    for wrong in ["", "latest", "3", "v3", "a/b", "a b"] {
        assert_eq!(set(wrong, 1).unwrap_err().code, Code::InvalidInput, "{wrong}");
    }
    let removed =
        world.store.write(action(), |w| models::remove_alias(w, &model.id, "champion", &reasons)).unwrap();
    assert_eq!((removed.from, removed.to), (Some(2), None));
    assert_eq!(world.store.read(|db| models::aliases(db, &model.id)).unwrap(), []);
    assert_eq!(world.store.read(|db| models::promotions(db, &model.id)).unwrap().len(), 3);
}

#[test]
fn lineage_is_found_in_both_directions() {
    let world = World::new();
    let project_id = furnish(&world.store);
    let store = &world.store;
    let dataset = store.read(|db| datasets::by_name(db, &project_id, "iris")).unwrap().unwrap();
    let version = store.read(|db| datasets::version_numbered(db, &dataset.id, 1)).unwrap();
    let trained = store.read(|db| models::trained_on(db, &version.id)).unwrap();
    assert_eq!(trained.len(), 2);
    let run_id = trained[0].run_id.clone().unwrap();
    assert_eq!(store.read(|db| models::of_run(db, &run_id)).unwrap().len(), 2);
    let first = trained.iter().find(|version| version.number == 1).unwrap();
    assert_eq!(store.read(|db| deployments::serving(db, &first.id)).unwrap()[0].name, "species");

    let run = store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap();
    store.note(|c| runs::add_input(c, &run.id, "penguins", &version.id)).unwrap();
    assert_eq!(
        store.read(|db| runs::inputs(db, &run.id)).unwrap(),
        [("penguins".to_owned(), version.id.clone())]
    );
    assert_eq!(store.read(|db| runs::reading(db, &version.id)).unwrap()[0].id, run.id);
}

#[test]
fn a_deployment_knows_which_revision_answers() {
    let world = World::new();
    let project_id = furnish(&world.store);
    let store = &world.store;
    let deployment = store.read(|db| deployments::by_name(db, &project_id, "species")).unwrap().unwrap();
    assert_eq!(deployment.state, DeploymentState::Serving);
    let current = store.read(|db| deployments::current(db, &deployment.id)).unwrap().unwrap();
    assert_eq!((current.number, current.port, current.process_started), (1, Some(4711), Some(34)));
    let revision = store
        .write(action(), |w| deployments::add_revision(w, &deployment.id, &current.model_version_id, "a2"))
        .unwrap();
    assert_eq!(revision.number, 2);
    let error = store.write(action(), |w| deployments::set_current(w, &deployment.id, Some(9))).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    let again = NewDeployment {
        project_id: project_id.clone(),
        name: "species".to_owned(),
        target: "local".to_owned(),
        model_id: deployment.model_id.clone(),
        config: json!({}),
    };
    let taken = store.write(action(), |w| deployments::create(w, again.clone())).unwrap_err();
    assert_eq!(taken.code, Code::AlreadyExists);
    store.write(action(), |w| deployments::set_state(w, &deployment.id, DeploymentState::Deleted)).unwrap();
    store.write(action(), |w| deployments::create(w, again)).unwrap();
    assert_eq!(store.read(|db| deployments::list(db, None)).unwrap().len(), 1);
}

#[test]
fn an_open_alert_is_not_raised_twice() {
    let world = World::new();
    let project_id = furnish(&world.store);
    let store = &world.store;
    let deployment = store.read(|db| deployments::by_name(db, &project_id, "species")).unwrap().unwrap();
    let new = NewRule {
        deployment_id: deployment.id.clone(),
        metric: AlertMetric::LatencyP95,
        feature: None,
        threshold: 50.0,
        window_rows: 100,
    };
    let never = NewRule { threshold: f64::NAN, ..new.clone() };
    assert_eq!(store.write(action(), |w| monitors::add_rule(w, never)).unwrap_err().code, Code::InvalidInput);
    let rule = store.write(action(), |w| monitors::add_rule(w, new)).unwrap();
    world.feed.take();
    let slow = NewAlert { feature: None, value: 80.0, message: "slow".to_owned(), details: json!({}) };
    let raise = || store.write(action(), |w| monitors::raise(w, rule.id, slow.clone())).unwrap();
    let alert = raise().unwrap();
    assert!(world.feed.take().contains(&Topic::Alerts));
    assert_eq!(raise(), None);
    store.write(action(), |w| monitors::acknowledge(w, alert.id)).unwrap();
    let twice = store.write(action(), |w| monitors::acknowledge(w, alert.id)).unwrap_err();
    assert_eq!(twice.code, Code::Conflict);
    assert!(raise().is_some(), "it is news again");
    assert_eq!(store.read(monitors::open_alerts).unwrap(), 2);
    store.write(action(), |w| monitors::remove_rule(w, rule.id)).unwrap();
    let alerts = store.read(|db| monitors::alerts(db, Some(&deployment.id), Page::first())).unwrap();
    assert_eq!((alerts.len(), alerts[0].rule_id), (3, None), "the alerts stay");
}

#[test]
fn a_job_says_how_far_it_is_and_how_it_ended() {
    let world = World::new();
    let store = &world.store;
    let create =
        || store.write(action(), |w| jobs::create(w, "dataset.import", "Import", &json!({}))).unwrap();
    let (job, failed, cancelled) = (create(), create(), create());
    store.note(|c| jobs::start(c, &job.id)).unwrap();
    let stage = Stage { name: "reading".to_owned(), done: 3, total: Some(9) };
    store.note(|c| jobs::set_progress(c, &job.id, &stage)).unwrap();
    let read = store.read(|db| jobs::get(db, &job.id)).unwrap();
    assert_eq!((read.state, read.progress), (JobState::Running, Some(stage)));
    store.write(action(), |w| jobs::finish(w, &job.id, Ok(&json!({"rows": 150})))).unwrap();
    store.write(action(), |w| jobs::finish(w, &failed.id, Err(&Error::invalid("no")))).unwrap();
    store.write(action(), |w| jobs::finish(w, &cancelled.id, Err(&Error::cancelled()))).unwrap();
    let states: BTreeSet<_> =
        store.read(|db| jobs::list(db, Page::first())).unwrap().iter().map(|job| job.state).collect();
    assert_eq!(states, BTreeSet::from([JobState::Done, JobState::Failed, JobState::Cancelled]));
    let late = store.write(action(), |w| jobs::finish(w, &job.id, Ok(&json!(1)))).unwrap_err();
    assert_eq!(late.code, Code::Conflict);
    assert_eq!(store.note(|c| jobs::prune(c, 1)).unwrap(), 2);
}

#[test]
fn the_cache_explains_a_rerun_and_forgets_what_was_not_used_for_longest() {
    let world = World::new();
    let project_id = project(&world.store);
    let entry = |key: &str, used: i64| cache::CacheEntry {
        key: key.to_owned(),
        project_id: project_id.clone(),
        pipeline: "species".to_owned(),
        step_id: "train".to_owned(),
        components: json!({"seed": key}),
        outputs: json!({"model": {"bytes": 100}}),
        bytes: 100,
        created_at: Timestamp(used),
        last_used_at: Timestamp(used),
    };
    world
        .store
        .note(|c| {
            ["a", "b", "c", "d"].iter().zip(1..).try_for_each(|(key, used)| cache::put(c, &entry(key, used)))
        })
        .unwrap();
    let latest = |db: &store::Connection| cache::latest(db, &project_id, "species", "train");
    assert_eq!(world.store.read(latest).unwrap().unwrap().key, "d");
    world.store.note(|c| cache::touch(c, "a")).unwrap();
    assert_eq!(world.store.read(latest).unwrap().unwrap().key, "a");
    let evicted = world.store.note(|c| cache::evict(c, 250)).unwrap();
    assert_eq!(evicted.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), ["b", "c"]);
    assert_eq!(world.store.read(cache::total_bytes).unwrap(), 200);
    assert_eq!(world.store.read(|db| cache::find(db, "b")).unwrap(), None);
}

#[test]
fn settings_and_drafts_come_back_as_they_were_saved() {
    let world = World::new();
    let project_id = project(&world.store);
    let store = &world.store;
    store.write(action(), |w| settings::set(w, "cache.limit", &5_000_000_000_u64)).unwrap();
    assert_eq!(store.read(|db| settings::get::<u64>(db, "cache.limit")).unwrap(), Some(5_000_000_000));
    assert_eq!(store.read(|db| settings::get::<u64>(db, "other")).unwrap(), None);
    let error = store.read(|db| settings::get::<bool>(db, "cache.limit")).unwrap_err();
    assert_eq!(error.code, Code::InvalidInput);

    let history = json!({"undo": ["a"], "redo": []});
    for text in ["one", "two"] {
        store.note(|c| drafts::save(c, &project_id, "species", text, &history)).unwrap();
    }
    let draft = store.read(|db| drafts::find(db, &project_id, "species")).unwrap().unwrap();
    assert_eq!((draft.text.as_str(), &draft.history), ("two", &history));
    store.note(|c| drafts::remove(c, &project_id, "species")).unwrap();
    assert_eq!(store.read(|db| drafts::list(db, &project_id)).unwrap(), []);
}
