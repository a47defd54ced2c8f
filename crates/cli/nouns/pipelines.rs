//! `fettle pipeline` and `fettle run`.

use std::collections::BTreeMap;
use std::path::Path;

use base::{Code, Error, Result};
use serde_json::{Map, Value, json};

use super::{Context, rows, runs, text};
use crate::absolute;
use crate::args::work::ReportFormat;
use crate::args::{PipelineVerb, RunVerb};
use crate::print::table;

/// Runs a verb of `fettle pipeline` and gives back the exit code.
pub fn pipeline(context: &Context, verb: &PipelineVerb) -> Result<u8> {
    match verb {
        PipelineVerb::Kinds { kind } => kinds(context, kind.as_deref()),
        PipelineVerb::List => context.show("pipeline.list", json!({}), |list| {
            rows(list, &["name", "steps", "datasets", "isChanged"], &[])
        }),
        PipelineVerb::Show { pipeline, at: None } => {
            context.show("pipeline.show", json!({ "pipeline": pipeline }), |shown| text(&shown["text"]))
        }
        PipelineVerb::Show { pipeline, at } => {
            let request = json!({ "pipeline": pipeline, "commit": at });
            context.show("pipeline.at", request, |shown| text(&shown["text"]))
        }
        PipelineVerb::Log { pipeline } => {
            context.show("pipeline.log", json!({ "pipeline": pipeline }), |log| {
                rows(log, &["id", "at", "author", "message"], &["at"])
            })
        }
        PipelineVerb::New { dataset, name } => {
            let request = json!({ "dataset": dataset, "name": name });
            context.show("pipeline.new", request, |made| format!("made `{}`", text(&made["doc"]["name"])))
        }
        PipelineVerb::Templates => templates(context),
        PipelineVerb::AddStep { pipeline, step, kind, template, params, inputs } => {
            let mut given = Map::new();
            for text in params {
                let (name, value) = halves(text, "name=value")?;
                let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                given.insert(name.to_owned(), value);
            }
            let mut wires: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for text in inputs {
                let (port, wire) = halves(text, "port=step.port")?;
                wires.entry(port).or_default().push(wire);
            }
            let request = json!({
                "pipeline": pipeline, "step": step, "kind": kind, "template": template,
                "params": given, "inputs": wires,
            });
            context.show("pipeline.add_step", request, |shown| {
                let last = shown["doc"]["steps"].as_array().and_then(|steps| steps.last());
                last.map_or_else(String::new, |step| {
                    format!("added `{}` of kind `{}`", text(&step["id"]), text(&step["kind"]))
                })
            })
        }
        PipelineVerb::Validate { pipeline } => validate(context, pipeline),
        PipelineVerb::Explain { pipeline, step, to } => {
            let name = named(context, pipeline)?;
            let request = json!({ "pipeline": name, "step": step, "to": to });
            context.show("pipeline.explain", request, plan)
        }
        PipelineVerb::Run { pipeline, to, from, threads, force } => {
            let name = named(context, pipeline)?;
            let request =
                json!({ "pipeline": name, "to": to, "from": from, "threads": threads, "force": force });
            let job = context.backend.run_job("pipeline.run", context.request(request), context.printer)?;
            show_run(context, job.subject["run"].as_str().unwrap_or_default())
        }
        PipelineVerb::Export { pipeline, format, to } => export(context, pipeline, format.word(), to),
        PipelineVerb::Import { file, name } => {
            let request = json!({ "path": crate::absolute(file)?, "name": name });
            context.show("pipeline.import", request, |made| {
                let steps = made["doc"]["steps"].as_array().map_or(0, Vec::len);
                let notes = made["notes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|note| format!("note: {}", text(note)));
                let head = format!("made `{name}` with {steps} steps");
                std::iter::once(head).chain(notes).collect::<Vec<_>>().join("\n")
            })
        }
        PipelineVerb::Commit { pipeline, message } => {
            let request = json!({ "pipeline": pipeline, "message": message });
            context.show("pipeline.commit", request, |commit| {
                format!("{} {}", text(&commit["id"]), text(&commit["message"]))
            })
        }
    }
}

/// A file that can be read becomes the draft, as it does when it is run.
fn validate(context: &Context, pipeline: &str) -> Result<u8> {
    let found: Value = if is_file(pipeline) {
        let request = context.request(json!({ "text": read(pipeline)? }));
        let found: Value = context.backend.call("pipeline.parse", request)?;
        if found["doc"].is_object() {
            named(context, pipeline)?;
        }
        found
    } else {
        context.backend.call("pipeline.validate", context.request(json!({ "pipeline": pipeline })))?
    };
    let blocks = |problem: &Value| problem["isWarning"] != true;
    let is_good = !found["problems"].as_array().into_iter().flatten().any(blocks);
    context.printer.result(&found, |found| {
        let problems = found["problems"].as_array().into_iter().flatten();
        let problems = problems.map(|one| match (one["line"].as_u64(), one["column"].as_u64()) {
            (Some(line), Some(column)) => format!("{pipeline}:{line}:{column}: {}", problem(one)),
            _ => problem(one),
        });
        let last = is_good.then(|| format!("`{pipeline}` can run"));
        problems.chain(last).collect::<Vec<_>>().join("\n")
    });
    Ok(if is_good { 0 } else { Code::InvalidInput.exit_code() })
}

fn is_file(pipeline: &str) -> bool {
    Path::new(pipeline).extension().is_some_and(|extension| extension == "toml")
}

fn read(path: &str) -> Result<String> {
    std::fs::read_to_string(path).map_err(|e| Error::io("read", Path::new(path), &e))
}

fn export(context: &Context, pipeline: &str, format: &str, to: &Path) -> Result<u8> {
    let to = std::path::absolute(to).map_err(|e| Error::io("find", to, &e))?;
    let request = context.request(json!({ "pipeline": pipeline, "format": format, "to": to }));
    let files: Value = context.backend.call("pipeline.export_to", request)?;
    let names = files.as_array().into_iter().flatten();
    let written: Vec<String> = names.map(|file| to.join(text(&file["name"])).display().to_string()).collect();
    context.printer.result(&json!({ "files": written }), |_| format!("wrote {}", written.join(", ")));
    Ok(0)
}

/// The pipeline's name; a TOML file is first saved as the draft of the pipeline it names.
fn named(context: &Context, pipeline: &str) -> Result<String> {
    if !is_file(pipeline) {
        return Ok(pipeline.to_owned());
    }
    let text = read(pipeline)?;
    let parsed =
        flow::file::Pipeline::parse(&text).map_err(|e| e.within(format!("cannot use `{pipeline}`")))?;
    let request = context.request(json!({ "pipeline": parsed.name, "text": text }));
    let _: Value = context.backend.call("pipeline.save_text", request)?;
    Ok(parsed.name)
}

fn halves<'a>(text: &'a str, form: &str) -> Result<(&'a str, &'a str)> {
    text.split_once('=')
        .ok_or_else(|| Error::invalid(format!("`{text}` has no `=`")).hint(format!("write `{form}`")))
}

