//! `fettle trigger`.

use base::Result;
use serde_json::{Value, json};

use super::{Context, rows, text};
use crate::args::work::{TriggerAdd, TriggerVerb};
use crate::print::table;

/// Runs a verb of `fettle trigger` and gives back the exit code.
pub fn trigger(context: &Context, verb: &TriggerVerb) -> Result<u8> {
    match verb {
        TriggerVerb::Add(add) => context.show("trigger.add", request(add)?, |made| {
            let next = times(&made["next"]);
            let first = if next.is_empty() { String::new() } else { format!(", next: {}", next.join(", ")) };
            let then = made["retrains"].as_str().map_or_else(String::new, |then| format!(" and {then}"));
            format!("runs {} {}{then}{first}", text(&made["pipeline"]), text(&made["when"]))
        }),
        TriggerVerb::List => context.show("trigger.list", json!({}), listed),
        TriggerVerb::Pause { trigger } => {
            context.show("trigger.pause", json!({ "trigger": trigger }), |_| "paused".to_owned())
        }
        TriggerVerb::Resume { trigger } => {
            context.show("trigger.resume", json!({ "trigger": trigger }), |_| "resumed".to_owned())
        }
        TriggerVerb::Remove { trigger } => {
            context.show("trigger.remove", json!({ "trigger": trigger }), |_| "removed".to_owned())
        }
        TriggerVerb::History { trigger } => {
            context.show("trigger.history", json!({ "trigger": trigger }), |events| {
                rows(events, &["at", "outcome", "run", "why"], &["at"])
            })
        }
    }
}

fn request(add: &TriggerAdd) -> Result<Value> {
    let path = add.path.as_deref().map(crate::absolute).transpose()?;
    Ok(json!({
        "name": add.name,
        "pipeline": add.pipeline,
        "dataset": add.dataset,
        "path": path,
        "schedule": add.schedule,
        "zone": add.zone,
        "after": add.after,
        "drift": add.drift,
        "retrain": add.retrain,
        "deploys": add.deploy,
        "skipsMissed": add.skip_missed,
        "settleSeconds": add.settle,
    }))
}

fn times(list: &Value) -> Vec<String> {
    let times = list.as_array().into_iter().flatten().filter_map(Value::as_i64);
    times.map(|at| base::Timestamp(at).to_string()).collect()
}

fn listed(list: &Value) -> String {
    let triggers = list.as_array().map_or(&[][..], Vec::as_slice);
    if triggers.is_empty() {
        return "none yet".to_owned();
    }
    let line = |trigger: &Value| {
        let state = match (trigger["trouble"].as_str(), trigger["isPaused"] == true) {
            (Some(trouble), _) => trouble.to_owned(),
            (None, true) => "paused".to_owned(),
            (None, false) if trigger["pending"].is_string() => "waits for the pipeline".to_owned(),
            (None, false) if trigger["isChanging"] == true => "settles".to_owned(),
            (None, false) => "looks".to_owned(),
        };
        vec![
            text(&trigger["name"]),
            text(&trigger["pipeline"]),
            text(&trigger["when"]),
            state,
            times(&trigger["next"]).into_iter().next().unwrap_or_default(),
            text(&trigger["last"]["why"]),
        ]
    };
    let heading = ["trigger", "pipeline", "when", "state", "next", "ran last because"];
    table(&heading, &triggers.iter().map(line).collect::<Vec<_>>())
}
