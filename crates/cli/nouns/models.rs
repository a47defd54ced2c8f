//! `fettle model`, `fettle target`, `fettle deployment` and `fettle monitor`.

use base::{Code, Error, Result};
use serde_json::{Value, json};

use super::{Context, rows, text};
use crate::absolute;
use crate::args::models::{DeploymentVerb, ModelArgs, ModelVerb, MonitorVerb};
use crate::print::table;

/// `model` and `model@version` as a request.
fn pick(which: &ModelArgs) -> Value {
    match which.model.split_once('@') {
        Some((model, version)) => json!({ "model": model, "version": version }),
        None => json!({ "model": which.model }),
    }
}

fn with(mut request: Value, name: &str, value: impl Into<Value>) -> Value {
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
            let request = json!({ "run": run, "step": step, "name": name });
            let reply: Value = context.backend.call("model.register", request)?;
            context.printer.result(&reply, |made| format!("{} v{}", text(&made["model"]), made["version"]));
            Ok(0)
        }
        ModelVerb::Test { which, to } => gate(context, "model.gate", with(pick(which), "alias", to.as_str())),
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

fn gate(context: &Context, command: &str, request: Value) -> Result<u8> {
    let report: Value = context.backend.call(command, context.request(request))?;
    let is_open = report["isOpen"] == true;
    context.printer.result(&report, |report| {
        let checks = report["checks"].as_array().into_iter().flatten();
        let checks =
            checks.map(|check| vec![text(&check["status"]), text(&check["name"]), text(&check["message"])]);
        let (model, alias) = (text(&report["model"]), text(&report["alias"]));
        let last = match (is_open, command == "model.promote") {
            (true, true) => format!("{model} v{} is `{alias}`", report["version"]),
            (true, false) => format!("{model} v{} may be `{alias}`", report["version"]),
            (false, _) => format!("{model} v{} may not be `{alias}`", report["version"]),
        };
        format!("{}\n{last}", table(&["check", "what", "found"], &checks.collect::<Vec<_>>()))
    });
    Ok(if is_open { 0 } else { Code::GateFailed.exit_code() })
}

/// Runs `fettle target list`.
pub fn targets(context: &Context) -> Result<u8> {
    let reply: Value = context.backend.call("target.list", json!({}))?;
    context.printer.result(&reply, |list| rows(list, &["kind", "title", "summary", "unavailable"], &[]));
    Ok(0)
}

/// Runs a verb of `fettle deployment` and gives back the exit code.
pub fn deployment(context: &Context, verb: &DeploymentVerb) -> Result<u8> {
    let named = |deployment: &str| json!({ "deployment": deployment });
    let up = |result: &Value| format!("revision {} answers at {}", result["revision"], text(&result["url"]));
    match verb {
        DeploymentVerb::Create { which, target, name, port } => {
            let request = with(with(pick(which), "target", target.as_str()), "name", name.clone());
            context.job("deployment.create", with(request, "port", *port), up)?;
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
        MonitorVerb::Replay { deployment, file } => {
            let path = file.as_ref().map(|file| absolute(file)).transpose()?;
            let request = json!({ "deployment": deployment, "path": path });
            context.job("monitor.replay", request, |sent| format!("sent {} rows", sent["rows"]))?;
            return Ok(0);
        }
    };
    Ok(if found["level"] == "alarm" { Code::Drifted.exit_code() } else { 0 })
}

fn drift(report: &Value) -> String {
    let features = report["features"].as_array().into_iter().flatten();
    let lines = features.chain(Some(&report["prediction"]).filter(|one| one.is_object())).map(|one| {
        let fields = ["column", "level", "psi", "test", "statistic", "pValue"];
        fields.iter().map(|field| text(&one[*field])).collect()
    });
    let lines = table(&["column", "level", "psi", "test", "statistic", "p"], &lines.collect::<Vec<Vec<_>>>());
    format!("drift: {}\n{lines}", text(&report["level"]))
}
