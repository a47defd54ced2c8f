//! `fettle run list` with a look of its own, saved views, and marks on many runs at once.

use std::collections::BTreeMap;

use base::{Error, Result};
use serde_json::{Value, json};

use super::{Context, text};
use crate::args::{LookArgs, MarkArgs};
use crate::print::table;

/// Prints a table of runs, or of groups of them.
pub fn list(context: &Context, args: &LookArgs, pipeline: Option<&str>, limit: u32) -> Result<u8> {
    let mut look = look(context, args)?;
    if let Some(pipeline) = pipeline {
        let sign = if pipeline.contains('\'') { '"' } else { '\'' };
        let filter = format!("pipeline = {sign}{pipeline}{sign}");
        let said = text(&look["filter"]);
        look["filter"] = json!(if said.trim().is_empty() { filter } else { format!("{said} and {filter}") });
    }
    let columns: Vec<String> = look["columns"].as_array().into_iter().flatten().map(text).collect();
    let request = json!({ "look": look, "limit": limit });
    if look["group"].is_string() {
        return context.show("run.groups", request, |page| groups(page, &text(&look["group"]), &columns));
    }
    context.show("run.table", request, |page| rows(page, &columns))
}

/// The view that is named, with what was said in its place.
fn look(context: &Context, args: &LookArgs) -> Result<Value> {
    let mut look = match &args.view {
        Some(name) => saved(context, name)?,
        None => json!({ "columns": suggested(context, args)? }),
    };
    for (key, said) in [("experiment", &args.experiment), ("filter", &args.filter), ("group", &args.group)] {
        if let Some(said) = said {
            look[key] = json!(said);
        }
    }
    for (key, said) in [("order", &args.order), ("columns", &args.column)] {
        if !said.is_empty() {
            look[key] = json!(said);
        }
    }
    Ok(look)
}

fn saved(context: &Context, name: &str) -> Result<Value> {
    let views: Value = context.backend.call("run.views", context.request(json!({})))?;
    let found = views.as_array().into_iter().flatten().find(|view| view["name"] == name);
    let found = found.ok_or_else(|| {
        Error::not_found(format!("there is no view of runs `{name}`")).hint("see `fettle run views`")
    })?;
    Ok(found["look"].clone())
}

/// The columns that are worth it when none are named.
fn suggested(context: &Context, args: &LookArgs) -> Result<Value> {
    if !args.column.is_empty() {
        return Ok(json!([]));
    }
    let columns: Value = context.backend.call("run.columns", context.request(json!({})))?;
    Ok(columns["suggested"].clone())
}

fn rows(page: &Value, columns: &[String]) -> String {
    let heading = ["run", "name", "experiment", "state", "started"].into_iter();
    let heading: Vec<&str> = heading.chain(columns.iter().map(String::as_str)).collect();
    let shown = page["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = shown.iter().map(|row| {
        let mark = if row["isStarred"] == true { "*" } else { "" };
        let started = base::Timestamp(row["startedAt"].as_i64().unwrap_or(0)).to_string();
        let own = [format!("#{}{mark}", row["number"]), text(&row["name"]), text(&row["experiment"])];
        let cells = row["cells"].as_array().into_iter().flatten().map(text);
        own.into_iter().chain([text(&row["state"]), started]).chain(cells).collect()
    });
    let lines: Vec<Vec<String>> = lines.collect();
    if lines.is_empty() {
        return "no run fits".to_owned();
    }
    format!("{}\n{} of {} runs", table(&heading, &lines), lines.len(), page["total"])
}

fn groups(page: &Value, by: &str, columns: &[String]) -> String {
    let heading: Vec<&str> = [by, "runs"].into_iter().chain(columns.iter().map(String::as_str)).collect();
    let shown = page["groups"].as_array().map_or(&[][..], Vec::as_slice);
    let stat = |stat: &Value| match (stat["mean"].as_f64(), stat["deviation"].as_f64()) {
        (None, _) => String::new(),
        (Some(mean), None) => base::number(mean, 5),
        (Some(mean), Some(deviation)) => {
            format!("{} ± {}", base::number(mean, 5), base::number(deviation, 2))
        }
    };
    let lines = shown.iter().map(|group| {
        let value = group["value"].as_str().unwrap_or("(none)").to_owned();
        let stats = group["stats"].as_array().into_iter().flatten().map(stat);
        [value, group["runs"].to_string()].into_iter().chain(stats).collect()
    });
    let lines: Vec<Vec<String>> = lines.collect();
    if lines.is_empty() { "no run fits".to_owned() } else { table(&heading, &lines) }
}

/// Prints the saved views.
pub fn views(context: &Context) -> Result<u8> {
    context.show("run.views", json!({}), |views| {
        let lines = views.as_array().into_iter().flatten().map(|view| {
            let said = ["filter", "order", "group", "columns"].map(|key| text(&view["look"][key]));
            std::iter::once(text(&view["name"])).chain(said).collect()
        });
        let lines: Vec<Vec<String>> = lines.collect();
        if lines.is_empty() {
            return "none yet; `fettle run save-view` saves one".to_owned();
        }
        table(&["view", "filter", "order", "group", "columns"], &lines)
    })
}

/// Saves a view.
pub fn save_view(context: &Context, name: &str, args: &LookArgs) -> Result<u8> {
    let request = json!({ "name": name, "look": look(context, args)? });
    context.show("run.save_view", request, |_| format!("saved view `{name}`"))
}

/// Puts marks on runs.
pub fn mark(context: &Context, args: &MarkArgs) -> Result<u8> {
    let mut tags = BTreeMap::new();
    for tag in &args.tags {
        let (key, value) = tag.split_once('=').ok_or_else(|| {
            Error::invalid(format!("`{tag}` has no `=`")).hint("write a tag as `key=value`")
        })?;
        tags.insert(key, value);
    }
    let star = (args.star || args.no_star).then_some(args.star);
    let request = json!({
        "runs": named(context, &args.runs), "star": star, "color": args.color, "note": args.note, "tags": tags,
        "removeTags": args.remove_tags,
    });
    let _: Value = context.backend.call("run.mark", request)?;
    context.printer.note(&format!("marked {} runs", args.runs.len()));
    Ok(0)
}

/// Moves runs to the trash or out of it.
pub fn moved(context: &Context, command: &str, runs: &[String]) -> Result<u8> {
    let _: Value = context.backend.call(command, json!({ "runs": named(context, runs) }))?;
    context.printer.note(&format!("moved {} runs", runs.len()));
    Ok(0)
}

/// Runs by ids or numbers, which count in the project that was named.
fn named(context: &Context, runs: &[String]) -> Vec<String> {
    runs.iter().map(|run| context.run(run)).collect()
}
