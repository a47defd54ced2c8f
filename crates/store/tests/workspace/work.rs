//! Where runs come from, receipts, sweeps, triggers, and what steps last depended on.

use base::{Code, Timestamp};
use serde_json::json;
use store::origins::{self, Cause, Origin};
use store::run_list::{Nesting, RunFilter, RunOrder};
use store::runs::{self, RunState};
use store::sweeps::{self, SweepState, Trial, TrialState};
use store::trash::{self, Item};
use store::triggers::{self, TriggerState};
use store::uses::{self, StepUse};
use store::{Depth, Page, run_list};

use crate::world::{NOW, World, action, finished_run, new_run, project};

fn trial(sweep_id: &base::RunId, number: u32, state: TrialState) -> Trial {
    Trial {
        sweep_id: sweep_id.clone(),
        number,
        params: json!({ "boosting.leaves": 7 + number }),
        state,
        value: (state == TrialState::Done).then_some(0.1 + 0.2),
        rounds: vec![0.9, 0.5],
        run_id: None,
        error: None,
    }
}

#[test]
fn a_run_knows_where_it_comes_from_and_who_goes_on_with_it() {
    let world = World::new();
    let project_id = project(&world.store);
    let first = finished_run(&world.store, &project_id);
    let second = world.store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap().id;
    let origin =
        Origin { cause: Cause::Resume, of_run: Some(first.clone()), facts: json!({ "program": "1" }) };
    world.store.note(|c| origins::set(c, &second, &origin)).unwrap();
    assert_eq!(world.store.read(|db| origins::find(db, &second)).unwrap(), Some(origin.clone()));
    let after = |cause| world.store.read(|db| origins::descendants(db, &first, cause)).unwrap();
    assert_eq!(after(Cause::Resume), std::slice::from_ref(&second));
    assert_eq!(after(Cause::Trial), []);
    let twice = world.store.note(|c| origins::set(c, &second, &origin)).unwrap_err();
    assert_eq!(twice.code, Code::Conflict);
}

#[test]
fn receipts_are_numbered_and_kept_only_with_a_run_that_has_ended() {
    let world = World::new();
    let project_id = project(&world.store);
    let ended = finished_run(&world.store, &project_id);
    let works = world.store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap().id;
    let body = json!({ "steps": [] });
    for (number, is_identical) in [(1, true), (2, false)] {
        let kept = world.store.write(action(), |w| origins::add_receipt(w, &ended, is_identical, &body));
        assert_eq!(kept.unwrap(), number);
    }
    let kept = world.store.read(|db| origins::receipts(db, &ended)).unwrap();
    assert_eq!(kept.iter().map(|one| one.is_identical).collect::<Vec<_>>(), [true, false]);
    let early = world.store.write(action(), |w| origins::add_receipt(w, &works, true, &body));
    assert_eq!(early.unwrap_err().code, Code::InvalidInput);
    assert!(world.store.check(Depth::Full, &base::Progress::silent()).unwrap().is_clean());
}

#[test]
fn a_sweep_is_paused_goes_on_and_its_trials_are_told_one_by_one() {
    let world = World::new();
    let project_id = project(&world.store);
    let id = world.store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap().id;
    world
        .store
        .write(action(), |w| {
            runs::start(w, &id)?;
            sweeps::create(w, &id, "rate", "format = 1")
        })
        .unwrap();
    let is_clean = || world.store.check(Depth::Full, &base::Progress::silent()).unwrap().is_clean();
    world.store.write(action(), |w| sweeps::set_state(w, &id, SweepState::Running)).unwrap();
    for (number, state) in [(0, TrialState::Done), (1, TrialState::Running), (1, TrialState::Pruned)] {
        world.store.write(action(), |w| sweeps::save_trial(w, &trial(&id, number, state))).unwrap();
        assert!(is_clean(), "trial {number}");
    }
    let trials = world.store.read(|db| sweeps::trials(db, &id)).unwrap();
    assert_eq!(trials, [trial(&id, 0, TrialState::Done), trial(&id, 1, TrialState::Pruned)]);
    world
        .store
        .write(action(), |w| {
            runs::finish(w, &id, RunState::Cancelled, None)?;
            sweeps::set_state(w, &id, SweepState::Paused)
        })
        .unwrap();
    world
        .store
        .write(action(), |w| {
            runs::reopen(w, &id)?;
            sweeps::set_state(w, &id, SweepState::Running)
        })
        .unwrap();
    assert!(is_clean());
    let read = world.store.read(|db| runs::get(db, &id)).unwrap();
    assert_eq!((read.state, read.finished_at), (RunState::Running, None));
    let twice = world.store.write(action(), |w| runs::reopen(w, &id)).unwrap_err();
    assert_eq!(twice.code, Code::Conflict);
    let found = world.store.read(|db| sweeps::in_state(db, SweepState::Running)).unwrap();
    assert_eq!(found.iter().map(|sweep| sweep.name.as_str()).collect::<Vec<_>>(), ["rate"]);
    assert_eq!(world.store.read(|db| sweeps::list(db, &project_id, Page::new(0, 9))).unwrap(), found);
    // Deleted for good, nothing tells of it any more.
    world.store.write(action(), |w| runs::finish(w, &id, RunState::Done, None)).unwrap();
    world.store.write(action(), |w| trash::put(w, &Item::Run(id.clone()))).unwrap();
    assert_eq!(world.store.empty_trash().unwrap(), []);
    assert_eq!(world.store.read(|db| sweeps::trials(db, &id)).unwrap(), []);
    assert!(is_clean());
}

