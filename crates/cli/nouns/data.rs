//! `fettle dataset`.

use base::{Error, Result};
use serde_json::{Value, json};

use super::{Context, keeping, rows, sources, text};
use crate::absolute;
use crate::args::data::{DatasetArgs, DatasetVerb};
use crate::print::table;

/// Runs a verb and gives back the exit code.
pub fn run(context: &Context, verb: &DatasetVerb) -> Result<u8> {
    match verb {
        DatasetVerb::Import { file, name, connection, query, max_size, options, target, folder } => {
            let wanted = sources::Wanted { name, options: options.as_deref(), max_size: *max_size, folder };
            let imported = match (file, connection, query) {
                (_, Some(connection), Some(query)) => sources::ask(context, connection, query, &wanted)?,
                (Some(file), ..) => sources::import(context, file, &wanted)?,
                (None, ..) => return Err(Error::invalid("nothing was named that could be imported")),
            };
            if let Some(target) = target {
                let request = json!({ "dataset": imported["dataset"], "target": target });
                let _: Value = context.backend.call("dataset.set_target", context.request(request))?;
            }
            Ok(0)
        }
        DatasetVerb::Reread { which, options } => sources::reread(context, pick(which), options),
        DatasetVerb::Sniff { file, folder } => {
            let request = sources::with_folder(json!({ "path": absolute(file)? }), folder);
            let reply: Value = context.backend.call("dataset.sniff", request)?;
            context.printer.result(&reply, |reply| {
                let warnings = reply["warnings"].as_array().into_iter().flatten().map(text);
                let head = format!("{}\n{}", reply["options"], cells(reply));
                std::iter::once(head).chain(warnings).collect::<Vec<_>>().join("\n")
            });
            Ok(0)
        }
        DatasetVerb::List => context.show("dataset.list", json!({}), |list| {
            rows(list, &["name", "version", "rows", "columns", "target", "createdAt"], &["createdAt"])
        }),
        DatasetVerb::Show(which) => show(context, which),
        DatasetVerb::Profile(which) => context.show("dataset.profile", pick(which), profile),
        DatasetVerb::Rejected(which) => context.show("dataset.rejected", pick(which), |list| {
            rows(list, &["file", "line", "reason", "excerpt"], &[])
        }),
        DatasetVerb::Query { sql, to: Some(to), .. } => {
            let is_parquet = to.extension().is_some_and(|extension| extension == "parquet");
            let format = if is_parquet { "parquet" } else { "csv" };
            let request = json!({ "sql": sql, "to": absolute(to)?, "format": format });
            context.job("dataset.query_export", request, |_| format!("wrote {}", to.display()))?;
            Ok(0)
        }
        DatasetVerb::Query { sql, limit, to: None } => {
            context.show("dataset.query", json!({ "sql": sql, "limit": limit }), cells)
        }
        DatasetVerb::Target { dataset, column } => {
            let request = json!({ "dataset": dataset, "target": column });
            context
                .show("dataset.set_target", request, |_| format!("models of `{dataset}` predict `{column}`"))
        }
        DatasetVerb::Diff { dataset, from, to, key, limit } => {
            let request = json!({ "dataset": dataset, "from": from, "to": to, "key": key });
            keeping::diff(context, request, *limit)
        }
        DatasetVerb::Check(which) => keeping::check(context, pick(which)),
        DatasetVerb::Checks { dataset, suggest, set } => {
            keeping::checks(context, dataset, *suggest, set.as_deref())
        }
        DatasetVerb::Report { which, to, compare_with } => {
            let mut request = pick(which);
            request["to"] = json!(absolute(to)?);
            request["compareWith"] = json!(compare_with);
            context.job("dataset.report", request, |_| format!("wrote {}", to.display()))?;
            Ok(0)
        }
        DatasetVerb::Tag { dataset, tag, version } => {
            let request = json!({ "dataset": dataset, "tag": tag, "version": version });
            context.show("dataset.tag", request, |_| match version {
                Some(version) => format!("version {version} of `{dataset}` is `{tag}`"),
                None => format!("no version of `{dataset}` is `{tag}` any more"),
            })
        }
        DatasetVerb::Follow { dataset, file, propose } => {
            let path = file.as_deref().map(absolute).transpose()?;
            let mode = if *propose { "proposal" } else { "version" };
            let request = json!({ "dataset": dataset, "path": path, "mode": mode });
            context.show("dataset.follow", request, |_| match &path {
                Some(path) => format!("`{dataset}` follows {path} while a daemon runs"),
                None => format!("`{dataset}` follows nothing"),
            })
        }
        DatasetVerb::Delete(which) => context.show("dataset.delete", pick(which), |picked| {
            format!(
                "moved to the trash; back with `fettle trash restore {} {}`",
                text(&picked["kind"]),
                text(&picked["id"])
            )
        }),
        DatasetVerb::Export { which, to, format } => {
            let mut request = pick(which);
            request["to"] = json!(absolute(to)?);
            request["format"] = json!(format.word());
            context.job("dataset.export", request, |_| format!("wrote {}", to.display()))?;
            Ok(0)
        }
    }
}

