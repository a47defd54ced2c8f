//! `fettle monitor retrain`, what is proposed, what was tried, and the channels of alerts.

use base::{Code, Error, Result};
use serde_json::{Value, json};

use super::models::checks;
use super::{Context, rows, text};
use crate::print::table;

/// Retrains a deployment and gives back the exit code.
pub(super) fn retrain(context: &Context, request: Value) -> Result<u8> {
    let done = context.job("monitor.retrain", request, |done| {
        let version = &done["version"];
        let last = match done["outcome"].as_str().unwrap_or_default() {
            "unchanged" => "the data have not changed, so neither has the model".to_owned(),
            "refused" => format!("version {version} was refused"),
            "proposed" => format!("version {version} is proposed: `fettle monitor accept` deploys it"),
            _ => format!("version {version} serves"),
        };
        let taken = match done["rowsTaken"].as_u64() {
            Some(rows) if rows > 0 => format!("{rows} requests were added to the data\n"),
            _ => String::new(),
        };
        let gate =
            if done["gate"].is_object() { format!("{}\n", checks(&done["gate"])) } else { String::new() };
        format!("{taken}{gate}{}{last}", compared(&done["comparison"]))
    })?;
    Ok(if done["outcome"] == "refused" { Code::GateFailed.exit_code() } else { 0 })
}

/// Shows what is proposed and gives back the exit code.
pub(super) fn proposal(context: &Context, deployment: &str) -> Result<u8> {
    let request = context.request(json!({ "deployment": deployment }));
    let found: Value = context.backend.call("monitor.proposal", request)?;
    if found.is_null() {
        return Err(Error::not_found(format!("nothing is proposed for `{deployment}`"))
            .hint("see `fettle monitor retrain`"));
    }
    context.printer.result(&found, |found| {
        format!(
            "{} v{} for v{}, because {}\n{}{}",
            text(&found["model"]),
            found["version"],
            found["champion"],
            text(&found["because"]),
            compared(&found["comparison"]),
            checks(&found["gate"])
        )
    });
    Ok(0)
}

fn compared(found: &Value) -> String {
    if found.is_null() {
        return String::new();
    }
    format!(
        "{}: {} against {} of what serves, over {} fresh rows\n",
        text(&found["metricTitle"]),
        text(&found["challenger"]),
        text(&found["champion"]),
        found["rows"]
    )
}

/// What would change if another version answered.
pub(super) fn rehearsed(found: &Value) -> String {
    let lines = |list: &Value, fields: &[&str]| -> Vec<Vec<String>> {
        let list = list.as_array().into_iter().flatten();
        list.map(|one| fields.iter().map(|field| text(&one[*field])).collect()).collect()
    };
    let quality = match found["candidateValue"].is_null() {
        true => String::new(),
        false => format!(
            "{} over {} labelled rows: {} against {}\n",
            text(&found["metricTitle"]),
            found["labelled"],
            text(&found["candidateValue"]),
            text(&found["championValue"])
        ),
    };
    format!(
        "v{} would answer {} of {} rows otherwise than v{}\n{quality}microseconds a row, median and 95 %: {} against {}\n\n{}\n\n{}",
        found["candidate"],
        found["changed"],
        found["rows"],
        found["champion"],
        found["candidateUs"],
        found["championUs"],
        table(&["from", "to", "rows"], &lines(&found["moves"], &["from", "to", "rows"])),
        table(&["group", "rows", "changed"], &lines(&found["groups"], &["name", "rows", "value"]))
    )
}

/// What policies would have brought.
pub(super) fn backtested(found: &Value) -> String {
    let lines = found["policies"].as_array().into_iter().flatten().map(|one| {
        let promotions = one["promotedAfter"].as_array().map_or(0, Vec::len).to_string();
        let fields = ["policy", "value", "worst", "trainings"].iter().map(|field| text(&one[*field]));
        fields.chain([promotions, text(&one["trainMs"])]).collect()
    });
    let metric = text(&found["metricTitle"]).to_lowercase();
    let heading = ["policy", metric.as_str(), "worst window", "trainings", "promotions", "ms of training"];
    let order =
        found["orderBy"].as_str().map_or_else(|| "as they lie".to_owned(), |column| format!("by `{column}`"));
    format!(
        "{} windows of {} in order {order}, after {} rows to begin with\n{}",
        found["windows"].as_array().map_or(0, Vec::len),
        text(&found["dataset"]),
        found["firstRows"],
        table(&heading, &lines.collect::<Vec<Vec<_>>>())
    )
}

/// Shows the channels of a project, after setting them if a file is named.
pub(super) fn channels(context: &Context, set: Option<&std::path::Path>) -> Result<u8> {
    if let Some(path) = set {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io("read", path, &e))?;
        let request = context.request(json!({ "text": text }));
        let _: Value = context.backend.call("alert.set_channels", request)?;
    }
    context.show("alert.channels", json!({}), |found| {
        let trouble = found["trouble"].as_str().map_or_else(String::new, |trouble| format!("\n{trouble}"));
        format!("{}{trouble}", rows(&found["channels"], &["name", "way", "deployments"], &[]))
    })
}
