//! `fettle model`, `fettle target`, `fettle deployment` and `fettle monitor`.

use base::{Code, Error, Result};
use serde_json::{Value, json};

use super::{Context, judging, retraining, rows, text};
use crate::absolute;
use crate::args::models::{DeploymentVerb, ModelArgs, ModelVerb, MonitorVerb, TargetVerb};
use crate::print::table;

/// `model` and `model@version` as a request.
pub(super) fn pick(which: &ModelArgs) -> Value {
    match which.model.split_once('@') {
        Some((model, version)) => json!({ "model": model, "version": version }),
        None => json!({ "model": which.model }),
    }
}

pub(super) fn with(mut request: Value, name: &str, value: impl Into<Value>) -> Value {
    request[name] = value.into();
    request
}

/// Runs a verb of `fettle model` and gives back the exit code.
pub fn model(context: &Context, verb: &ModelVerb) -> Result<u8> {
    match verb {
        ModelVerb::List => context.show("model.list", json!({}), |list| {
            rows(list, &["name", "version", "aliases", "metrics", "endpoints"], &[])
        }),
        ModelVerb::Show(which) => context.show("model.version", pick(which), |version| {
            let row = &version["row"];
            let recipe =
                version["recipe"].as_array().into_iter().flatten().map(|line| format!("  {}", text(line)));
            format!(
                "{} v{} {}\n{} of `{}`, {}\n{}\nparity: {}\n{}",
                text(&version["model"]),
                row["number"],
                text(&row["aliases"]),
                text(&version["task"]),
                text(&version["target"]),
                text(&row["trainer"]),
                text(&row["metrics"]),
                text(&version["parity"]),
                recipe.collect::<Vec<_>>().join("\n"),
            )
        }),
        ModelVerb::Register { run, step, name } => {
            let request = json!({ "run": context.run(run), "step": step, "name": name });
            let reply: Value = context.backend.call("model.register", request)?;
            context.printer.result(&reply, |made| format!("{} v{}", text(&made["model"]), made["version"]));
            Ok(0)
        }
        ModelVerb::Test { which, suite, report } => {
            judging::test(context, which, suite.as_deref(), report.as_deref())
        }
        ModelVerb::Tests(which) => judging::tests(context, which),
        ModelVerb::WhatIf { which, row, changes } => {
            judging::what_if(context, which, row.as_deref(), changes)
        }
        ModelVerb::Importance(which) => judging::importance(context, which),
        ModelVerb::Effect { which, column } => judging::effect(context, which, column),
        ModelVerb::Approve { which, note } => judging::sign(context, "model.approve", which, note.as_deref()),
        ModelVerb::Withdraw { which, note } => {
            judging::sign(context, "model.withdraw", which, note.as_deref())
        }
        ModelVerb::Approvals(which) => context.show("model.approvals", pick(which), judging::approvals),
        ModelVerb::Card(which) => judging::card(context, which),
        ModelVerb::Passport { which, to } => {
            let request = with(pick(which), "to", absolute(to)?);
            context.job("model.passport", request, |done| {
                format!(
                    "wrote {} ({}), signed with {}",
                    to.display(),
                    text(&done["hash"]),
                    text(&done["key"])
                )
            })?;
            Ok(0)
        }
        ModelVerb::Gate { which, to } => gate(context, "model.gate", with(pick(which), "alias", to.as_str())),
        ModelVerb::Promote { which, to, reason } => {
            let request = with(with(pick(which), "alias", to.as_str()), "reason", reason.clone());
            gate(context, "model.promote", request)
        }
        ModelVerb::Export { which, to } => {
            let request = with(pick(which), "to", absolute(to)?);
            context.job("model.export", request, |_| format!("wrote {}", to.display()))?;
            Ok(0)
        }
        ModelVerb::Verify(which) => {
            context.job("model.verify", pick(which), |parity| {
                format!(
                    "the package differs by at most {} over {} rows",
                    parity["maxAbsDiff"], parity["rows"]
                )
            })?;
            Ok(0)
        }
        ModelVerb::Predict { which, input, output } => {
            let request = with(with(pick(which), "path", absolute(input)?), "to", absolute(output)?);
            context.job("model.predict", request, |done| {
                format!("scored {} rows to {}", done["rows"], output.display())
            })?;
            Ok(0)
        }
    }
}

/// The checks of a gate as a table.
pub(super) fn checks(report: &Value) -> String {
    let checks = report["checks"].as_array().into_iter().flatten();
    let checks =
        checks.map(|check| vec![text(&check["status"]), text(&check["name"]), text(&check["message"])]);
    table(&["check", "what", "found"], &checks.collect::<Vec<_>>())
}