fn templates(context: &Context) -> Result<u8> {
    let all: Value = context.backend.call("pipeline.kinds", json!({}))?;
    let mut found = Vec::new();
    for kind in all.as_array().into_iter().flatten() {
        for preset in kind["presets"].as_array().into_iter().flatten() {
            let mut preset = preset.clone();
            preset["kind"] = kind["kind"].clone();
            found.push(preset);
        }
    }
    context.printer.result(&json!(found), |list| rows(list, &["name", "kind", "summary"], &[]));
    Ok(0)
}

fn kinds(context: &Context, kind: Option<&str>) -> Result<u8> {
    let all: Value = context.backend.call("pipeline.kinds", json!({}))?;
    let Some(kind) = kind else {
        context.printer.result(&all, |all| rows(all, &["kind", "category", "summary"], &[]));
        return Ok(0);
    };
    let found = all.as_array().into_iter().flatten().find(|one| one["kind"] == kind);
    let found = found.ok_or_else(|| {
        Error::not_found(format!("there is no kind of step `{kind}`")).hint("see `fettle pipeline kinds`")
    })?;
    context.printer.result(found, |kind| {
        let params = kind["params"]["properties"].as_object().into_iter().flatten().map(|(name, said)| {
            vec![name.clone(), kind["defaults"][name].to_string(), text(&said["description"])]
        });
        let params = table(&["parameter", "default", "meaning"], &params.collect::<Vec<_>>());
        format!("{}: {}\n\n{}\n\n{params}", text(&kind["title"]), text(&kind["summary"]), text(&kind["doc"]))
    });
    Ok(0)
}

