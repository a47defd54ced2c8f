//! Sweeps over the whole program: a good trial is found, shared steps run once, and a sweep that
//! died goes on with what it has.

mod testkit;

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::World;

const PIPELINE: &str = r#"format = 1
name = "species"
[[step]]
id = "penguins"
kind = "dataset"
params = { dataset = "penguins", target = "sex" }
[[step]]
id = "split"
kind = "split"
params = { train = 0.5, validation = 0.3, test = 0.2 }
inputs = { table = "penguins.table" }
[[step]]
id = "encode"
kind = "encode"
inputs = { table = "split.table" }
[[step]]
id = "boosting"
kind = "train_boosting"
params = { rounds = 60, stop_after = 0 }
inputs = { table = "encode.table" }
[[step]]
id = "judge"
kind = "evaluate"
inputs = { model = "boosting.model", table = "split.table" }
"#;

const PARAMS: [&str; 6] = [
    "--param",
    "boosting.learning_rate=0.005..0.5:log",
    "--param",
    "boosting.leaves=2..40:log",
    "--param",
    "boosting.min_rows_per_leaf=1..40",
];

fn world() -> World {
    world_of(PIPELINE)
}

fn world_of(pipeline: &str) -> World {
    let world = World::new();
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "sex"]);
    let file = world.file("species.toml", pipeline);
    world.ok(&["pipeline", "validate", testkit::text(&file)]);
    world
}

fn sweep(world: &World, words: &[&str]) -> Value {
    let begin = [&["sweep", "species", "--metric", "log_loss"][..], &PARAMS, words].concat();
    world.ok(&begin)
}

fn values(sweep: &Value) -> Vec<(Value, Value)> {
    let trials = sweep["trials"].as_array().into_iter().flatten();
    trials.map(|trial| (trial["params"].clone(), trial["value"].clone())).collect()
}

/// Prices of diamonds; `on` is the rows that the judge measures on.
fn diamonds(name: &str, on: &str) -> String {
    format!(
        r#"format = 1
name = "{name}"
step = [
  {{ id = "d", kind = "dataset", params = {{ dataset = "diamonds", target = "price" }} }},
  {{ id = "split", kind = "split", inputs = {{ table = "d.table" }} }},
  {{ id = "encode", kind = "encode", params = {{ method = "ordinal" }}, inputs = {{ table = "split.table" }} }},
  {{ id = "boosting", kind = "train_boosting", inputs = {{ table = "encode.table" }} }},
  {{ id = "judge", kind = "evaluate", params = {{ on = "{on}" }}, inputs = {{ model = "boosting.model", table = "split.table" }} }},
]
"#
    )
}

#[test]
fn a_sweep_beats_the_defaults_and_its_best_trial_becomes_the_pipeline() {
    let world = World::new();
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/diamonds.csv");
    world.ok(&["dataset", "import", testkit::text(&data), "--target", "price"]);
    let measured = |run: &Value| run["summary"]["metrics"]["rmse"].as_f64().expect("it was measured");
    let plain = |on: &str| {
        let file = world.file(&format!("plain_{on}.toml"), diamonds(&format!("plain_{on}"), on));
        measured(&world.ok(&["pipeline", "run", testkit::text(&file)]))
    };
    let (on_validation, on_test) = (plain("validation"), plain("test"));

    let file = world.file("prices.toml", diamonds("prices", "test"));
    world.ok(&["pipeline", "validate", testkit::text(&file)]);
    let mut begin = vec!["sweep", "prices", "--metric", "rmse", "--trials", "30", "--parallel", "2"];
    for param in [
        "boosting.learning_rate=0.01..0.5:log",
        "boosting.leaves=4..64:log",
        "boosting.min_rows_per_leaf=2..40:log",
        "boosting.l2=0.0..10.0",
        "boosting.feature_share=0.3..1.0",
    ] {
        begin.extend(["--param", param]);
    }
    let swept = world.ok(&begin);
    assert_eq!(swept["summary"]["state"], "done", "{swept}");
    assert_eq!(swept["trials"].as_array().map(Vec::len), Some(30));
    let best = swept["summary"]["bestValue"].as_f64().expect("something was measured");
    assert!(best < on_validation * 0.95, "best {best}, defaults {on_validation}");
    assert_eq!(swept["importance"].as_array().map(Vec::len), Some(5));

    // Trials are runs of their own under the sweep's, and what they share ran once.
    let run = swept["summary"]["runId"].as_str().expect("it has a run");
    let outer = world.ok(&["run", "list"]);
    assert_eq!(outer["total"], 3, "the sweep and the two runs before it: {outer}");
    let trials = world.ok(&["call", "run.list", &format!("{{\"trialsOf\": \"{run}\"}}")]);
    assert_eq!(trials["total"], 30);
    let one = trials["runs"][0]["id"].as_str().expect("an id");
    let one = world.ok(&["run", "show", one]);
    let state = |step: &str| {
        let mut steps = one["steps"].as_array().into_iter().flatten();
        steps.find(|row| row["step"] == step).map(|row| row["state"].clone())
    };
    assert_eq!(state("encode"), Some("cached".into()), "{one}");
    assert_eq!(one["origin"]["cause"], "trial");

    let applied = world.ok(&["sweep", "apply", "prices"]);
    assert_eq!(applied["trial"], swept["summary"]["best"]);
    let text = world.ok(&["pipeline", "show", "prices"])["text"].as_str().expect("text").to_owned();
    let rate = applied["params"]["boosting.learning_rate"].to_string();
    assert!(text.contains(&format!("learning_rate = {rate}")), "{text}");
    // What the judge measures on is not changed by it; and rows that nothing was chosen by agree.
    assert!(text.contains("on = \"test\""), "{text}");
    let now = measured(&world.ok(&["pipeline", "run", "prices"]));
    assert!(now < on_test * 0.95, "on test rows {now}, defaults {on_test}");
    assert!(world.workspace().join("projects/my-project/sweeps/prices.toml").is_file());
    assert_eq!(world.ok(&["workspace", "check", "--full"])["isClean"], true);
}

