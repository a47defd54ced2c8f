//! Pictures of every state that a step can be in, on the canvas and in the outline.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{each_face, picture, show};
use crate::app::App;

/// A run comes that far within this time.
const MOST: Duration = Duration::from_secs(60);

#[test]
#[ignore = "makes pictures to look at: `cargo xtask shots` runs it"]
fn every_state_of_a_step() {
    let app = App::start();
    app.await_daemon();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv");
    app.finish("dataset.import", json!({ "path": sample }));
    app.rpc("pipeline.new", json!({ "name": "states" })).expect("a pipeline");
    // What is in the cache and what is out of date was run before.
    save(&app, &[dataset(), sorted("species")]);
    let begun = app.rpc("pipeline.run", json!({ "pipeline": "states" })).expect("it runs");
    wait(&app, &begun, |run| run["summary"]["state"] == "done");

    save(&app, &all());
    let begun = app.rpc("pipeline.run", json!({ "pipeline": "states", "threads": 2 })).expect("it runs");
    wait(&app, &begun, |run| {
        let is = |id: &str, state: &str| {
            run["steps"]
                .as_array()
                .is_some_and(|steps| steps.iter().any(|one| one["step"] == id && one["state"] == state))
        };
        is("fails", "failed") && is("blocked", "blocked") && is("works", "running")
    });
    each_face(&app, |face| {
        show(&app, "home");
        show(&app, "pipelines/states");
        picture(&app, "states-running", face);
        show(&app, "pipelines/states?view=outline");
        picture(&app, "states-outline", face);
    });
    app.rpc("run.cancel", json!({ "run": begun["runId"] })).expect("it is cancelled");
    wait(&app, &begun, |run| run["summary"]["state"] == "cancelled");
    let mut changed = all();
    changed[1] = sorted("year");
    save(&app, &changed);
    each_face(&app, |face| {
        show(&app, "home");
        show(&app, "pipelines/states");
        picture(&app, "states-cancelled", face);
        show(&app, "pipelines/states?step=fails");
        picture(&app, "states-failed", face);
        app.press(&["n"]);
        picture(&app, "states-focus", face);
        app.press(&["n"]);
    });
}

fn save(app: &App, steps: &[Value]) {
    let doc = json!({ "pipeline": "states", "doc": { "name": "states", "steps": steps } });
    app.rpc("pipeline.save", doc).expect("it is saved");
}

fn wait(app: &App, begun: &Value, until: impl Fn(&Value) -> bool) {
    let started = Instant::now();
    loop {
        let run = app.rpc("run.show", json!({ "run": begun["runId"] })).expect("it is known");
        if until(&run) {
            return;
        }
        assert!(started.elapsed() < MOST, "{run:#}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn dataset() -> Value {
    json!({ "id": "penguins", "kind": "dataset", "position": [0, 120], "params": { "dataset": "penguins" }, "inputs": {} })
}

fn sorted(by: &str) -> Value {
    json!({ "id": "sorted", "kind": "sort", "position": [260, 0], "params": { "columns": [by] },
            "inputs": { "table": ["penguins.table"] } })
}

/// A step of the shell that gives its table on.
fn shell(id: &str, command: &str, position: [i32; 2], from: &str) -> Value {
    json!({ "id": id, "kind": "command", "position": position, "params": { "command": command, "format": "csv" },
            "inputs": { "table": [from] } })
}

/// Steps that end in every state, once the first two have run.
fn all() -> Vec<Value> {
    let mut skipped = json!({ "id": "skipped", "kind": "deduplicate", "position": [520, 0], "params": {},
                              "inputs": { "table": ["sorted.table"] } });
    skipped["skip"] = json!(true);
    vec![
        dataset(),
        sorted("species"),
        skipped,
        json!({ "id": "done", "kind": "sample", "position": [780, 0], "params": {}, "inputs": { "table": ["skipped.table"] } }),
        shell("fails", "echo no such column >&2; exit 3", [260, 120], "penguins.table"),
        shell("blocked", "true", [520, 120], "fails.result"),
        shell("works", "sleep 600", [260, 240], "penguins.table"),
        shell("waits", "true", [520, 240], "works.result"),
    ]
}
