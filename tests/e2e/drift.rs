//! From traffic that drifts to a retrained version that serves, and an alarm that is over.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::app::App;

/// The sample measured in other units, its birds in an order without pattern.
fn in_other_units(folder: &Path) -> PathBuf {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv");
    let text = std::fs::read_to_string(sample).expect("the sample is there");
    let (head, birds) = text.split_once('\n').expect("it has a header");
    let birds: Vec<&str> = birds.lines().collect();
    let changed = (0..birds.len()).map(|at| {
        let cells = birds[at * 149 % birds.len()].split(',').map(|cell| match cell.parse::<f64>() {
            // The year stays.
            Ok(measure) if !(2000.0..2100.0).contains(&measure) => (measure / 10.0).to_string(),
            _ => cell.to_owned(),
        });
        cells.collect::<Vec<_>>().join(",")
    });
    let path = folder.join("other_units.csv");
    let lines: Vec<String> = changed.collect();
    std::fs::write(&path, format!("{head}\n{}\n", lines.join("\n"))).expect("can be written");
    path
}

#[test]
fn drift_raises_an_alarm_and_a_retrained_version_that_is_deployed_clears_it() {
    let app = App::start();
    app.await_daemon();
    let ask = |command: &str, request: Value| {
        app.rpc(command, request).unwrap_or_else(|error| panic!("{command}: {error}"))
    };
    app.finish("sample.open", json!({}));
    app.finish("deployment.create", json!({ "model": "penguins" }));
    app.script("location.hash = '#/monitor/penguins'").expect("the page goes there");
    app.find("monitor-page");

    let traffic = in_other_units(app.scratch());
    app.finish("monitor.replay", json!({ "deployment": "penguins", "path": traffic }));
    app.wait_for_text("monitor-level", "Alarm");
    app.finish("monitor.label", json!({ "deployment": "penguins", "path": traffic }));

    app.click("monitor-retrain");
    app.wait_for_text("monitor-proposal", "Version 2 is proposed");
    app.wait_for_text("proposal-compared", "fresh row");
    let serving =
        || ask("deployment.show", json!({ "deployment": "penguins" }))["summary"]["model"]["version"].clone();
    assert_eq!(serving(), 1, "a proposal deploys nothing");

    app.click("proposal-rehearse");
    app.wait_for_text("proposal-rehearsed", "of");
    app.click("proposal-accept");
    app.wait_until("the new version serves", || (serving() == 2).then_some(()));

    app.finish("monitor.replay", json!({ "deployment": "penguins", "path": traffic }));
    app.wait_for_text("monitor-level", "No drift");
    let alerts = ask("monitor.status", json!({ "deployment": "penguins" }))["alerts"].clone();
    let alerts = alerts.as_array().expect("alerts");
    assert!(!alerts.is_empty() && alerts.iter().all(|one| one["isAcknowledged"] == true), "{alerts:?}");

    let audit = ask("audit.list", json!({})).to_string();
    for action in ["retraining.start", "retraining.propose", "retraining.deploy"] {
        assert!(audit.contains(action), "{action} is in the audit log");
    }
    ask("deployment.stop", json!({ "deployment": "penguins" }));
}
