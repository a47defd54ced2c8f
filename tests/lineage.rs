//! Why steps run, runs that go on, and runs that are repeated: over the whole program, with its
//! real processes.

mod testkit;

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::World;

/// A small pipeline: data, split, impute, encode, train, evaluate.
fn pipeline(trees: u32, rounds: u32) -> String {
    format!(
        r#"format = 1
name = "species"
[[step]]
id = "penguins"
kind = "dataset"
params = {{ dataset = "penguins", target = "species" }}
[[step]]
id = "split"
kind = "split"
inputs = {{ table = "penguins.table" }}
[[step]]
id = "impute"
kind = "impute"
inputs = {{ table = "split.table" }}
[[step]]
id = "encode"
kind = "encode"
inputs = {{ table = "impute.table" }}
[[step]]
id = "forest"
kind = "train_forest"
params = {{ trees = {trees} }}
inputs = {{ table = "encode.table" }}
[[step]]
id = "judge"
kind = "evaluate"
params = {{ importance_repeats = 0 }}
inputs = {{ model = "forest.model", table = "split.table" }}
[[step]]
id = "boosting"
kind = "train_boosting"
params = {{ rounds = {rounds}, stop_after = 0 }}
inputs = {{ table = "encode.table" }}
"#
    )
}

/// A world with the sample imported and the pipeline as a file.
fn world() -> (World, String) {
    let world = World::new();
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    let file = world.file("species.toml", pipeline(20, 10));
    (world, testkit::text(&file).to_owned())
}

fn step<'a>(reply: &'a Value, name: &str) -> &'a Value {
    let found = reply["steps"].as_array().into_iter().flatten().find(|step| step["step"] == name);
    found.unwrap_or_else(|| panic!("no step `{name}` in {reply}"))
}

#[test]
fn an_explanation_names_what_changed_and_what_waits_for_it() {
    let (world, file) = world();
    let fresh = world.ok(&["pipeline", "explain", &file]);
    assert_eq!(step(&fresh, "penguins")["reasons"][0], "it has not run before");
    world.ok(&["pipeline", "run", &file]);
    assert_eq!(world.ok(&["pipeline", "explain", &file])["toRun"], 0);

    world.file("species.toml", pipeline(30, 10));
    let told = world.ok(&["pipeline", "explain", &file, "forest"]);
    assert_eq!(told["steps"].as_array().map(Vec::len), Some(1));
    let forest = step(&told, "forest");
    assert_eq!(forest["reasons"][0], "parameter `trees` changed from `20` to `30`");
    assert_eq!(forest["changes"][0]["what"], "parameter");
    assert_eq!(forest["lastRun"]["number"], 1);
    let judge = world.ok(&["pipeline", "explain", &file]);
    assert_eq!(step(&judge, "judge")["action"], "pending");
    assert_eq!(step(&judge, "judge")["waitsFor"][0], "forest");
    assert_eq!(step(&judge, "boosting")["action"], "cached");

    // Another version with a column of another kind: the step after the dataset says so.
    let text = std::fs::read_to_string(testkit::penguins()).expect("the sample");
    let longer = text.replace("male", "m\u{e2}le");
    let next = world.file("penguins.csv", longer);
    world.ok(&["dataset", "import", testkit::text(&next), "--name", "penguins"]);
    let told = world.ok(&["pipeline", "explain", &file, "penguins"]);
    let reason = step(&told, "penguins")["reasons"][0].as_str().unwrap_or_default();
    assert_eq!(reason, "the dataset changed from `penguins v1` to `penguins v2`");
}