fn gate(context: &Context, command: &str, request: Value) -> Result<u8> {
    let report: Value = context.backend.call(command, context.request(request))?;
    let is_open = report["isOpen"] == true;
    context.printer.result(&report, |report| {
        let (model, alias) = (text(&report["model"]), text(&report["alias"]));
        let last = match (is_open, command == "model.promote") {
            (true, true) => format!("{model} v{} is `{alias}`", report["version"]),
            (true, false) => format!("{model} v{} may be `{alias}`", report["version"]),
            (false, _) => format!("{model} v{} may not be `{alias}`", report["version"]),
        };
        format!("{}\n{last}", checks(report))
    });
    Ok(if is_open { 0 } else { Code::GateFailed.exit_code() })
}

/// Runs a verb of `fettle target`.
pub fn targets(context: &Context, verb: &TargetVerb) -> Result<u8> {
    let reply: Value = context.backend.call("target.list", json!({}))?;
    if let TargetVerb::Show { target } = verb {
        let all = reply.as_array().into_iter().flatten();
        let found = all.into_iter().find(|one| one["kind"] == target.as_str()).ok_or_else(|| {
            Error::not_found(format!("there is no target `{}`", target.escape_debug()))
                .hint("see `fettle target list`")
        })?;
        context.printer.result(found, |target| {
            let parameters = target["params"]["properties"].as_object().into_iter().flatten();
            let lines = parameters.map(|(name, said)| {
                vec![name.clone(), text(&target["defaults"][name]), text(&said["description"])]
            });
            let table = table(&["parameter", "default", "what it is"], &lines.collect::<Vec<_>>());
            format!(
                "{}: {}\n{}\n\n{table}",
                text(&target["title"]),
                text(&target["summary"]),
                text(&target["doc"])
            )
        });
        return Ok(0);
    }
    context.printer.result(&reply, |list| rows(list, &["kind", "title", "summary", "unavailable"], &[]));
    Ok(0)
}

/// `name=value` words as parameters. A value is JSON where it reads as such, else a text.
fn parameters(words: &[String]) -> Result<Value> {
    let mut parameters = serde_json::Map::new();
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| {
            Error::invalid(format!("`{}` is no parameter", word.escape_debug()))
                .hint("write it as `name=value`")
        })?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        parameters.insert(name.to_owned(), value);
    }
    Ok(Value::Object(parameters))
}

/// Runs a verb of `fettle deployment` and gives back the exit code.
pub fn deployment(context: &Context, verb: &DeploymentVerb) -> Result<u8> {
    let named = |deployment: &str| json!({ "deployment": deployment });
    let up = |result: &Value| format!("revision {} answers at {}", result["revision"], text(&result["url"]));
    match verb {
        DeploymentVerb::Create { which, target, set, name, port, plan } => {
            let request = with(with(pick(which), "target", target.clone()), "name", name.clone());
            let request = with(with(request, "port", *port), "params", parameters(set)?);
            if *plan {
                return context.show("deployment.plan", request, |plan| {
                    let steps = plan["steps"].as_array().into_iter().flatten().enumerate();
                    steps
                        .map(|(at, step)| format!("{}. {}", at + 1, text(step)))
                        .collect::<Vec<_>>()
                        .join("\n")
                });
            }
            context.job("deployment.create", request, up)?;
            Ok(0)
        }
        DeploymentVerb::List => context
            .show("deployment.list", json!({}), |list| rows(list, &["name", "state", "url", "model"], &[])),
        DeploymentVerb::Status { deployment } => {
            context.show("deployment.show", named(deployment), |shown| {
                let summary = &shown["summary"];
                let head = format!(
                    "{}: {} at {}",
                    text(&summary["name"]),
                    text(&summary["state"]),
                    text(&summary["url"])
                );
                let revisions =
                    rows(&shown["revisions"], &["number", "model", "state", "createdAt"], &["createdAt"]);
                format!("{head}\n{revisions}\n\n{}", text(&shown["curl"]))
            })
        }
        DeploymentVerb::Log { deployment } => {
            context.show("deployment.log", named(deployment), |page| text(&page["text"]))
        }
        DeploymentVerb::Rollback { deployment, to } => {
            context.job("deployment.rollback", with(named(deployment), "revision", *to), up)?;
            Ok(0)
        }
        DeploymentVerb::Stop { deployment } => {
            context.show("deployment.stop", named(deployment), |_| format!("`{deployment}` is stopped"))
        }
        DeploymentVerb::Remove { deployment } => {
            context.job("deployment.remove", named(deployment), |_| format!("`{deployment}` is gone"))?;
            Ok(0)
        }
        DeploymentVerb::Score { deployment } => score(context, named(deployment)),
        DeploymentVerb::Start { deployment } => {
            context.job("deployment.start", named(deployment), up)?;
            Ok(0)
        }
        DeploymentVerb::Try { deployment, row } => {
            let row: Option<Value> = match row {
                Some(row) => Some(
                    serde_json::from_str(row)
                        .map_err(|e| Error::invalid("the row is not JSON").because(e))?,
                ),
                None => None,
            };
            context.show("deployment.try", with(named(deployment), "inputs", row), |answer| {
                format!("{} in {} ms", text(&answer["outputs"]), text(&answer["latencyMs"]))
            })
        }
    }
}