#[test]
fn the_same_sweep_comes_to_the_same_trials_again_and_early_stopping_saves_rounds() {
    let (one, two) = (world(), world());
    let words = ["--trials", "14", "--parallel", "2", "--stop", "median", "--seed", "5"];
    let (first, second) = (sweep(&one, &words), sweep(&two, &words));
    assert_eq!(values(&first), values(&second));
    let given_up = first["trials"].as_array().into_iter().flatten();
    let given_up: Vec<&Value> = given_up.filter(|trial| trial["state"] == "pruned").collect();
    assert!(!given_up.is_empty(), "{first}");
    assert!(given_up.iter().any(|trial| trial["rounds"].as_u64().is_some_and(|rounds| rounds < 60)));
}

#[test]
fn a_sweep_of_a_hundred_trials_whose_process_was_killed_goes_on_with_them_and_takes_the_same_way() {
    // Few rounds: what counts here is the number of trials.
    let short = PIPELINE.replace("rounds = 60", "rounds = 3");
    let (whole, killed) = (world_of(&short), world_of(&short));
    let words = ["--trials", "100", "--parallel", "2"];
    let expected = sweep(&whole, &words);
    let begin = [&["-q", "sweep", "species", "--metric", "log_loss"][..], &PARAMS, &words].concat();
    let mut child =
        killed.command(&begin).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let started = Instant::now();
    let trials = || {
        let db = rusqlite::Connection::open(killed.workspace().join("fettle.db")).ok()?;
        db.query_row("select count(*) from sweep_trials where state = 'done'", [], |row| row.get::<_, i64>(0))
            .ok()
    };
    while trials().unwrap_or(0) < 50 {
        assert!(started.elapsed() < Duration::from_secs(120), "half of the trials did not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let before = killed.ok(&["sweep", "show", "species"]);
    assert_eq!(before["summary"]["state"], "interrupted");
    let after = killed.ok(&["sweep", "resume", "species"]);
    assert_eq!(after["summary"]["state"], "done");
    assert_eq!(values(&after).len(), 100);
    assert_eq!(values(&after), values(&expected));
    // Those that had ended are still those runs.
    for (old, new) in before["trials"]
        .as_array()
        .into_iter()
        .flatten()
        .zip(after["trials"].as_array().into_iter().flatten())
    {
        assert!(old["state"] != "done" || old["runId"] == new["runId"], "{old} {new}");
    }
    let error = killed.fails(1, &["sweep", "resume", "species"]);
    assert_eq!(error["message"], "sweep `species` is done");
}

#[test]
fn a_sweep_that_cannot_work_is_refused_before_anything_runs() {
    let world = world();
    for (words, message) in [
        (["--param", "boosting.leafs=2..9", "--metric", "auc"], "parameter `boosting.leafs` does not fit"),
        (
            ["--param", "boosting.leaves=2..9", "--metric", "gain"],
            "it is not known whether more of `gain` is better",
        ),
        (["--param", "nowhere.leaves=2..9", "--metric", "auc"], "the pipeline has no step `nowhere`"),
    ] {
        let error = world.fails(2, &[&["sweep", "species"][..], &words].concat());
        assert_eq!(error["message"], message);
    }
    assert_eq!(world.ok(&["sweep", "list"]).as_array().map(Vec::len), Some(0));
}
