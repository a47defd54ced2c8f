//! The main job from a file to a watched endpoint, as a stranger does it first.

mod testkit;

use serde_json::Value;
use testkit::World;

#[test]
fn the_demo_computes_every_figure_and_the_second_time_every_step_is_cached() {
    let world = World::new();
    let first = world.ok(&["demo", "--stop"]);
    assert_eq!(first["rows"], 344);
    assert_eq!(first["datasetVersionId"].as_str().map(str::len), Some(32));
    assert_eq!(first["runId"].as_str().map(str::len), Some(32));
    assert_eq!(first["cached"], 0);
    let metrics = first["metrics"].as_object().expect("metrics by model");
    assert_eq!(metrics.keys().collect::<Vec<_>>().len(), 3);
    for (model, found) in metrics {
        let auc = found["auc"].as_f64().expect("each model was evaluated");
        assert!((0.9..=1.0).contains(&auc), "{model}: {auc}");
    }
    assert_eq!(first["model"]["version"], 1);
    assert!(first["parity"]["maxAbsDiff"].as_f64().is_some_and(|difference| difference <= 1e-6));
    assert!(first["parity"]["rows"].as_u64().is_some_and(|rows| rows > 50));
    assert!(first["endpoint"].as_str().is_some_and(|url| url.starts_with("http://127.0.0.1:")));
    let species = first["prediction"]["label"].as_str().expect("a class");
    assert!(["Adelie", "Chinstrap", "Gentoo"].contains(&species), "{species}");
    assert_eq!(first["drift"]["level"], "alarm");
    assert_ne!(first["monitored"]["level"], "alarm", "held-out rows are like the training rows");

    let second = world.ok(&["demo", "--stop"]);
    assert_eq!(second["cached"], second["steps"]);
    assert_eq!(second["dataset"]["isNew"], false);
    assert_eq!(second["model"]["version"], 1, "the same package makes no new version");
    assert_eq!(second["metrics"], first["metrics"]);
    let check = world.ok(&["workspace", "check", "--full"]);
    assert_eq!(check["isClean"], true, "{check}");
}

#[test]
fn a_changed_file_is_version_two_and_reruns_what_depends_on_it() {
    let world = World::new();
    let sample = std::fs::read_to_string(testkit::penguins()).expect("the sample is there");
    let file = world.file("birds.csv", &sample);
    world.ok(&["dataset", "import", testkit::text(&file), "--target", "species"]);
    let again = world.ok(&["dataset", "import", testkit::text(&file)]);
    assert_eq!((&again["isNew"], &again["version"]), (&Value::from(false), &Value::from(1)));
    world.ok(&["pipeline", "new", "birds"]);
    world.ok(&["pipeline", "run", "birds", "--to", "split"]);
    world.file("birds.csv", sample.replace("39.1", "39.2"));
    let changed = world.ok(&["dataset", "import", testkit::text(&file)]);
    assert_eq!((&changed["isNew"], &changed["version"]), (&Value::from(true), &Value::from(2)));
    let plan = world.ok(&["pipeline", "explain", "birds", "--to", "split"]);
    assert_eq!(plan["steps"][0]["action"], "run");
    assert_eq!(plan["steps"][0]["reasons"][0], "the dataset changed from `birds v1` to `birds v2`");
}

#[test]
fn a_new_version_takes_over_only_when_it_is_good_and_one_call_goes_back() {
    let world = World::new();
    world.ok(&["demo"]);
    let file = world.file("v2.toml", pipeline_with_trees(&world, 30));
    world.ok(&["-p", "demo", "pipeline", "run", testkit::text(&file)]);
    world.ok(&["-p", "demo", "deployment", "create", "penguins@2", "--name", "penguins"]);
    let status = world.ok(&["-p", "demo", "deployment", "status", "penguins"]);
    assert_eq!(status["summary"]["model"]["version"], 2);
    let url = status["summary"]["url"].clone();
    world.ok(&["-p", "demo", "deployment", "rollback", "penguins"]);
    let status = world.ok(&["-p", "demo", "deployment", "status", "penguins"]);
    assert_eq!(status["summary"]["model"]["version"], 1);
    assert_eq!(status["summary"]["url"], url, "callers keep their address");
    let answer = world.ok(&["-p", "demo", "deployment", "try", "penguins"]);
    assert_eq!(answer["status"], 200);
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}

/// The demo's pipeline with another forest, and that forest registered.
fn pipeline_with_trees(world: &World, trees: u32) -> String {
    let shown = world.ok(&["-p", "demo", "pipeline", "show", "penguins"]);
    let mut file: toml::Table = shown["text"].as_str().expect("the file's text").parse().expect("TOML");
    for step in file["step"].as_array_mut().expect("steps") {
        let step = step.as_table_mut().expect("a step is a table");
        if step["id"].as_str() == Some("forest") {
            step.insert(
                "params".into(),
                toml::Table::from_iter([("trees".into(), i64::from(trees).into())]).into(),
            );
        }
        if step["id"].as_str() == Some("register") {
            step["inputs"]
                .as_table_mut()
                .expect("wires")
                .insert("model".into(), "evaluate_forest.model".into());
        }
    }
    file.to_string()
}