fn pick(which: &DatasetArgs) -> Value {
    json!({ "dataset": which.dataset, "version": which.version })
}

/// What came of an import.
pub fn imported(result: &Value) -> String {
    let head = if result["isNew"] == true {
        format!(
            "{} v{}: {} rows, {} columns",
            text(&result["dataset"]),
            result["version"],
            result["rows"],
            result["columns"]
        )
    } else {
        format!("this is {} v{} already; nothing was added", text(&result["dataset"]), result["version"])
    };
    let mut lines = vec![head];
    if let Some(taken_over) = result["takenOverBytes"].as_u64().filter(|bytes| *bytes > 0) {
        lines.push(format!("{} were read by an import that was interrupted", base::bytes(taken_over)));
    }
    let checks = result["checks"].as_array().into_iter().flatten();
    lines.extend(checks.filter(|check| check["outcome"] != "passed").map(keeping::check_line));
    if result["rejectedRows"].as_u64().unwrap_or(0) > 0 {
        lines.push(format!("{} lines were rejected: see `fettle dataset rejected`", result["rejectedRows"]));
    }
    lines.extend(
        result["warnings"].as_array().into_iter().flatten().map(|warning| format!("note: {}", text(warning))),
    );
    lines.join("\n")
}

fn show(context: &Context, which: &DatasetArgs) -> Result<u8> {
    let mut detail: Value = context.backend.call("dataset.show", context.request(pick(which)))?;
    let mut request = pick(which);
    request["offset"] = json!(0);
    request["limit"] = json!(10);
    let page: Value = context.backend.call("dataset.page", context.request(request))?;
    detail["page"] = page;
    context.printer.result(&detail, |detail| {
        format!(
            "{} v{}: {} rows, {} columns, target {}\n{}",
            text(&detail["name"]),
            detail["version"],
            detail["rows"],
            detail["columns"].as_array().map_or(0, Vec::len),
            detail["target"].as_str().unwrap_or("not chosen"),
            cells(&detail["page"]),
        )
    });
    Ok(0)
}

fn profile(profile: &Value) -> String {
    let heading = ["column", "kind", "missing", "distinct", "min", "median", "max", "top"];
    let lines = profile["columns"].as_array().into_iter().flatten().map(|column| {
        let numbers = &column["numbers"];
        let top = column["top"].as_array().into_iter().flatten().take(3);
        vec![
            text(&column["name"]),
            text(&column["kind"]),
            text(&column["missing"]),
            text(&column["distinct"]),
            text(&numbers["min"]),
            text(&numbers["quantiles"][3]),
            text(&numbers["max"]),
            top.map(|one| format!("{} ({})", text(&one["value"]), one["count"]))
                .collect::<Vec<_>>()
                .join(", "),
        ]
    });
    table(&heading, &lines.collect::<Vec<_>>())
}

/// A page of cells as a table.
pub fn cells(page: &Value) -> String {
    let names: Vec<&str> = page["columns"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|column| column["name"].as_str())
        .collect();
    let rows = page["rows"].as_array().into_iter().flatten();
    let rows =
        rows.map(|row| row.as_array().into_iter().flatten().map(text).collect()).collect::<Vec<Vec<_>>>();
    table(&names, &rows)
}