/// Exits with the code of a failed step if a file could not be scored.
fn score(context: &Context, request: Value) -> Result<u8> {
    let result = context.job("deployment.score", request, |sum| {
        format!(
            "{} files with {} rows scored into {}, {} rows that could not be read, {} files done before, {} failed",
            sum["files"], sum["rows"], text(&sum["output"]), sum["rowErrors"], sum["skipped"], sum["failed"]
        )
    })?;
    Ok(if result["failed"] == 0 { 0 } else { Code::StepFailed.exit_code() })
}

/// Runs a verb of `fettle monitor` and gives back the exit code.
pub fn monitor(context: &Context, verb: &MonitorVerb) -> Result<u8> {
    let found = match verb {
        MonitorVerb::Status { deployment } => {
            let request = context.request(json!({ "deployment": deployment }));
            let status: Value = context.backend.call("monitor.status", request)?;
            context.printer.result(&status, |status| {
                format!(
                    "{} rows in {} requests, {} failed, p95 {} ms\n{}",
                    status["rows"],
                    status["requests"],
                    status["errors"],
                    text(&status["latencyP95Ms"]),
                    drift(status),
                )
            });
            status
        }
        MonitorVerb::Check { deployment, file } => {
            let request = json!({ "deployment": deployment, "path": absolute(file)? });
            context.job("monitor.check", request, drift)?
        }
        MonitorVerb::Report { deployment, to, minutes } => {
            let request = json!({ "deployment": deployment, "to": absolute(to)?, "windowMinutes": minutes });
            context.job("monitor.report", request, |_| format!("wrote {}", to.display()))?
        }
        MonitorVerb::Windows { deployment, rows, minutes, step, from, to, test } => {
            let (size, unit) = minutes.map_or((*rows, "rows"), |minutes| (minutes, "minutes"));
            let baseline = from.zip(*to).map(|(from, to)| json!({ "from": from, "to": to }));
            let request = context.request(json!({
                "deployment": deployment, "size": size, "unit": unit, "step": step, "baseline": baseline,
                "test": test,
            }));
            let found: Value = context.backend.call("monitor.windows", request)?;
            context.printer.result(&found, windows);
            found
        }
        MonitorVerb::Label { deployment, file, dataset, column, id, on } => {
            let path = file.as_ref().map(|file| absolute(file)).transpose()?;
            let request = json!({
                "deployment": deployment, "path": path, "dataset": dataset, "column": column, "id": id, "on": on,
            });
            context.job("monitor.label", request, |found| {
                format!(
                    "labelled {} rows; {} rows of the table belong to no request, {} are ambiguous",
                    found["labelled"], found["unmatched"], found["ambiguous"]
                )
            })?;
            return Ok(0);
        }
        MonitorVerb::Performance { deployment, rows, minutes, step, metric } => {
            let (size, unit) = minutes.map_or((*rows, "rows"), |minutes| (minutes, "minutes"));
            let request = context.request(json!({
                "deployment": deployment, "size": size, "unit": unit, "step": step, "metric": metric,
            }));
            let found: Value = context.backend.call("monitor.performance", request)?;
            context.printer.result(&found, performance);
            found
        }
        MonitorVerb::Retrain { deployment, pipeline, deploy, traffic, reason } => {
            let request = json!({
                "deployment": deployment, "pipeline": pipeline, "deploy": deploy, "traffic": traffic,
                "reason": reason,
            });
            return retraining::retrain(context, request);
        }
        MonitorVerb::Rehearse { deployment, version } => {
            let request = json!({ "deployment": deployment, "version": version });
            context.job("monitor.rehearse", request, retraining::rehearsed)?;
            return Ok(0);
        }
        MonitorVerb::Backtest { deployment, pipeline, dataset, order_by, windows, policies } => {
            let request = json!({
                "deployment": deployment, "pipeline": pipeline, "dataset": dataset, "orderBy": order_by,
                "windows": windows, "policies": policies,
            });
            context.job("monitor.backtest", request, retraining::backtested)?;
            return Ok(0);
        }
        MonitorVerb::Proposal { deployment } => return retraining::proposal(context, deployment),
        MonitorVerb::Accept { deployment } => {
            context.job("monitor.accept", json!({ "deployment": deployment }), |done| {
                format!("revision {} answers at {}", done["revision"], text(&done["url"]))
            })?;
            return Ok(0);
        }
        MonitorVerb::Dismiss { deployment } => {
            return context
                .show("monitor.dismiss", json!({ "deployment": deployment }), |_| "dismissed".to_owned());
        }
        MonitorVerb::Silence { deployment, minutes, reason } => {
            let request = json!({ "deployment": deployment, "minutes": minutes, "reason": reason });
            return context.show("monitor.silence", request, |_| format!("silent for {minutes} minutes"));
        }
        MonitorVerb::Channels { set } => return retraining::channels(context, set.as_deref()),
        MonitorVerb::TryChannel { channel } => {
            context.job("alert.try", json!({ "channel": channel }), |done| text(&done["said"]))?;
            return Ok(0);
        }
        MonitorVerb::Acknowledge { alert } => {
            let request = json!({ "id": alert });
            let reply: Value = context.backend.call("alert.acknowledge", request)?;
            context.printer.result(&reply, |_| "acknowledged".to_owned());
            return Ok(0);
        }
        MonitorVerb::Replay { deployment, file } => {
            let path = file.as_ref().map(|file| absolute(file)).transpose()?;
            let request = json!({ "deployment": deployment, "path": path });
            context.job("monitor.replay", request, |sent| format!("sent {} rows", sent["rows"]))?;
            return Ok(0);
        }
    };
    Ok(if found["level"] == "alarm" { Code::Drifted.exit_code() } else { 0 })
}

