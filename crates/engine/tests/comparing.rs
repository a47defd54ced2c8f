//! Runs beside each other: curves thinned for a screen, and a row for whatever any run has.

use std::collections::BTreeMap;

use base::RunId;
use engine::Engine;
use serde_json::{Value, json};
use store::runs::RunState;
use store::tracking::artifacts::{self, StoredFile};
use store::tracking::experiments::{self, NewExperiment};
use store::tracking::points::{self, Point};
use store::tracking::script_runs::{self, NewScriptRun};

struct World {
    engine: Engine,
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = Engine::create(&folder.path().join("workspace")).expect("a workspace");
        engine.dispatch("project.home", json!({})).expect("a project");
        Self { engine, folder }
    }

    fn ask(&self, command: &str, request: Value) -> Value {
        self.engine.dispatch(command, request).unwrap_or_else(|error| panic!("{command}: {error:?}"))
    }

    /// A run of a script that began at `started_at`, with parameters and tags.
    fn run(&self, started_at: i64, params: &[(&str, &str)], tags: &[(&str, &str)]) -> RunId {
        let pairs = |all: &[(&str, &str)]| -> Vec<_> {
            all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let store = self.engine.store();
        let project = store.read(store::projects::list).expect("read").remove(0);
        let new = NewExperiment {
            id: None,
            project_id: project.id,
            name: format!("at {started_at}"),
            artifact_location: None,
            tags: Vec::new(),
        };
        let action = store::Action::new("test", "a test");
        let experiment = store.write(action, |w| experiments::create(w, &new)).expect("made").id;
        let new = NewScriptRun {
            id: None,
            experiment_id: experiment,
            name: format!("run at {started_at}"),
            user_id: "ada".to_owned(),
            state: RunState::Running,
            started_at,
            ended_at: None,
            tags: pairs(tags),
        };
        let id = store.log(move |e| script_runs::create(e, &new)).expect("made").id;
        let (of, params) = (id.clone(), pairs(params));
        store.log(move |e| script_runs::add_params(e, &of, &params)).expect("logged");
        id
    }

    fn log(&self, run: &RunId, key: &str, points: impl Iterator<Item = (i64, i64, f64)>) {
        let points = points.map(|(step, at_ms, value)| Point { value, step, at_ms }).collect();
        let (run, curves) = (run.clone(), BTreeMap::from([(key.to_owned(), points)]));
        self.engine.store().log(move |e| points::log(e, &run, &curves)).expect("logged");
    }

    fn put(&self, run: &RunId, name: &str, bytes: &[u8]) {
        let store = self.engine.store();
        let digest = store.objects().put_bytes(bytes).expect("kept");
        let file = StoredFile { digest, size_bytes: bytes.len() as u64 };
        let uri = store.read(|db| script_runs::get(db, run)).expect("read").artifact_uri;
        let path = format!("{}/{name}", artifacts::path_of(&uri).expect("ours"));
        store.log(move |e| artifacts::put(e, &path, file)).expect("put");
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().into_iter().flatten().filter_map(Value::as_f64).collect()
}

#[test]
fn a_curve_is_thinned_to_the_buckets_of_a_screen_and_grows_with_the_run() {
    let world = World::new();
    let run = world.run(1_000, &[], &[]);
    let value = |step: i64| if step == 70_707 { 50.0 } else { (step % 10) as f64 };
    world.log(&run, "loss", (0..100_000).map(|step| (step, 1_000 + step, value(step))));
    let ask = |more: Value| {
        let mut request = json!({ "runs": [run], "metric": "loss", "buckets": 200 });
        request.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        world.ask("run.curve", request)["lines"][0].clone()
    };
    let whole = ask(json!({}));
    let (x, greatest) = (numbers(&whole["x"]), numbers(&whole["greatest"]));
    assert!(x.len() <= 200, "{}", x.len());
    assert_eq!(greatest.iter().copied().fold(f64::MIN, f64::max), 50.0, "no peak is lost");
    assert_eq!((&whole["points"], &whole["reach"]), (&json!(100_000), &json!([0.0, 99_999.0])));
    let part = ask(json!({ "from": 70_700.0, "to": 70_710.0 }));
    assert_eq!(numbers(&part["x"]), (70_699..=70_711).map(f64::from).collect::<Vec<_>>(), "point by point");
    let over = ask(json!({ "along": "relative", "from": 10.0, "to": 12.0 }));
    assert_eq!(numbers(&over["x"]), [9.0, 10.0, 11.0, 12.0, 13.0], "ms since the run began");
    world.log(&run, "loss", [(100_000, 101_000, 60.0), (100_001, 101_001, f64::NAN)].into_iter());
    let grown = ask(json!({}));
    assert_eq!((&grown["points"], &grown["notFinite"]), (&json!(100_002), &json!(1)));
    assert_eq!(numbers(&grown["greatest"]).last(), Some(&60.0));
    world.log(&run, "loss", [(-5, 999, -1.0)].into_iter());
    let late = ask(json!({}));
    assert_eq!(
        (&late["points"], &late["reach"][0]),
        (&json!(100_003), &json!(-5.0)),
        "a point that came late"
    );
    let wrong =
        world.engine.dispatch("run.curve", json!({ "runs": [run], "metric": "loss", "from": 2, "to": 1 }));
    assert!(wrong.expect_err("no part").message.contains("begins before it ends"));
    let none = world.engine.dispatch("run.curve", json!({ "runs": [], "metric": "loss" }));
    assert!(none.expect_err("no runs").message.contains("0 runs"));
}

#[test]
fn runs_stand_beside_each_other_with_what_any_of_them_has() {
    let world = World::new();
    let one = world.run(1_000, &[("depth", "3"), ("seed", "1")], &[("mlflow.source.git.commit", "abc")]);
    let two = world.run(2_000, &[("depth", "9")], &[]);
    world.log(&one, "loss", [(0, 1, 0.5), (1, 2, 0.25)].into_iter());
    world.log(&two, "loss", [(0, 1, f64::NAN)].into_iter());
    world.put(&one, "fettle/packages.txt", b"python==3.12.3 # /usr/bin/python\nNumPy==2.1\n");
    world.put(&two, "model/requirements.txt", b"numpy==2.2\n");
    world.put(&one, "plots/roc.png", b"1");
    let seen = world.ask("run.beside", json!({ "runs": [one, two] }));
    assert_eq!(seen["runs"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        seen["params"],
        json!([{ "name": "depth", "values": ["3", "9"] }, { "name": "seed", "values": ["1", null] }])
    );
    assert_eq!(seen["metrics"], json!([{ "name": "loss", "largerIsBetter": false, "values": [0.25, null] }]));
    assert_eq!(seen["curves"], json!(["loss"]));
    let packages = json!([
        { "name": "numpy", "values": ["2.1", "2.2"] },
        { "name": "python", "values": ["3.12.3", null] },
    ]);
    assert_eq!(seen["packages"], packages);
    assert!(seen["environment"].to_string().contains(r#"{"name":"git commit","values":["abc",null]}"#));
    assert!(seen["files"].to_string().contains(r#"{"path":"plots/roc.png","sizes":[1,null]}"#));
    let wrong = world.engine.dispatch("run.beside", json!({ "runs": ["#77"] }));
    assert!(wrong.is_err());
}

#[test]
fn code_is_compared_with_what_was_changed_since_the_commit() {
    let world = World::new();
    let code = world.folder.path().join("code");
    let git = flow::git::Git::open_or_create(&code).expect("a repository");
    std::fs::write(code.join("train.py"), "depth = 3\n").expect("written");
    let commit = git.commit_all("first", base::Timestamp(0)).expect("committed").id;
    let tags = [("mlflow.source.git.commit", commit.as_str())];
    let (one, two) = (world.run(1_000, &[], &tags), world.run(2_000, &[], &tags));
    let about = json!({ "folder": code }).to_string();
    world.put(&two, "fettle/command.json", about.as_bytes());
    let patch = "diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1,1 +1,1 @@\n-depth = 3\n+depth = 9\n";
    world.put(&two, "fettle/code.diff", patch.as_bytes());
    let ask = |from: &RunId, to: &RunId| world.ask("run.code", json!({ "from": from, "to": to }));
    let text = |answer: &Value| answer["text"].as_str().unwrap_or_default().to_owned();
    let forth = ask(&one, &two);
    assert!(text(&forth).contains("-depth = 3\n+depth = 9\n"), "{forth}");
    assert_eq!(forth["notes"], json!([]));
    assert!(text(&ask(&two, &one)).contains("-depth = 9\n+depth = 3\n"));
    std::fs::remove_dir_all(&code).expect("removed");
    let gone = ask(&one, &two);
    assert!(gone["notes"][0].as_str().is_some_and(|note| note.contains("no repository")), "{gone}");
    assert!(text(&gone).contains("+depth = 9"), "what was changed is still shown: {gone}");
    let bare = world.run(3_000, &[], &[]);
    assert!(ask(&one, &bare)["notes"][0].as_str().is_some_and(|note| note.contains("no commit")));
}
