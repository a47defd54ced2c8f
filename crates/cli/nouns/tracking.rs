//! `fettle track`: where scripts log to; and stores of MLflow, in and out.

use std::path::Path;

use base::{Code, Error, Result};
use serde_json::{Value, json};

use super::{Context, text};
use crate::args::TrackVerb;
use crate::print::table;

/// Runs a verb.
///
/// # Errors
/// Whatever the command refuses.
pub(super) fn run(context: &Context, verb: &TrackVerb) -> Result<u8> {
    match verb {
        TrackVerb::Serve { .. } => Err(Error::internal("this verb is handled elsewhere")),
        TrackVerb::Url => {
            let info: Value = context.backend.call("tracking.info", json!({}))?;
            if info["url"].is_null() {
                return Err(Error::new(Code::Unavailable, "nothing takes what scripts log")
                    .hint("start `fettle track serve`, or open the window"));
            }
            context.printer.result(&info, |info| {
                let lines = info["environment"].as_array().into_iter().flatten();
                let line = |pair: &Value| format!("export {}={}", text(&pair[0]), text(&pair[1]));
                lines.map(line).collect::<Vec<_>>().join("\n")
            });
            Ok(0)
        }
        TrackVerb::Import { path, artifacts } => {
            let artifacts = artifacts
                .iter()
                .map(|folder| crate::absolute(Path::new(folder)))
                .collect::<Result<Vec<_>>>()?;
            let request = json!({ "path": crate::absolute(Path::new(path))?, "artifacts": artifacts });
            let job = context.backend.run_job("tracking.import", request, context.printer)?;
            context.printer.result(&job.result.unwrap_or_default(), |moved| {
                let end = if moved["isChanged"] == true {
                    "taken in"
                } else {
                    "all of it was here: nothing changed"
                };
                shown(moved, end)
            });
            Ok(0)
        }
        TrackVerb::Export { path } => {
            let request = json!({ "to": crate::absolute(Path::new(path))? });
            let job = context.backend.run_job("tracking.export", request, context.printer)?;
            context.printer.result(&job.result.unwrap_or_default(), |moved| {
                let how = "MLflow 3 opens it with MLFLOW_ALLOW_FILE_STORE=true; `mlflow migrate-filestore` makes a \
                           database of it";
                shown(moved, how)
            });
            Ok(0)
        }
    }
}

/// What was moved, as a table of counts, and then what there is to know.
fn shown(moved: &Value, end: &str) -> String {
    let list = |name: &str| moved[name].as_array().cloned().unwrap_or_default();
    let columns = ["found", "added", "same", "conflicts", "skipped"];
    let row = |count: &Value| {
        let what = text(&count["what"]).replace('_', " ");
        std::iter::once(what).chain(columns.iter().map(|name| text(&count[*name]))).collect::<Vec<_>>()
    };
    let counts: Vec<_> = list("counts").iter().map(row).collect();
    let mut lines = vec![text(&moved["source"])];
    if !counts.is_empty() {
        lines.push(table(&["", "found", "added", "same", "conflicts", "skipped"], &counts));
    }
    lines.extend(list("notes").iter().map(|note| format!("{}: {}", text(&note["what"]), text(&note["why"]))));
    let more = moved["moreNotes"].as_u64().unwrap_or(0);
    if more > 0 {
        lines.push(format!("and {more} more like these"));
    }
    lines.push(end.to_owned());
    lines.join("\n")
}
