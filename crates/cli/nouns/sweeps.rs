//! `fettle sweep`.

use std::collections::BTreeMap;

use base::{Error, Result};
use serde_json::{Value, json};

use super::{Context, rows, text};
use crate::args::work::{SweepArgs, SweepBegin, SweepVerb};
use crate::print::table;

/// Runs `fettle sweep` and gives back the exit code.
pub fn sweep(context: &Context, args: &SweepArgs) -> Result<u8> {
    match &args.verb {
        None => begin(context, &args.begin),
        Some(SweepVerb::Start { sweep, threads }) => {
            run(context, "sweep.start", json!({ "name": sweep, "threads": threads }))
        }
        Some(SweepVerb::List) => context.show("sweep.list", json!({}), |list| {
            rows(
                list,
                &["name", "number", "pipeline", "state", "ended", "trials", "metric", "bestValue"],
                &[],
            )
        }),
        Some(SweepVerb::Show { sweep }) => context.show("sweep.show", json!({ "sweep": sweep }), shown),
        Some(SweepVerb::Pause { sweep }) => {
            context.show("sweep.pause", json!({ "sweep": sweep }), |_| "begins no more trials".to_owned())
        }
        Some(SweepVerb::Resume { sweep, threads }) => {
            run(context, "sweep.resume", json!({ "sweep": sweep, "threads": threads }))
        }
        Some(SweepVerb::Apply { sweep, trial }) => {
            let request = json!({ "sweep": sweep, "trial": trial });
            context.show("sweep.apply", request, |applied| {
                let (trial, pipeline) = (&applied["trial"], text(&applied["pipeline"]));
                format!("put trial {trial} into the draft of `{pipeline}`: {}", text(&applied["params"]))
            })
        }
    }
}

fn begin(context: &Context, begin: &SweepBegin) -> Result<u8> {
    let mut params = BTreeMap::new();
    for param in &begin.param {
        let (name, range) = param.split_once('=').ok_or_else(|| {
            Error::invalid(format!("`{}` names no parameter with its range", param.escape_debug()))
                .hint("write `step.parameter=low..high`, such as `boosting.learning_rate=0.01..0.3:log`")
        })?;
        params.insert(name.trim(), range.trim());
    }
    let larger_is_better = (begin.max || begin.min).then_some(begin.max);
    let spec = json!({
        "pipeline": begin.pipeline,
        "params": params,
        "metric": begin.metric,
        "largerIsBetter": larger_is_better,
        "step": begin.step,
        "on": begin.on,
        "method": begin.method.word(),
        "trials": begin.trials,
        "minutes": begin.minutes,
        "parallel": begin.parallel,
        "stop": begin.stop.word(),
        "seed": begin.seed,
    });
    run(context, "sweep.start", json!({ "name": begin.name, "spec": spec, "threads": begin.threads }))
}

/// Starts or continues a sweep, waits for its end and shows what came of it.
fn run(context: &Context, command: &str, request: Value) -> Result<u8> {
    let job = context.backend.run_job(command, context.request(request), context.printer)?;
    let run = job.subject["run"].as_str().unwrap_or_default();
    context.show("sweep.show", json!({ "sweep": run }), shown)
}

fn shown(sweep: &Value) -> String {
    let summary = &sweep["summary"];
    let trials = sweep["trials"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<String> = trials
        .first()
        .and_then(|trial| trial["params"].as_object())
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect();
    let metric = text(&summary["metric"]);
    let heading: Vec<&str> =
        ["trial", "state", &metric].into_iter().chain(names.iter().map(String::as_str)).collect();
    let line = |trial: &Value| {
        let mark = if trial["number"] == summary["best"] { " *" } else { "" };
        let fixed = [format!("{}{mark}", trial["number"]), text(&trial["state"]), text(&trial["value"])];
        fixed.into_iter().chain(names.iter().map(|name| text(&trial["params"][name]))).collect()
    };
    let lines = table(&heading, &trials.iter().map(line).collect::<Vec<Vec<String>>>());
    let shares = sweep["importance"].as_array().into_iter().flatten().map(|one| {
        let share = one["share"].as_f64().unwrap_or(0.0) * 100.0;
        format!("{} {} %", text(&one["name"]), base::number(share, 3))
    });
    let shares: Vec<String> = shares.collect();
    let mattered =
        if shares.is_empty() { String::new() } else { format!("\nwhat mattered: {}", shares.join(", ")) };
    format!(
        "sweep {} of {}: {}, {} of {} trials\n{lines}{mattered}",
        text(&summary["name"]),
        text(&summary["pipeline"]),
        text(&summary["state"]),
        summary["ended"],
        summary["trials"],
    )
}