fn problem(problem: &Value) -> String {
    let place = [&problem["step"], &problem["param"], &problem["port"]];
    let place: Vec<String> = place.into_iter().filter(|part| part.is_string()).map(text).collect();
    let hint = problem["hint"].as_str().map_or_else(String::new, |hint| format!(" ({hint})"));
    let place = if place.is_empty() { String::new() } else { format!("{}: ", place.join(".")) };
    let fixes = problem["fixes"].as_array().into_iter().flatten().map(|fix| text(&fix["label"]));
    let fixes: Vec<String> = fixes.collect();
    let fixes = if fixes.is_empty() { String::new() } else { format!("\n  {}", fixes.join(", or ")) };
    format!("{place}{}{hint}{fixes}", text(&problem["message"]))
}

fn plan(plan: &Value) -> String {
    let steps = plan["steps"].as_array().into_iter().flatten();
    let lines = steps.map(|step| {
        let last = step["lastRun"]["number"].as_u64().map_or_else(String::new, |number| format!("#{number}"));
        vec![text(&step["step"]), text(&step["action"]), last, text(&step["reasons"])]
    });
    let lines = table(&["step", "plan", "last run", "why"], &lines.collect::<Vec<_>>());
    format!("{lines}\n{} cached, {} to run", plan["cached"], plan["toRun"])
}

/// Runs a verb of `fettle run` and gives back the exit code.
pub fn run(context: &Context, verb: &RunVerb) -> Result<u8> {
    match verb {
        RunVerb::Views => runs::views(context),
        RunVerb::SaveView { name, look } => runs::save_view(context, name, look),
        RunVerb::DeleteView { name } => {
            context.show("run.delete_view", json!({ "name": name }), |_| format!("removed view `{name}`"))
        }
        RunVerb::Mark(args) => runs::mark(context, args),
        RunVerb::Delete { runs } => runs::moved(context, "run.delete", runs),
        RunVerb::Restore { runs } => runs::moved(context, "run.restore", runs),
        RunVerb::List { pipeline, look, limit } if !look.is_plain() => {
            runs::list(context, look, pipeline.as_deref(), *limit)
        }
        RunVerb::List { pipeline, limit, .. } => {
            let request = json!({ "pipeline": pipeline, "limit": limit });
            context.show("run.list", request, |page| {
                rows(
                    &page["runs"],
                    &["number", "pipeline", "state", "cached", "steps", "metrics", "startedAt"],
                    &["startedAt"],
                )
            })
        }
        RunVerb::Show { run } => show_run(context, run),
        RunVerb::Compare { runs } => {
            let reply: Value = context.backend.call(
                "run.compare",
                json!({ "runs": runs.iter().map(|run| context.run(run)).collect::<Vec<_>>() }),
            )?;
            context.printer.result(&reply, compared);
            Ok(0)
        }
        RunVerb::Report { run, against, format, to } => {
            let request =
                json!({ "run": context.run(run), "against": against.as_deref().map(|run| context.run(run)) });
            report(context, request, *format, to.as_deref())
        }
        RunVerb::Log { run, step } => {
            let reply: Value =
                context.backend.call("run.log", json!({ "run": context.run(run), "step": step }))?;
            context.printer.result(&reply, |page| text(&page["text"]));
            Ok(0)
        }
        RunVerb::Files { run, folder } => {
            let request = json!({ "run": context.run(run), "folder": folder });
            context.show("run.files", request, |found| rows(found, &["path", "sizeBytes"], &[]))
        }
        RunVerb::Save { run, path, to } => {
            let request = json!({ "run": context.run(run), "path": path, "to": absolute(to)? });
            context.job("run.save_file", request, |done| {
                format!("wrote {} to `{}`", files(&done["files"]), to.display())
            })?;
            Ok(0)
        }
        RunVerb::Cancel { run } => {
            let _: Value = context.backend.call("run.cancel", json!({ "run": context.run(run) }))?;
            context.printer.note("stopped");
            Ok(0)
        }
        RunVerb::Resume { run, threads } => {
            let request = json!({ "run": context.run(run), "threads": threads });
            let job = context.backend.run_job("run.resume", request, context.printer)?;
            show_run(context, job.subject["run"].as_str().unwrap_or_default())
        }
        RunVerb::Reproduce { run, threads } => {
            let request = json!({ "run": context.run(run), "threads": threads });
            let job = context.backend.run_job("run.reproduce", request, context.printer)?;
            let result = job.result.unwrap_or_default();
            let is_identical = result["receipt"]["isIdentical"] == true;
            context.printer.result(&result["receipt"], |_| text(&result["text"]));
            Ok(if is_identical { 0 } else { Code::GateFailed.exit_code() })
        }
        RunVerb::Receipts { run } => {
            let reply: Value = context.backend.call("run.receipts", json!({ "run": context.run(run) }))?;
            context.printer.result(&reply, |kept| {
                let texts = kept.as_array().into_iter().flatten().map(|one| {
                    let at = base::Timestamp(one["at"].as_i64().unwrap_or(0));
                    format!("{}. {at}\n{}", one["number"], text(&one["text"]))
                });
                texts.collect::<Vec<_>>().join("\n\n")
            });
            Ok(0)
        }
    }
}

