//! What `fettle dataset` does with versions and their checks, and `fettle trash`.

use std::path::Path;

use base::{Code, Error, Result};
use serde_json::{Value, json};

use super::{Context, rows, text};
use crate::args::data::TrashVerb;
use crate::print::table;

/// What changed, in numbers and with the first changed cells.
pub fn diff(context: &Context, request: Value, limit: u32) -> Result<u8> {
    let job = context.backend.run_job("dataset.diff", context.request(request.clone()), context.printer)?;
    let mut found = job.result.unwrap_or_default();
    let mut window = request;
    for (name, value) in [("what", json!("cells")), ("offset", json!(0)), ("limit", json!(limit))] {
        window[name] = value;
    }
    let page: Value = context.backend.call("dataset.changes", context.request(window))?;
    found["cells"] = page["cells"].clone();
    context.printer.result(&found, shown_diff);
    Ok(0)
}

fn shown_diff(found: &Value) -> String {
    let names = |list: &Value| {
        let names = list.as_array().into_iter().flatten().map(|column| text(&column["name"]));
        names.collect::<Vec<_>>().join(", ")
    };
    let key = found["key"]
        .as_array()
        .map_or_else(String::new, |key| key.iter().map(text).collect::<Vec<_>>().join(", "));
    let mut lines = vec![
        format!("version {} to version {}", found["from"], found["to"]),
        format!(
            "rows   {} added, {} removed, {} changed, {} as they were",
            found["addedRows"], found["removedRows"], found["changedRows"], found["unchangedRows"]
        ),
        format!("cells  {} changed", found["changedCells"]),
        match key.as_str() {
            "" => "rows were matched by their content: no column names them".to_owned(),
            key => format!("rows were matched by {key}"),
        },
    ];
    for (what, field) in [("added", "addedColumns"), ("removed", "removedColumns")] {
        if found[field].as_array().is_some_and(|columns| !columns.is_empty()) {
            lines.push(format!("columns {what}: {}", names(&found[field])));
        }
    }
    let cells: Vec<Vec<String>> = found["cells"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|cell| {
            let key = cell["key"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
            let row = if key.is_empty() { text(&cell["row"]) } else { key };
            vec![row, text(&cell["column"]), text(&cell["old"]), text(&cell["new"])]
        })
        .collect();
    if !cells.is_empty() {
        lines.push(table(&["row", "column", "before", "now"], &cells));
    }
    lines.join("\n")
}

/// Checks a version.
pub fn check(context: &Context, request: Value) -> Result<u8> {
    let job = context.backend.run_job("dataset.check", context.request(request), context.printer)?;
    let found = job.result.unwrap_or_default();
    context.printer.result(&found, |found| {
        let results = found["results"].as_array().map_or(&[][..], Vec::as_slice);
        if results.is_empty() {
            return "there are no checks yet: see `fettle dataset checks --suggest`".to_owned();
        }
        results.iter().map(check_line).collect::<Vec<_>>().join("\n")
    });
    Ok(if found["isUsable"] == true { 0 } else { Code::GateFailed.exit_code() })
}

/// A check and what came of it, in a line.
pub fn check_line(check: &Value) -> String {
    let word = match (check["outcome"].as_str(), check["isError"] == true) {
        (Some("passed"), _) => "passed",
        (Some("failed"), true) => "FAILED",
        (Some("failed"), false) => "warning",
        _ => "cannot be run",
    };
    let said = if check["error"].is_string() { &check["error"] } else { &check["measured"] };
    format!("{word:<8} {}: {}", text(&check["rule"]), text(said))
}

/// Shows, suggests or sets the checks of a dataset.
pub fn checks(context: &Context, dataset: &str, is_suggested: bool, set: Option<&Path>) -> Result<u8> {
    if let Some(file) = set {
        let text = std::fs::read_to_string(file).map_err(|e| Error::io("read", file, &e))?;
        let request = json!({ "dataset": dataset, "text": text });
        return context
            .show("dataset.set_checks", request, |_| format!("`{dataset}` is checked so from now on"));
    }
    let field = if is_suggested { "suggested" } else { "text" };
    context.show("dataset.checks", json!({ "dataset": dataset }), |checks| text(&checks[field]))
}

/// `fettle trash`, which is the workspace's and not a project's.
pub fn trash(context: &Context, verb: &TrashVerb) -> Result<u8> {
    let (backend, printer) = (&context.backend, context.printer);
    match verb {
        TrashVerb::List => {
            let list: Value = backend.call("trash.list", json!({}))?;
            printer.result(&list, |list| rows(list, &["kind", "name", "id", "deletedAt"], &["deletedAt"]));
        }
        TrashVerb::Restore { kind, id } => {
            let done: Value = backend.call("trash.restore", json!({ "kind": kind, "id": id }))?;
            printer.result(&done, |_| "it is back".to_owned());
        }
        TrashVerb::Empty => {
            let job = backend.run_job("trash.empty", json!({}), printer)?;
            printer.result(&job.result.unwrap_or_default(), |done| {
                format!("freed {}", base::bytes(done["freedBytes"].as_u64().unwrap_or(0)))
            });
        }
    }
    Ok(0)
}