#[test]
fn results_are_used_again_by_other_projects_and_on_other_branches() {
    let (world, file) = world();
    world.ok(&["pipeline", "run", &file]);
    world.ok(&["project", "new", "Other"]);
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    let run = world.ok(&["pipeline", "run", &file]);
    assert_eq!((&run["summary"]["cached"], &run["summary"]["steps"]), (&7.into(), &7.into()), "{run}");
    // What the first project knew of its own last run is not lost by that.
    world.ok(&["project", "open", "my-project"]);
    world.file("species.toml", pipeline(21, 10));
    let told = world.ok(&["pipeline", "explain", &file, "forest"]);
    assert_eq!(step(&told, "forest")["reasons"][0], "parameter `trees` changed from `20` to `21`");
    // On a branch of its own the same text is the same pipeline.
    world.ok(&["pipeline", "commit", "species"]);
    let projects = world.workspace().join("projects/my-project");
    let branched = std::process::Command::new("git")
        .args(["checkout", "-q", "-b", "try"])
        .current_dir(&projects)
        .status();
    assert!(branched.expect("git is here").success());
    world.ok(&["pipeline", "run", "species"]);
    assert_eq!(world.ok(&["pipeline", "explain", "species"])["toRun"], 0);
}

#[test]
fn a_run_from_a_step_repeats_what_needs_it_and_takes_the_rest_from_the_cache() {
    let (world, file) = world();
    world.ok(&["pipeline", "run", &file]);
    let run = world.ok(&["pipeline", "run", &file, "--from", "forest"]);
    assert_eq!(step(&run, "encode")["state"], "cached");
    assert_eq!(step(&run, "forest")["state"], "done");
    assert_eq!(step(&run, "forest")["reasons"][0], "you asked for it");
    assert_eq!(step(&run, "judge")["state"], "done");
    assert!(!run["steps"].to_string().contains("\"boosting\""), "{run}");
    let error = world.fails(2, &["pipeline", "run", &file, "--from", "judge", "--to", "boosting"]);
    assert_eq!(error["message"], "step `judge` does not lead to `boosting`");
    let error = world.fails(2, &["pipeline", "run", &file, "--from", "nowhere"]);
    assert_eq!(error["message"], "the pipeline has no step `nowhere`");
}

#[test]
fn a_failed_step_keeps_only_its_own_line_from_running_and_the_run_can_go_on() {
    let (world, _) = world();
    // A forest of no trees fails when it trains; boosting does not need it.
    let broken = pipeline(20, 10).replace("trees = 20", "trees = 0");
    let file = world.file("broken.toml", broken);
    let file = testkit::text(&file);
    world.fails(3, &["pipeline", "run", file]);
    let run = world.ok(&["run", "show", "1"]);
    assert_eq!(step(&run, "forest")["state"], "failed");
    assert_eq!(step(&run, "judge")["state"], "blocked");
    assert_eq!(step(&run, "boosting")["state"], "done");
    // The same text fails the same way, with everything else from the cache.
    world.fails(3, &["run", "resume", "1"]);
    let again = world.ok(&["run", "show", "2"]);
    assert_eq!(step(&again, "boosting")["state"], "cached");
    assert_eq!(again["origin"]["cause"], "resume");
    assert_eq!(again["origin"]["run"]["number"], 1);
    assert_eq!(world.ok(&["run", "show", "1"])["resumedBy"][0]["number"], 2);
}