fn report(
    context: &Context,
    mut request: Value,
    format: Option<ReportFormat>,
    to: Option<&Path>,
) -> Result<u8> {
    let Some(to) = to else {
        request["format"] = format.unwrap_or(ReportFormat::Markdown).word().into();
        let reply: Value = context.backend.call("run.report", request)?;
        context.printer.result(&reply, |report| text(&report["text"]));
        return Ok(0);
    };
    let format = format.or_else(|| ReportFormat::of(to)).ok_or_else(|| {
        Error::invalid(format!("`{}` names no kind of report", to.display()))
            .hint("end it in .md, .html, .xml (JUnit) or .txt (OpenMetrics), or say `--format`")
    })?;
    request["format"] = format.word().into();
    request["to"] = absolute(to)?.into();
    context.job("run.save_report", request, |done| format!("wrote `{}`", text(&done["path"])))?;
    Ok(0)
}

fn files(count: &Value) -> String {
    match count.as_u64().unwrap_or(0) {
        1 => "1 file".to_owned(),
        count => format!("{} files", base::count(count)),
    }
}

fn show_run(context: &Context, run: &str) -> Result<u8> {
    let reply: Value = context.backend.call("run.show", json!({ "run": context.run(run) }))?;
    context.printer.result(&reply, |run| {
        let summary = &run["summary"];
        let steps = run["steps"].as_array().into_iter().flatten().map(step_line);
        let heading = ["step", "state", "ms", "cpu ms", "memory", "in", "out", "tries", "result", "why"];
        let steps = table(&heading, &steps.collect::<Vec<_>>());
        let models = run["models"].as_array().into_iter().flatten();
        let models = models.map(|model| format!("{} {}", text(&model["step"]), text(&model["metrics"])));
        let origin = match (run["origin"]["cause"].as_str(), run["origin"]["run"]["number"].as_u64()) {
            (Some("resume"), Some(number)) => format!(", goes on with run {number}"),
            (Some("trial"), Some(number)) => format!(", a trial of sweep {number}"),
            (Some("trigger"), _) => ", started by a trigger".to_owned(),
            _ => String::new(),
        };
        format!(
            "run {} of {}{origin}: {}, {} of {} steps from the cache\n{steps}\n{}",
            summary["number"],
            text(&summary["pipeline"]),
            text(&summary["state"]),
            summary["cached"],
            summary["steps"],
            models.collect::<Vec<_>>().join("\n"),
        )
    });
    Ok(0)
}

fn step_line(step: &Value) -> Vec<String> {
    let reasons = if step["state"] == "failed" { &step["error"]["message"] } else { &step["reasons"] };
    let size = |name: &str| step[name].as_u64().map_or_else(String::new, base::bytes);
    let tries = step["tries"].as_array().map_or(0, Vec::len) + 1;
    let result = match step["metrics"].as_object().filter(|metrics| !metrics.is_empty()) {
        Some(_) => format!("{} ({})", text(&step["summary"]), text(&step["metrics"])),
        None => text(&step["summary"]),
    };
    vec![
        text(&step["step"]),
        text(&step["state"]),
        text(&step["durationMs"]),
        text(&step["cpuMs"]),
        size("maxMemoryBytes"),
        size("inputBytes"),
        size("outputBytes"),
        if step["durationMs"].is_null() { String::new() } else { tries.to_string() },
        result,
        text(reasons),
    ]
}

fn compared(comparison: &Value) -> String {
    let models = comparison["models"].as_array().map_or(&[][..], Vec::as_slice);
    let names: Vec<String> =
        models.iter().map(|one| format!("#{} {}", one["runNumber"], text(&one["model"]["step"]))).collect();
    let heading: Vec<&str> = std::iter::once("metric").chain(names.iter().map(String::as_str)).collect();
    let lines = comparison["metrics"].as_array().into_iter().flatten().map(|metric| {
        let name = text(&metric["name"]);
        let values = models.iter().map(|one| text(&one["model"]["metrics"][&name]));
        std::iter::once(name.clone()).chain(values).collect()
    });
    table(&heading, &lines.collect::<Vec<Vec<_>>>())
}
