//! Reports of runs, by the command line: printed, written, compared.

mod testkit;

use testkit::World;

#[test]
fn a_run_is_told_as_a_comment_a_page_cases_and_metrics() {
    let world = World::new();
    world.ok(&["demo", "--stop"]);
    world.ok(&["-p", "demo", "pipeline", "run", "penguins"]);
    let printed = world.ok(&["-p", "demo", "run", "report", "2", "--against", "1"]);
    let text = printed["text"].as_str().expect("a text");
    assert!(text.starts_with("## penguins, run 2: succeeded"), "{text}");
    assert!(text.contains("compared with penguins, run 1"), "{text}");
    assert!(!text.contains("better") && !text.contains("worse"), "the same models: {text}");

    let page = world.path("report.html");
    let saved = world.ok(&["-p", "demo", "run", "report", "1", "--to", testkit::text(&page)]);
    let html = std::fs::read_to_string(&page).expect("it was written");
    assert_eq!(saved["bytes"], html.len());
    assert!(html.matches("<svg").count() >= 6, "figures of three models");
    assert!(html.len() < 2_000_000 && !html.contains("<script"), "{}", html.len());
    assert!(!html.contains("http://") || !html.contains("src="), "nothing comes from elsewhere");
    let error = world.fails(2, &["-p", "demo", "run", "report", "1", "--to", testkit::text(&page)]);
    assert!(error.to_string().contains("is there already"), "{error}");

    let cases = world.path("cases.xml");
    world.ok(&["-p", "demo", "run", "report", "1", "--to", testkit::text(&cases)]);
    let xml = std::fs::read_to_string(&cases).expect("it was written");
    assert!(xml.contains("failures=\"0\"") && xml.contains("classname=\"train_forest\""), "{xml}");
    let metrics = world.ok(&["-p", "demo", "run", "report", "1", "--format", "openmetrics"]);
    let metrics = metrics["text"].as_str().expect("a text");
    assert!(metrics.contains("metric=\"auc\"} 0.9") || metrics.contains("metric=\"auc\"} 1"), "{metrics}");

    let error = world.fails(2, &["-p", "demo", "run", "report", "1", "--to", "report.pdf"]);
    assert!(error.to_string().contains("names no kind of report"), "{error}");
}

#[test]
fn the_number_of_a_run_counts_in_the_project_that_is_named() {
    let world = World::new();
    world.ok(&["demo", "--stop"]);
    let id = world.ok(&["-p", "demo", "run", "show", "1"])["summary"]["id"].clone();
    world.ok(&["project", "new", "other"]);
    world.fails(2, &["run", "show", "1"]);
    for words in [["-p", "demo", "run", "show", "#1"], ["-p", "other", "run", "show", "demo#1"]] {
        assert_eq!(world.ok(&words)["summary"]["id"], id);
    }
    assert_eq!(world.ok(&["-p", "demo", "run", "files", "1"]), serde_json::json!([]));
}
