//! A table of five thousand columns in the real window: what it costs to open it, to move in it and to
//! find something in it.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::app::App;

const COLUMNS: usize = 5_000;
const ROWS: usize = 2_000;
/// The page holds about this many elements for any table; twice of it is a table that is not cut to
/// what is seen.
const MOST_ELEMENTS: u64 = 3_000;
const IMPORT: Duration = Duration::from_secs(300);

#[test]
#[ignore = "measures for minutes what a test beside the pages proves: run it by its name"]
fn five_thousand_columns_are_scrolled_and_searched() {
    let app = App::start();
    app.await_daemon();
    app.session().resize(1280, 800);
    app.rpc("project.new", json!({ "name": "Wide" })).expect("a project");
    let file = app.scratch().join("wide.csv");
    write_table(&file);
    let begun = Instant::now();
    import(&app, &file);
    println!("imported in {:.1} s", begun.elapsed().as_secs_f64());

    let begun = Instant::now();
    app.script("location.hash = '#/data/wide'").expect("the page goes there");
    app.find("column-gene_0001");
    println!("opened with its headers in {} ms", begun.elapsed().as_millis());
    for (name, axis) in [("sideways", "scrollLeft"), ("down", "scrollTop")] {
        let frames = scroll(&app, axis);
        println!("scrolled {name}: {frames}");
    }
    bounded(&app);

    let begun = Instant::now();
    app.type_into("find-column", "gene_4321");
    app.press(&["\u{E007}"]);
    app.find("column-gene_4321");
    println!("found a column in {} ms", begun.elapsed().as_millis());
    let begun = Instant::now();
    app.click("column-gene_4321");
    app.find("column-panel");
    println!("opened its panel in {} ms", begun.elapsed().as_millis());
    bounded(&app);

    let begun = Instant::now();
    app.click("data-tab-columns");
    app.find("columns-list");
    println!("listed the columns in {} ms", begun.elapsed().as_millis());
}

/// Every tenth column holds texts, the others numbers.
fn write_table(file: &Path) {
    let name = |at: usize| format!("gene_{at:04}");
    let mut text = (0..COLUMNS).map(name).collect::<Vec<_>>().join(",");
    for row in 0..ROWS {
        text.push('\n');
        for at in 0..COLUMNS {
            let comma = if at == 0 { "" } else { "," };
            let written = match at % 10 {
                0 => write!(text, "{comma}{}", ["a", "b", "c", "d"][(row * 7 + at) % 4]),
                _ => write!(text, "{comma}{}.{}", (row * 31 + at * 17) % 100, row % 10),
            };
            written.expect("a text takes everything");
        }
    }
    std::fs::write(file, text).expect("the table is written");
}

/// Longer than a window usually waits for a job.
fn import(app: &App, file: &Path) {
    let started = app.rpc("dataset.import", json!({ "path": file })).expect("the import starts");
    let begun = Instant::now();
    loop {
        let job = app.rpc("job.show", json!({ "jobId": started["jobId"] })).expect("the job is known");
        assert!(job["error"].is_null() && begun.elapsed() < IMPORT, "{job}");
        if job["state"] == "done" {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Moves the table by more than a window in each of a hundred frames, and says how long they took.
fn scroll(app: &App, axis: &str) -> Value {
    const SCROLL: &str = "const axis = arguments[0], done = arguments[1], took = []
        const table = document.querySelector('[data-testid=data-grid]')
        let last = performance.now()
        const step = () => {
          const now = performance.now()
          took.push(now - last)
          last = now
          if (took.length > 100) {
            took.shift()
            took.sort((a, b) => a - b)
            return done({ medianMs: Math.round(took[50]), slowestMs: Math.round(took[99]) })
          }
          table[axis] += 900
          requestAnimationFrame(step)
        }
        requestAnimationFrame(step)";
    app.session().script_async(SCROLL, &[json!(axis)]).expect("the table moves")
}

fn bounded(app: &App) {
    let elements = app.script("return document.querySelectorAll('*').length").expect("a number");
    println!("the page has {elements} elements");
    assert!(elements.as_u64().is_some_and(|count| count < MOST_ELEMENTS), "{elements}");
}
