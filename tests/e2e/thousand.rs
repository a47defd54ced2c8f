//! A pipeline of a thousand steps in the real window: what it costs to open it, to move over it, to find a
//! step in it and to follow a run of it.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::App;

const STEPS: usize = 1_000;
/// Steps of a chain; each chain begins at the dataset.
const CHAIN: usize = 40;
const FRAMES: u32 = 100;
const RUN: Duration = Duration::from_secs(300);

#[test]
#[ignore = "measures for minutes what only a quiet machine can show: run it by its name"]
fn a_thousand_steps_are_opened_moved_searched_and_run() {
    let app = App::start();
    app.await_daemon();
    app.session().resize(1280, 800);
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/penguins.csv");
    app.finish("dataset.import", json!({ "path": sample }));
    app.rpc("pipeline.new", json!({ "name": "large" })).expect("a pipeline");
    let steps: Vec<Value> = std::iter::once(dataset()).chain((1..STEPS).map(step)).collect();
    let doc = json!({ "pipeline": "large", "doc": { "name": "large", "steps": steps } });
    app.rpc("pipeline.save", doc).expect("it is saved");

    let begun = Instant::now();
    app.script("location.hash = '#/pipelines/large'").expect("the page goes there");
    app.wait_until("steps are drawn", || app.session().find(".svelte-flow__node-step").ok());
    println!("opened in {} ms", begun.elapsed().as_millis());
    println!("moved: {:.1} CPU-ms a frame", pan(&app));

    let begun = Instant::now();
    app.press(&["\u{E009}", "f"]);
    app.find("chooser");
    app.type_text("s0777");
    app.press(&["\u{E007}"]);
    app.find("step-s0777");
    println!("found a step in {} ms", begun.elapsed().as_millis());
    run(&app);
}

fn dataset() -> Value {
    json!({ "id": "s0000", "kind": "dataset", "position": [-300, 0], "params": { "dataset": "penguins" }, "inputs": {} })
}

/// A step that changes nothing, after the one before it.
fn step(at: usize) -> Value {
    let (row, column) = ((at - 1) / CHAIN, (at - 1) % CHAIN);
    let before = if column == 0 { 0 } else { at - 1 };
    json!({ "id": format!("s{at:04}"), "kind": "deduplicate", "position": [column * 260, row * 120],
            "params": {}, "inputs": { "table": [format!("s{before:04}.table")] } })
}

/// Moves over the graph by a wheel in each of so many frames: processor time of the web view a frame.
fn pan(app: &App) -> f64 {
    const PAN: &str = "const frames = arguments[0], done = arguments[1];
        const pane = document.querySelector('.svelte-flow__pane'), box = pane.getBoundingClientRect();
        let frame = 0;
        const step = () => {
          if (frame++ >= frames) return done(true);
          pane.dispatchEvent(new WheelEvent('wheel', { deltaX: 30, deltaY: 12, clientX: box.left + 300, clientY: box.top + 300, bubbles: true, cancelable: true }));
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step)";
    let before = app.web_view_cpu_ms();
    app.session().script_async(PAN, &[json!(FRAMES)]).expect("the canvas moves");
    (app.web_view_cpu_ms() - before) as f64 / f64::from(FRAMES)
}

/// Follows a run to its end, with the longest time the page stood still for meanwhile.
fn run(app: &App) {
    const WATCH: &str = "let last = performance.now(); window.longest = 0;
        const look = () => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(look) };
        requestAnimationFrame(look)";
    app.script(WATCH).expect("frames are watched");
    let (begun, before) = (Instant::now(), app.web_view_cpu_ms());
    app.press(&["\u{E009}", "\u{E007}"]);
    loop {
        let last = app.rpc("run.list", json!({})).expect("a list")["runs"][0]["state"].take();
        assert!(last != "failed" && begun.elapsed() < RUN, "{last}");
        if last == "done" {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let longest = app.script("return Math.round(window.longest)").expect("a number");
    println!(
        "a run of {} ms: {} CPU-ms of the web view, its longest frame {longest} ms",
        begun.elapsed().as_millis(),
        app.web_view_cpu_ms() - before
    );
}