fn performance(found: &Value) -> String {
    let lines = found["windows"].as_array().into_iter().flatten().map(|window| {
        let estimated = &window["estimated"]["value"];
        let fields = [&window["from"], &window["rows"], &window["labelled"], &window["value"], estimated];
        fields.into_iter().chain([&window["level"]]).map(text).collect()
    });
    let lines: Vec<Vec<_>> = lines.collect();
    let slices = found["slices"].as_array().into_iter().flatten().map(|slice| {
        let said = if slice["isWorse"] == true { "worse" } else { "" };
        vec![text(&slice["name"]), text(&slice["rows"]), text(&slice["value"]), said.to_owned()]
    });
    let slices: Vec<Vec<_>> = slices.collect();
    let groups = match slices.is_empty() {
        true => String::new(),
        false => format!("\n\n{}", table(&["group", "rows", "value", ""], &slices)),
    };
    format!(
        "{}: {} over {} labelled of {} rows, {} on held-out rows\n{}{groups}",
        text(&found["metricTitle"]),
        text(&found["value"]),
        found["labelled"],
        found["rows"],
        text(&found["reference"]),
        table(&["from", "rows", "labelled", "measured", "estimated", "level"], &lines)
    )
}

fn windows(found: &Value) -> String {
    let lines = found["windows"].as_array().into_iter().flatten().map(|window| {
        let columns = window["columns"].as_array().into_iter().flatten();
        let psi = |column: &&Value| column["psi"].as_f64().unwrap_or(0.0);
        let worst = columns.max_by(|a, b| psi(a).total_cmp(&psi(b))).unwrap_or(&Value::Null);
        let fields = [&window["from"], &window["rows"], &window["level"], &worst["column"], &worst["psi"]];
        fields.into_iter().map(text).collect()
    });
    let lines: Vec<Vec<_>> = lines.collect();
    let small = match found["tooSmall"].as_u64() {
        Some(small) if small > 0 => format!("\n{small} more with too few rows"),
        _ => String::new(),
    };
    format!("{}{small}", table(&["from", "rows", "level", "worst", "psi"], &lines))
}

fn drift(report: &Value) -> String {
    let features = report["features"].as_array().into_iter().flatten();
    let lines = features.chain(Some(&report["prediction"]).filter(|one| one.is_object())).map(|one| {
        let fields = ["column", "level", "psi", "test", "statistic", "adjustedP"];
        fields.iter().map(|field| text(&one[*field])).collect()
    });
    let lines = table(&["column", "level", "psi", "test", "statistic", "p"], &lines.collect::<Vec<Vec<_>>>());
    format!("drift: {}\n{lines}", text(&report["level"]))
}
