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
    let held_out = first["parity"]["rows"].as_u64().expect("rows");
    assert_eq!(first["monitored"]["rows"], held_out + 1, "what tried the deployment is no traffic");

    let second = world.ok(&["demo", "--stop"]);
    assert_eq!(second["cached"], second["steps"]);
    assert_eq!(second["dataset"]["isNew"], false);
    assert_eq!(second["model"]["version"], 1, "the same package makes no new version");
    assert_eq!(second["metrics"], first["metrics"]);
    let check = world.ok(&["workspace", "check", "--full"]);
    assert_eq!(check["isClean"], true, "{check}");
}

#[test]
fn traffic_is_watched_window_by_window_and_told_in_one_file() {
    let world = World::new();
    world.ok(&["demo"]);
    let monitor = |args: &[&str]| world.ok(&[&["-p", "demo", "monitor"], args].concat());
    let sample = std::fs::read_to_string(testkit::penguins()).expect("the sample is there");
    // Every bird of the sample once, in an order without pattern, then the same ones heavier.
    let (head, birds) = sample.split_once('\n').expect("it has a header");
    let birds: Vec<&str> = birds.lines().collect();
    let mixed: Vec<&str> = (0..birds.len()).map(|at| birds[at * 149 % birds.len()]).collect();
    let same = world.file("same.csv", format!("{head}\n{}\n", mixed.join("\n")));
    monitor(&["replay", "penguins", testkit::text(&same)]);
    let status = monitor(&["status", "penguins"]);
    assert_ne!(status["level"], "alarm", "{status}");
    let heavier: Vec<String> = mixed.iter().map(|bird| heavier(bird)).collect();
    let heavy = world.file("heavy.csv", format!("{head}\n{}\n", heavier.join("\n")));
    monitor(&["replay", "penguins", testkit::text(&heavy)]);

    let status = world.call(&["-p", "demo", "monitor", "status", "penguins"]).reply;
    assert_eq!(
        (&status["rules"][0]["metric"], &status["rules"][0]["windowRows"]),
        (&"psi".into(), &500.into())
    );
    let said = status["alerts"][0]["message"].as_str().expect("an alert was raised without being asked for");
    assert!(said.contains("has drifted"), "{said}");

    let windows_of = |more: &[&str]| {
        let called =
            world.call(&[&["-p", "demo", "monitor", "windows", "penguins", "--rows", "150"], more].concat());
        (called.code, called.reply)
    };
    let (code, found) = windows_of(&[]);
    assert_eq!(code, Some(5), "{found}");
    let windows = found["windows"].as_array().expect("windows");
    assert_ne!(windows[0]["level"], "alarm", "{}", windows[0]);
    assert_eq!(windows[windows.len() - 1]["level"], "alarm");
    let columns = windows[windows.len() - 1]["columns"].as_array().expect("columns");
    let mass = columns.iter().find(|column| column["column"] == "body_mass_g").expect("it is an input");
    assert_eq!(mass["level"], "alarm", "{mass}");
    let sliding = windows_of(&["--step", "50"]).1;
    assert!(sliding["windows"].as_array().expect("windows").len() > windows.len());

    // Against the heavy birds themselves the heavy birds are nothing new.
    let (from, to) = (&windows[windows.len() - 1]["from"], &windows[windows.len() - 1]["to"]);
    let (from, to) = (from.to_string(), to.to_string());
    let (code, found) = windows_of(&["--from", &from, "--to", &to]);
    assert_eq!((code, &found["level"]), (Some(0), &Value::from("none")), "{found}");

    let page = world.path("penguins.html");
    let args = ["-p", "demo", "monitor", "report", "penguins", "-o", testkit::text(&page)];
    assert_eq!(world.call(&args).code, Some(5));
    let html = std::fs::read_to_string(&page).expect("the report is there");
    assert!(html.contains("body_mass_g") && html.contains("Drift over time") && html.len() < 2_000_000);
    assert_ne!(world.call(&args).code, Some(0), "a file that is there is not overwritten");
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
}

/// A line of the sample with two kilograms more.
fn heavier(line: &str) -> String {
    let fields = line.split(',').map(|field| match field.parse::<f64>() {
        Ok(mass) if mass > 2500.0 => (mass + 2000.0).to_string(),
        Ok(_) | Err(_) => field.to_owned(),
    });
    fields.collect::<Vec<_>>().join(",")
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

#[test]
fn a_canary_gets_its_share_and_a_rollback_gives_everybody_the_version_before() {
    let world = World::new();
    world.ok(&["demo"]);
    let file = world.file("v2.toml", pipeline_with_trees(&world, 30));
    world.ok(&["-p", "demo", "pipeline", "run", testkit::text(&file)]);
    let create = ["-p", "demo", "deployment", "create", "penguins@2", "--name", "penguins"];
    let canary = ["--set", "rollout=canary", "--set", "canary_pct=25"];
    let plan = world.ok(&[&create[..], &canary, &["--plan"]].concat());
    assert!(plan.to_string().contains("25 of 100 requests; version 1"), "{plan}");
    world.ok(&[&create[..], &canary].concat());
    let shown = world.ok(&["-p", "demo", "deployment", "status", "penguins"]);
    let answered = |version: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        let cells = shown["sample"].as_object().expect("a row").iter().map(|(name, value)| {
            let datatype = if value.is_string() { "BYTES" } else { "FP64" };
            serde_json::json!({ "name": name, "shape": [1], "datatype": datatype, "data": [value] })
        });
        let body = serde_json::json!({ "inputs": cells.collect::<Vec<_>>() });
        let ask = |_: &usize| {
            let url =
                format!("{}/v2/models/penguins/infer", shown["summary"]["url"].as_str().expect("a URL"));
            let token = shown["token"].as_str().expect("a token");
            let sent = agent.post(url).header("Authorization", format!("Bearer {token}")).send_json(&body);
            let said: serde_json::Value = sent.expect("it answers").body_mut().read_json().expect("JSON");
            said["model_version"] == version
        };
        (0..100).filter(ask).count()
    };
    assert_eq!(answered("2"), 25);
    world.ok(&["-p", "demo", "deployment", "stop", "penguins"]);
    world.ok(&["-p", "demo", "deployment", "start", "penguins"]);
    assert_eq!(answered("2"), 25, "a canary stays one");
    world.ok(&[&create[..], &["--set", "rollout=shadow"]].concat());
    assert_eq!(answered("2"), 0, "a shadow answers nobody");
    world.ok(&[&create[..], &["--set", "rollout=all"]].concat());
    assert_eq!(answered("2"), 100);
    let error = world.fails(1, &[&create[..], &canary].concat());
    assert!(error.to_string().contains("everybody already"), "{error}");
    world.ok(&["-p", "demo", "deployment", "rollback", "penguins", "--to", "2"]);
    assert_eq!(answered("2"), 100, "revision 2 was a canary; who goes back to it means everybody");
    world.ok(&["-p", "demo", "deployment", "rollback", "penguins", "--to", "1"]);
    assert_eq!(answered("1"), 100);
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
