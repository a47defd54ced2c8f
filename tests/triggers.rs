//! Triggers over a real workspace, with the time moved by hand.

mod testkit;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use base::{Clock, Timestamp};
use engine::Engine;
use serde_json::{Value, json};

/// 2027-01-15T08:00:00Z.
const START: i64 = 1_800_000_000_000;

/// A workspace whose clock stands until it is moved.
struct World {
    folder: tempfile::TempDir,
    engine: Engine,
    now: Arc<AtomicI64>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let now = Arc::new(AtomicI64::new(START));
        let clock = Clock::told_by({
            let now = Arc::clone(&now);
            move || Timestamp(now.load(Ordering::Relaxed))
        });
        let program = PathBuf::from(env!("CARGO_BIN_EXE_fettle"));
        let engine =
            Engine::create_with(&folder.path().join("workspace"), clock, program).expect("it is made");
        let world = Self { folder, engine, now };
        world.import(&testkit::penguins());
        for name in ["first", "second"] {
            let text = format!(
                "format = 1\nname = \"{name}\"\n[[step]]\nid = \"d\"\nkind = \"dataset\"\nparams = {{ dataset = \"penguins\" }}\n"
            );
            world.call("pipeline.save_text", json!({ "pipeline": name, "text": text }));
        }
        world
    }

    fn call(&self, command: &str, request: Value) -> Value {
        self.engine.dispatch(command, request).unwrap_or_else(|e| panic!("{command}: {e} {:?}", e.causes))
    }

    fn import(&self, file: &std::path::Path) {
        self.call("dataset.import", json!({ "path": file, "name": "penguins" }));
        self.rest();
    }

    /// Waits until nothing works: the work is real, only the clock is not.
    fn rest(&self) {
        let started = Instant::now();
        while self.engine.is_busy() {
            assert!(started.elapsed() < Duration::from_secs(60), "a job does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Moves the clock on second by second, and lets triggers look at each.
    fn pass(&self, seconds: i64) {
        for _ in 0..seconds {
            self.now.fetch_add(1000, Ordering::Relaxed);
            self.engine.look_at_triggers();
        }
        self.rest();
    }

    fn runs(&self, pipeline: &str) -> u64 {
        self.call("run.list", json!({ "pipeline": pipeline }))["total"].as_u64().expect("a number")
    }

    fn listed(&self, name: &str) -> Value {
        let all = self.call("trigger.list", json!({}));
        let found = all.as_array().into_iter().flatten().find(|one| one["name"] == name).cloned();
        found.unwrap_or_else(|| panic!("no trigger `{name}` in {all}"))
    }
}

impl Drop for World {
    /// Endpoints outlive whoever started them.
    fn drop(&mut self) {
        let all = self.engine.dispatch("deployment.list", json!({})).unwrap_or_default();
        for deployment in all.as_array().into_iter().flatten() {
            // One that never served cannot be stopped, and need not be.
            let _ = self.engine.dispatch("deployment.stop", json!({ "deployment": deployment["name"] }));
        }
    }
}

#[test]
fn five_files_in_a_folder_are_one_run() {
    let world = World::new();
    let folder = world.folder.path().join("incoming");
    std::fs::create_dir(&folder).expect("it is made");
    world.call("trigger.add", json!({ "name": "in", "pipeline": "first", "path": folder }));
    world.pass(30);
    assert_eq!(world.runs("first"), 0);
    for file in 0..5 {
        std::fs::write(folder.join(format!("{file}.csv")), "a\n1\n").expect("it is written");
        world.pass(3);
    }
    assert_eq!(world.runs("first"), 0, "it has not settled");
    assert_eq!(world.listed("in")["isChanging"], true);
    world.pass(30);
    assert_eq!(world.runs("first"), 1);
    let history = world.call("trigger.history", json!({ "trigger": "in" }));
    assert_eq!(history.as_array().map(Vec::len), Some(1));
    assert_eq!(history[0]["outcome"], "started");
    assert!(history[0]["why"].as_str().is_some_and(|why| why.ends_with("changed")), "{history}");
    let run = world.call("run.show", json!({ "run": history[0]["run"]["id"] }));
    assert_eq!(run["origin"]["cause"], "trigger");
}

#[test]
fn a_new_version_starts_one_pipeline_and_its_end_the_next() {
    let world = World::new();
    world.call("trigger.add", json!({ "name": "data", "pipeline": "first", "dataset": "penguins" }));
    world.call("trigger.add", json!({ "name": "then", "pipeline": "second", "after": "first" }));
    world.pass(3);
    assert_eq!((world.runs("first"), world.runs("second")), (0, 0));
    let text = std::fs::read_to_string(testkit::penguins()).expect("the sample");
    let fewer: Vec<&str> = text.lines().take(100).collect();
    let file = world.folder.path().join("penguins.csv");
    std::fs::write(&file, fewer.join("\n")).expect("it is written");
    world.import(&file);
    world.pass(1);
    world.pass(2);
    assert_eq!((world.runs("first"), world.runs("second")), (1, 1));
    world.pass(10);
    assert_eq!((world.runs("first"), world.runs("second")), (1, 1));
    assert_eq!(world.listed("data")["last"]["why"], "there is version 2 of penguins");
}

#[test]
fn a_schedule_says_when_it_comes_and_makes_up_for_what_was_missed_once() {
    let world = World::new();
    let add = |name: &str, pipeline: &str, skips: bool| {
        world.call(
            "trigger.add",
            json!({ "name": name, "pipeline": pipeline, "schedule": "0 * * * *", "zone": "Europe/Berlin", "skipsMissed": skips }),
        )
    };
    let made = add("hourly", "first", false);
    add("patient", "second", true);
    let hour = 3_600_000;
    assert_eq!(made["next"], json!([START + hour, START + 2 * hour, START + 3 * hour]));
    // Fettle does not run for five hours and ten minutes.
    world.now.fetch_add(5 * hour + 600_000, Ordering::Relaxed);
    world.pass(5);
    assert_eq!((world.runs("first"), world.runs("second")), (1, 0));
    let skipped = world.call("trigger.history", json!({ "trigger": "patient" }));
    assert_eq!(skipped[0]["outcome"], "skipped");
    // The next full hour is on time for both.
    world.now.fetch_add(50 * 60_000 - 10_000, Ordering::Relaxed);
    world.pass(12);
    assert_eq!((world.runs("first"), world.runs("second")), (2, 1));
}

#[test]
fn a_paused_trigger_starts_nothing_and_makes_up_for_nothing() {
    let world = World::new();
    world.call("trigger.add", json!({ "name": "hourly", "pipeline": "first", "schedule": "@hourly" }));
    world.call("trigger.pause", json!({ "trigger": "hourly" }));
    assert_eq!(world.listed("hourly")["next"], json!([]));
    world.now.fetch_add(2 * 3_600_000, Ordering::Relaxed);
    world.pass(2);
    world.call("trigger.resume", json!({ "trigger": "hourly" }));
    world.pass(2);
    assert_eq!(world.runs("first"), 0);
    world.call("trigger.remove", json!({ "trigger": "hourly" }));
    assert_eq!(world.call("trigger.list", json!({})), json!([]));
}

#[test]
fn what_cannot_start_is_refused_or_told() {
    let world = World::new();
    let refused =
        |request: Value| world.engine.dispatch("trigger.add", request).expect_err("it cannot work").message;
    assert_eq!(
        refused(json!({ "name": "a", "pipeline": "first" })),
        "trigger `a` must look at exactly one thing"
    );
    assert_eq!(
        refused(json!({ "name": "a", "pipeline": "first", "dataset": "pinguins" })),
        "there is no dataset `pinguins`"
    );
    assert_eq!(
        refused(json!({ "name": "a", "pipeline": "third", "dataset": "penguins" })),
        "there is no pipeline `third`"
    );
    world.call("trigger.add", json!({ "name": "there", "pipeline": "second", "after": "first" }));
    assert_eq!(
        refused(json!({ "name": "back", "pipeline": "first", "after": "second" })),
        "`second` and `first` would start each other without end"
    );
    // A pipeline that is broken by the time it is to run is told of in the history.
    world.call("trigger.add", json!({ "name": "hourly", "pipeline": "first", "schedule": "@hourly" }));
    world.call("pipeline.delete", json!({ "pipeline": "first" }));
    world.now.fetch_add(3_600_000, Ordering::Relaxed);
    world.pass(3);
    let history = world.call("trigger.history", json!({ "trigger": "hourly" }));
    assert_eq!(history[0]["outcome"], "there is no pipeline `first`");
    assert_eq!(history.as_array().map(Vec::len), Some(1));
}

#[test]
fn a_policy_retrains_on_new_data_and_deploys_what_passes_the_gate() {
    let world = World::new();
    world.call("sample.open", json!({}));
    world.rest();
    let shown = || world.call("deployment.show", json!({ "deployment": "penguins" }))["summary"].clone();
    assert_eq!(shown()["model"]["version"], 1);
    let pipeline = world.call("pipeline.list", json!({}))[0]["name"].clone();
    let policy = json!({
        "name": "keep-fresh", "pipeline": pipeline, "dataset": "penguins", "retrain": "penguins", "deploys": true,
    });
    assert_eq!(world.call("trigger.add", policy)["retrains"], "deploys it to penguins");
    let nobody = json!({ "name": "x", "pipeline": pipeline, "dataset": "penguins", "retrain": "nobody" });
    let error = world.engine.dispatch("trigger.add", nobody).expect_err("there is no such deployment");
    assert!(error.to_string().contains("`nobody`"), "{error}");

    let sample = std::fs::read_to_string(testkit::penguins()).expect("the sample is there");
    let (head, birds) = sample.split_once('\n').expect("it has a header");
    let twice = world.folder.path().join("twice.csv");
    std::fs::write(&twice, format!("{head}\n{birds}{birds}")).expect("it is written");
    world.import(&twice);
    world.pass(5);
    assert_eq!(
        shown()["model"]["version"],
        2,
        "{}",
        world.call("trigger.history", json!({ "trigger": "keep-fresh" }))
    );
    let audit = world.call("audit.list", json!({ "limit": 100 })).to_string();
    assert!(audit.contains("retraining.start") && audit.contains("model.promote"), "{audit}");
    world.pass(5);
    let revisions = world.call("deployment.show", json!({ "deployment": "penguins" }))["revisions"].clone();
    assert_eq!(revisions.as_array().map(Vec::len), Some(2), "once is enough");
}