#[test]
fn a_run_whose_daemon_was_killed_is_marked_and_goes_on_where_it_was() {
    let (world, _) = world();
    // Long enough to be killed in the middle of it.
    let file = world.file("long.toml", pipeline(20, 10_000));
    let mut command = world.command(&["-q", "pipeline", "run", testkit::text(&file), "-t", "2"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    wait_for(&world, |log| log.contains("rows,"));
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    let run = world.ok(&["run", "show", "1"]);
    assert_eq!(run["summary"]["state"], "interrupted", "{run}");
    assert_eq!(step(&run, "encode")["state"], "done");
    assert_eq!(step(&run, "boosting")["state"], "interrupted");
    // A version that came since is not what the run was about.
    let text = std::fs::read_to_string(testkit::penguins()).expect("the sample");
    let fewer: Vec<&str> = text.lines().take(300).collect();
    let next = world.file("penguins.csv", fewer.join("\n"));
    world.ok(&["dataset", "import", testkit::text(&next), "--name", "penguins"]);
    let resumed = world.ok(&["run", "resume", "1"]);
    assert_eq!(resumed["summary"]["state"], "done");
    assert_eq!(step(&resumed, "encode")["state"], "cached", "{resumed}");
    assert_eq!(step(&resumed, "boosting")["state"], "done");
    assert_eq!(resumed["summary"]["datasets"][0]["version"], 1);
    assert_eq!(resumed["origin"]["run"]["number"], 1);
    let error = world.fails(1, &["run", "resume", "2"]);
    assert_eq!(error["message"], "run 2 came to its end");
}

/// Waits until the log of the boosting step of the one run says something.
fn wait_for(world: &World, fits: impl Fn(&str) -> bool) {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(60) {
        let logs = std::fs::read_dir(world.workspace().join("runs")).into_iter().flatten().flatten();
        let said = logs.filter_map(|run| std::fs::read_to_string(run.path().join("boosting.log")).ok());
        if said.into_iter().any(|log| fits(&log)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("the step said nothing");
}

#[test]
fn a_repeated_run_comes_to_the_same_bytes_on_any_number_of_threads() {
    let (world, file) = world();
    world.ok(&["pipeline", "run", &file, "-t", "1"]);
    for threads in ["1", "2"] {
        let receipt = world.ok(&["run", "reproduce", "1", "-t", threads]);
        assert_eq!(receipt["isIdentical"], true, "{receipt}");
        assert_eq!(receipt["steps"].as_array().map(Vec::len), Some(7));
        assert_eq!(receipt["now"]["threads"].to_string(), threads);
        assert_eq!(receipt["datasets"]["penguins"], "penguins v1");
    }
    let kept = world.ok(&["run", "receipts", "1"]);
    assert_eq!(kept.as_array().map(Vec::len), Some(2));
    assert!(kept[1]["text"].as_str().is_some_and(|text| text.contains("all 7 steps came to the same bytes")));
}

#[test]
fn a_run_that_recorded_other_bytes_is_told_from_a_proven_one() {
    let (world, file) = world();
    world.ok(&["pipeline", "run", &file]);
    // As if an older Fettle had come to another result there.
    let db = rusqlite::Connection::open(world.workspace().join("fettle.db")).expect("it opens");
    let changed = db.execute(
        "update step_runs set outputs = replace(outputs, substr(outputs, instr(outputs, 'content') + 10, 8),
            '00000000') where step_id = 'encode'",
        [],
    );
    assert_eq!(changed.expect("it is written"), 1);
    let version =
        db.execute("update run_origins set facts = replace(facts, '\"encode\":1', '\"encode\":7')", []);
    assert_eq!(version.expect("it is written"), 1);
    drop(db);
    let called = world.call(&["run", "reproduce", "1"]);
    assert_eq!(called.code, Some(4), "{}", called.said);
    assert_eq!(called.reply["firstDifference"][0], "encode");
    let why = called.reply["firstDifference"][1].as_str().unwrap_or_default();
    assert!(why.starts_with("`encode` was version 7 and is version"), "{why}");
    assert_eq!(step(&called.reply, "forest")["verdict"], "identical");
}

#[test]
fn an_exported_script_runs_the_pipeline() {
    let (world, file) = world();
    world.ok(&["pipeline", "validate", &file]);
    let out = world.path("out");
    world.ok(&["pipeline", "export", "species", "--format", "shell", "-o", testkit::text(&out)]);
    let status = std::process::Command::new(out.join("species.sh"))
        .env("FETTLE", env!("CARGO_BIN_EXE_fettle"))
        .env("FETTLE_WORKSPACE", world.workspace())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(status.expect("it starts").success());
    assert_eq!(world.ok(&["pipeline", "explain", "species"])["toRun"], 0);
}
