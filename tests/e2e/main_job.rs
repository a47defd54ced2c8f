//! The main job by pointer, from a dropped file to drift: every stage is looked at on the screen
//! and asked for in the workspace.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::App;

/// The main job takes no more than this many clicks and drops.
const MOST_ACTIONS: u32 = 12;

/// The sample with every number of grams doubled: no penguin was ever like that.
fn heavier(folder: &Path) -> std::path::PathBuf {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv");
    let text = std::fs::read_to_string(sample).expect("the sample is there");
    let mut lines = text.lines();
    let mut out = vec![lines.next().expect("a header").to_owned()];
    for line in lines {
        let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
        if let Ok(grams) = cells[5].parse::<u32>() {
            cells[5] = (grams * 2).to_string();
        }
        out.push(cells.join(","));
    }
    let path = folder.join("heavier.csv");
    std::fs::write(&path, out.join("\n") + "\n").expect("can be written");
    path
}

#[test]
fn the_main_job_takes_a_drop_and_few_clicks() {
    let app = App::start();
    app.await_daemon();
    let ask = |command: &str, request: Value| {
        app.rpc(command, request).unwrap_or_else(|e| panic!("{command}: {e}"))
    };
    app.find("open-palette");

    app.drop_files(&[&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv")], (500, 400));
    app.wait_for_text("data-title", "penguins");
    app.find("data-build-pipeline");
    app.wait_until("the target is chosen", || {
        (ask("dataset.show", json!({ "dataset": "penguins" }))["target"] == "species").then_some(())
    });

    app.click("data-build-pipeline");
    app.find("canvas");
    app.click("editor-run");
    app.click("next-compare");
    let run = &ask("run.list", json!({}))["runs"][0];
    assert_eq!(run["state"], "done");

    app.click("compare-promote");
    app.find("promote-checks");
    app.click("promote-confirm");
    app.find("promote-done");
    let model = &ask("model.list", json!({}))[0];
    assert_eq!(model["aliases"]["production"], 1);

    app.click("promote-deploy");
    app.click("deploy-confirm");
    app.find("endpoint-page");
    app.click("try-send");
    let answer = app.wait_until("the endpoint answers", || {
        Some(app.text("try-headline")).filter(|text| !text.is_empty())
    });
    assert!(["Adelie", "Chinstrap", "Gentoo"].iter().any(|species| answer.contains(species)), "{answer}");
    assert_eq!(ask("deployment.list", json!({}))[0]["state"], "healthy");

    app.click("endpoint-monitor");
    app.find("monitor-page");
    app.drop_files(&[&heavier(app.scratch())], (500, 400));
    app.wait_for_text("monitor-report", "body_mass_g");
    assert!(app.text("monitor-report").to_lowercase().contains("drift"));

    let actions = app.pointer_actions();
    assert!(actions <= MOST_ACTIONS, "{actions} pointer actions");
    ask("deployment.stop", json!({ "deployment": "penguins" }));
}