#[test]
fn trials_are_listed_only_where_they_are_asked_for() {
    let world = World::new();
    let project_id = project(&world.store);
    let sweep = finished_run(&world.store, &project_id);
    let one = world.store.write(action(), |w| runs::create(w, new_run(&project_id))).unwrap().id;
    let origin = Origin { cause: Cause::Trial, of_run: Some(sweep.clone()), facts: json!({}) };
    world.store.note(|c| origins::set(c, &one, &origin)).unwrap();
    let listed = |nesting| {
        let filter = RunFilter { nesting, ..RunFilter::default() };
        let page = Page::new(0, 10);
        let runs = world.store.read(|db| run_list::list(db, &filter, &RunOrder::Newest, page)).unwrap();
        assert_eq!(world.store.read(|db| run_list::count(db, &filter)).unwrap(), runs.len() as u64);
        runs.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(Nesting::Outermost), std::slice::from_ref(&sweep));
    assert_eq!(listed(Nesting::TrialsOf(sweep)), std::slice::from_ref(&one));
    assert_eq!(listed(Nesting::TrialsOf(one)), []);
    assert_eq!(listed(Nesting::Any).len(), 2);
}

#[test]
fn a_trigger_remembers_its_state_and_the_newest_of_what_it_did() {
    let world = World::new();
    let project_id = project(&world.store);
    let state = TriggerState { is_paused: true, state: json!({ "mark": "3" }) };
    world.store.note(|c| triggers::save(c, &project_id, "nightly", &state)).unwrap();
    assert_eq!(world.store.read(|db| triggers::find(db, &project_id, "nightly")).unwrap(), Some(state));
    for number in 0..1005 {
        let why = number.to_string();
        world
            .store
            .note(|c| triggers::add_event(c, &project_id, "nightly", (&why, "started"), None))
            .unwrap();
    }
    let events =
        world.store.read(|db| triggers::events(db, &project_id, "nightly", Page::new(0, 1000))).unwrap();
    assert_eq!((events.len(), events[0].why.as_str(), events[999].why.as_str()), (1000, "1004", "5"));
    world.store.note(|c| triggers::forget(c, &project_id, "nightly")).unwrap();
    assert_eq!(world.store.read(|db| triggers::find(db, &project_id, "nightly")).unwrap(), None);
}

#[test]
fn a_step_remembers_its_last_use_whatever_others_do_with_the_result() {
    let world = World::new();
    let project_id = project(&world.store);
    let used = |pipeline: &str, key: &str, at: i64| StepUse {
        project_id: project_id.clone(),
        pipeline: pipeline.to_owned(),
        step_id: "train".to_owned(),
        key: key.to_owned(),
        components: json!({ "param.trees": "100" }),
        facts: json!({ "program": "1" }),
        run_id: None,
        used_at: Timestamp(NOW.as_ms() + at),
    };
    for one in [used("a", "k1", 0), used("b", "k1", 1), used("a", "k2", 2)] {
        world.store.note(|c| uses::put(c, &one)).unwrap();
    }
    let find = |pipeline| world.store.read(|db| uses::find(db, &project_id, pipeline, "train")).unwrap();
    assert_eq!(find("a"), Some(used("a", "k2", 2)));
    assert_eq!(find("b"), Some(used("b", "k1", 1)));
    assert_eq!(find("c"), None);
}
