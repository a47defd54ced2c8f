//! Reports, each format, of runs made by hand.

use std::collections::BTreeMap;

use flow::file::Pipeline;

use super::*;
use crate::commands::documents::PipelineDoc;
use crate::commands::runs::{DatasetLink, LoggedMetric, RunSummary, ScriptRunView, StepRunView};
use crate::rpc::Failure;

fn model(step: &str, metrics: &[(&str, f64)], is_best: bool) -> TrainedModel {
    TrainedModel {
        step: step.to_owned(),
        trainer: "Random forest".to_owned(),
        params: BTreeMap::from([("trees".to_owned(), 100.into())]),
        metrics: metrics.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        is_best,
        registered: None,
    }
}

fn step(name: &str, state: StepState, error: Option<&str>) -> StepRunView {
    StepRunView {
        step: name.to_owned(),
        kind: "train_forest".to_owned(),
        state,
        reasons: vec!["the first run".to_owned()],
        progress: None,
        stage: None,
        started_at: None,
        duration_ms: Some(1500),
        cpu_ms: None,
        max_memory_bytes: None,
        input_bytes: None,
        output_bytes: None,
        tries: Vec::new(),
        metrics: BTreeMap::new(),
        environment: BTreeMap::new(),
        error: error.map(failure),
        summary: None,
        outputs: Vec::new(),
    }
}

fn failure(message: &str) -> Failure {
    base::Error::invalid(message).hint("look at it").into()
}

fn run(number: u32, models: Vec<TrainedModel>) -> RunDetail {
    RunDetail {
        summary: RunSummary {
            id: format!("{number:032}"),
            number,
            pipeline: "birds".to_owned(),
            name: None,
            experiment: None,
            state: RunState::Done,
            started_at: 0,
            duration_ms: Some(3200),
            cached: 1,
            steps: 2,
            metrics: BTreeMap::new(),
            best_step: None,
            datasets: vec![DatasetLink { dataset: "birds".to_owned(), version: 2 }],
            models: Vec::new(),
            note: None,
        },
        doc: PipelineDoc::from(&Pipeline::of("birds", Vec::new())),
        steps: vec![step("load", StepState::Cached, None), step("forest", StepState::Done, None)],
        error: None,
        environment: BTreeMap::new(),
        models,
        script: None,
        origin: None,
        resumed_by: Vec::new(),
    }
}

fn pair() -> Report {
    let before = run(7, vec![model("forest", &[("auc", 0.9), ("log_loss", 0.3)], true)]);
    let mut now = model("forest", &[("auc", 0.931), ("log_loss", 0.35)], true);
    now.params.insert("trees".to_owned(), 200.into());
    Report { run: run(12, vec![now]), against: Some(before), figures: Vec::new() }
}

fn failed() -> Report {
    let mut failed = run(3, Vec::new());
    failed.summary.state = RunState::Failed;
    failed.steps = vec![
        step("load", StepState::Done, None),
        step("forest", StepState::Failed, Some("`x|y` has no <b> & no \"c\"")),
        step("check", StepState::Blocked, None),
    ];
    Report { run: failed, against: None, figures: Vec::new() }
}

#[test]
fn a_comment_says_how_each_metric_moved_and_whether_that_is_good() {
    let text = markdown::write(&pair());
    assert!(text.starts_with("## birds, run 12: succeeded, 3.2 s, 1 of 2 steps from the cache\n"), "{text}");
    assert!(text.contains("Data: birds v2; compared with birds, run 7."), "{text}");
    assert!(text.contains("0.931 (+0.031, better)"), "{text}");
    assert!(text.contains("0.35 (+0.05, worse)"), "a larger loss is worse: {text}");
    assert!(text.contains("| forest | trees | 100 | 200 |"), "{text}");
}

#[test]
fn a_model_that_was_not_there_is_compared_only_if_it_is_the_best() {
    let mut report = pair();
    report.run.models[0].step = "boosted".to_owned();
    assert!(report.before(&report.run.models[0]).is_some());
    report.run.models[0].is_best = false;
    assert!(report.before(&report.run.models[0]).is_none());
}

#[test]
fn what_failed_is_told_in_every_format_and_breaks_none() {
    let report = failed();
    let comment = markdown::write(&report);
    assert!(
        comment.contains("- **forest** failed: `x\\|y` has no &lt;b> & no \"c\" (look at it)"),
        "{comment}"
    );
    let xml = junit::write(&report);
    assert!(xml.contains("tests=\"4\" failures=\"1\" errors=\"0\" skipped=\"1\""), "{xml}");
    assert!(xml.contains("<failure message=\"`x|y` has no &lt;b&gt; &amp; no &quot;c&quot;\">"), "{xml}");
    assert!(xml.contains("<skipped message=\"not run\"/>"), "{xml}");
    let page = html::write(&report).expect("a page");
    assert!(page.contains("has no &lt;b&gt; &amp; no"), "{page}");
}

#[test]
fn a_run_that_failed_before_its_steps_is_a_failed_case_itself() {
    let mut report = failed();
    report.run.steps.clear();
    report.run.error = Some(failure("no such dataset"));
    let xml = junit::write(&report);
    assert!(xml.contains("tests=\"1\" failures=\"1\""), "{xml}");
    assert!(xml.contains("name=\"run\"><failure message=\"no such dataset\">"), "{xml}");
}

#[test]
fn metrics_are_written_as_openmetrics_wants_them() {
    let mut report = pair();
    report.run.models[0].step = "a \"b\"\\".to_owned();
    report.run.models[0].metrics.insert("gain".to_owned(), f64::INFINITY);
    let text = openmetrics::write(&report);
    let line = "fettle_metric{pipeline=\"birds\",step=\"a \\\"b\\\"\\\\\",metric=\"auc\"} 0.931\n";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("metric=\"gain\"} +Inf\n"), "{text}");
    assert!(text.contains("fettle_step_seconds{pipeline=\"birds\",step=\"forest\"} 1.5\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn what_a_script_logged_is_told() {
    let mut report = pair();
    report.run.models.clear();
    report.run.script = Some(ScriptRunView {
        experiment: "birds".to_owned(),
        user: "ann".to_owned(),
        parent: None,
        metrics: vec![LoggedMetric { key: "val/loss".to_owned(), value: Some(0.25), step: 9, points: 10 }],
        params: vec![("lr".to_owned(), "0.1".to_owned())],
        tags: Vec::new(),
        datasets: Vec::new(),
        models: Vec::new(),
    });
    assert!(markdown::write(&report).contains("| val/loss | 0.25 |"));
    assert!(openmetrics::write(&report).contains("fettle_metric{metric=\"val/loss\"} 0.25\n"));
    let page = html::write(&report).expect("a page");
    assert!(page.contains("<td>lr</td><td>0.1</td>"), "{page}");
}

#[test]
fn figures_that_make_a_page_too_large_are_left_out_and_counted() {
    let points: Vec<[f64; 2]> = (0..400).map(|at| [f64::from(at), (f64::from(at) * 0.7).sin()]).collect();
    let figure = Figure::Curves { metric: "loss".to_owned(), train: points, validation: Vec::new() };
    let mut report = pair();
    report.figures = vec![("forest".to_owned(), vec![figure; 400])];
    let page = html::write(&report).expect("a page");
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert!(page.contains("figures would make the page too large"));
}
