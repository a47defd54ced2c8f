//! Pictures of every screen: light and dark, large and small, full and empty, with what opens over
//! them.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::app::{App, Setup, picture_folder};

const THEMES: [&str; 2] = ["light", "dark"];
const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];
/// The screens of a workspace with nothing in it.
const EMPTY: [&str; 8] =
    ["home", "data", "pipelines", "pipelines?new", "runs", "models", "deployments", "monitor"];
/// What a key opens over a screen.
const OVERLAYS: [(&str, &[&str]); 2] = [("palette", &["\u{E009}", "k"]), ("shortcuts", &["?"])];

#[test]
#[ignore = "makes pictures to look at: `cargo xtask shots` runs it"]
fn every_screen() {
    let workspace = std::env::var_os("FETTLE_SHOTS_WORKSPACE").map(PathBuf::from);
    let app = App::start_with(Setup { workspace, ..Setup::default() });
    app.await_daemon();
    let screens = screens(&app);
    each_face(&app, |face| {
        for (name, address) in &screens {
            show(&app, address);
            picture(&app, name, face);
        }
        show(&app, "home");
        for (name, keys) in OVERLAYS {
            app.press(keys);
            picture(&app, name, face);
            app.press(&["\u{E00C}"]);
        }
    });
}

#[test]
#[ignore = "makes pictures to look at: `cargo xtask shots` runs it"]
fn every_empty_screen() {
    let app = App::start();
    app.await_daemon();
    app.rpc("project.new", json!({ "name": "Empty" })).expect("a project");
    each_face(&app, |face| {
        for address in EMPTY {
            show(&app, address);
            picture(&app, &format!("empty-{}", address.replace('?', "-")), face);
        }
        show(&app, "runs/no-such-run");
        picture(&app, "error-run", face);
    });
}

/// Names of pictures, and the addresses of what the sample project holds.
fn screens(app: &App) -> Vec<(&'static str, String)> {
    let ask =
        |command: &str| app.rpc(command, json!({})).unwrap_or_else(|error| panic!("{command}: {error}"));
    let name = |list: &Value| list[0]["name"].as_str().expect("the sample has one").to_owned();
    let dataset = name(&ask("dataset.list"));
    let pipeline = name(&ask("pipeline.list"));
    let model = name(&ask("model.list"));
    let endpoint = name(&ask("deployment.list"));
    let run = ask("run.list")["runs"][0]["id"].as_str().expect("the sample has run").to_owned();
    let step = "train-boosting";
    let screens = [
        ("welcome", "welcome".to_owned()),
        ("home", "home".to_owned()),
        ("data", "data".to_owned()),
        ("dataset", format!("data/{dataset}")),
        ("dataset-column", format!("data/{dataset}?column=island")),
        ("dataset-columns", format!("data/{dataset}?tab=columns")),
        ("dataset-query", format!("data/{dataset}?tab=query")),
        ("dataset-import", format!("data/{dataset}?sheet=import")),
        ("pipelines", "pipelines".to_owned()),
        ("canvas", format!("pipelines/{pipeline}")),
        ("canvas-step", format!("pipelines/{pipeline}?step={step}")),
        ("outline", format!("pipelines/{pipeline}?view=outline")),
        ("file", format!("pipelines/{pipeline}?view=file")),
        ("runs", "runs".to_owned()),
        ("run", format!("runs/{run}")),
        ("run-models", format!("runs/{run}?tab=models")),
        ("run-params", format!("runs/{run}?tab=params")),
        ("run-figures", format!("runs/{run}?tab=figures")),
        ("run-log", format!("runs/{run}?tab=log")),
        ("run-environment", format!("runs/{run}?tab=environment")),
        ("compare", format!("runs/{run}/compare")),
        ("models", "models".to_owned()),
        ("model", format!("models/{model}")),
        ("version", format!("models/{model}/1")),
        ("promote", format!("models/{model}/1?promote=production")),
        ("deployments", "deployments".to_owned()),
        ("deploy", format!("deployments?deploy={model}&version=1")),
        ("endpoint", format!("deployments/{endpoint}")),
        ("monitor", "monitor".to_owned()),
        ("monitor-page", format!("monitor/{endpoint}")),
        ("settings", "settings".to_owned()),
        ("audit", "audit".to_owned()),
    ];
    screens.into()
}

fn each_face(app: &App, draw: impl Fn(&str)) {
    const DRESS: &str = "document.documentElement.dataset.theme = arguments[0]";
    for (width, height) in SIZES {
        app.session().resize(width, height);
        for theme in THEMES {
            app.session().script(DRESS, &[json!(theme)]).expect("the theme is set");
            draw(&format!("{theme}-{width}x{height}"));
        }
    }
}

fn show(app: &App, address: &str) {
    const GO: &str = "location.hash = '#/' + arguments[0]";
    app.session().script(GO, &[json!(address)]).expect("the page goes there");
}

fn picture(app: &App, name: &str, face: &str) {
    // A screen that still waits after five seconds is a picture worth seeing too.
    const DRAWN: &str = "const done = arguments[0], late = Date.now() + 5000;
        const settled = () => document.querySelector('[aria-busy=true]') && Date.now() < late
          ? setTimeout(settled, 50)
          : requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
        setTimeout(settled, 250)";
    app.session().script_async(DRAWN, &[]).expect("the screen is drawn");
    app.screenshot(&picture_folder().join(format!("{name}-{face}.png")));
}
