//! `fettle demo`: the main job from a file to a watched endpoint, with the same commands that the
//! screens and the other nouns call. Every figure it prints is computed in this call.

use std::io::Write as _;
use std::path::Path;

use base::{Error, Result};
use serde_json::{Map, Value, json};

use crate::absolute;
use crate::args::{Args, DemoArgs};
use crate::backend::Backend;
use crate::print::Printer;

/// The project that the demo works in, so that it never touches the user's own.
const PROJECT: &str = "demo";

/// Does the main job and prints what each stage came to.
///
/// # Errors
/// Whatever a stage refuses.
pub fn run(args: &Args, options: &DemoArgs, printer: &Printer) -> Result<u8> {
    let backend = Backend::open(args, true)?;
    let temp = tempfile::tempdir().map_err(|e| Error::io("create a folder in", &std::env::temp_dir(), &e))?;
    let mut demo = Demo { backend, printer, report: Map::new() };
    demo.open_project()?;
    let dataset = demo.import(options, temp.path())?;
    let (run_id, model, version) = demo.train(&dataset, options)?;
    demo.promote(&model, version)?;
    let name = demo.deploy(&model, version)?;
    demo.predict(&name)?;
    demo.watch(&dataset, &name, temp.path())?;
    if options.stop {
        let _: Value =
            demo.backend.call("deployment.stop", json!({ "project": PROJECT, "deployment": name }))?;
        printer.note("the endpoint is stopped");
    }
    demo.report.insert("runId".to_owned(), json!(run_id));
    let curl = demo.report.get("curl").and_then(Value::as_str).unwrap_or_default().to_owned();
    printer.result(&Value::Object(demo.report), |_| match options.stop {
        true => String::new(),
        false => format!("\nThe endpoint stays up. Get a prediction with\n\n{curl}"),
    });
    Ok(0)
}

struct Demo<'a> {
    backend: Backend,
    printer: &'a Printer,
    report: Map<String, Value>,
}

impl Demo<'_> {
    fn open_project(&self) -> Result<()> {
        let projects: Vec<Value> = self.backend.call("project.list", json!({}))?;
        if projects.iter().any(|project| project["slug"] == PROJECT) {
            let _: Value = self.backend.call("project.open", json!({ "project": PROJECT }))?;
        } else {
            let _: Value = self.backend.call("project.new", json!({ "name": "Demo" }))?;
        }
        Ok(())
    }

    fn import(&mut self, options: &DemoArgs, temp: &Path) -> Result<String> {
        let path = match &options.file {
            Some(file) => absolute(file)?,
            None => {
                let file = temp.join(engine::sample::FILE_NAME);
                std::fs::write(&file, engine::sample::PENGUINS).map_err(|e| Error::io("write", &file, &e))?;
                absolute(&file)?
            }
        };
        let request = json!({ "project": PROJECT, "path": path });
        let job = self.backend.run_job("dataset.import", request, self.printer)?;
        let imported = job.result.unwrap_or_default();
        let dataset = imported["dataset"].as_str().unwrap_or_default().to_owned();
        let shown: Value =
            self.backend.call("dataset.show", json!({ "project": PROJECT, "dataset": dataset }))?;
        let suggested = shown["suggestion"]["column"].as_str();
        let target = options.target.as_deref().or(shown["target"].as_str()).or(suggested).map(str::to_owned);
        let target = target.ok_or_else(|| {
            Error::invalid("no column looks like the one to predict").hint("name it with `--target`")
        })?;
        let request = json!({ "project": PROJECT, "dataset": dataset, "target": target });
        let _: Value = self.backend.call("dataset.set_target", request)?;
        self.printer.note(&format!(
            "1  data      {dataset} v{}: {} rows, {} columns, target `{target}`{}",
            imported["version"],
            imported["rows"],
            imported["columns"],
            if imported["isNew"] == true { "" } else { " (this file was there already)" },
        ));
        self.report.insert("dataset".to_owned(), imported.clone());
        self.report.insert("datasetVersionId".to_owned(), imported["versionId"].clone());
        self.report.insert("rows".to_owned(), imported["rows"].clone());
        Ok(dataset)
    }

    fn train(&mut self, dataset: &str, options: &DemoArgs) -> Result<(String, String, u64)> {
        let pipelines: Vec<Value> = self.backend.call("pipeline.list", json!({ "project": PROJECT }))?;
        let of_dataset = |pipeline: &&Value| {
            pipeline["datasets"]
                .as_array()
                .is_some_and(|datasets| datasets.iter().any(|name| name == dataset))
        };
        let pipeline = match pipelines.iter().find(of_dataset) {
            Some(pipeline) => pipeline["name"].clone(),
            None => {
                let request = json!({ "project": PROJECT, "dataset": dataset });
                self.backend.call::<Value>("pipeline.new", request)?["doc"]["name"].clone()
            }
        };
        let request = json!({ "project": PROJECT, "pipeline": pipeline, "threads": options.threads });
        let job = self.backend.run_job("pipeline.run", request, self.printer)?;
        let run_id = job.subject["run"].as_str().unwrap_or_default().to_owned();
        let run: Value = self.backend.call("run.show", json!({ "run": run_id }))?;
        let summary = &run["summary"];
        self.printer.note(&format!(
            "2  pipeline  {}: {} steps, {} of them from the cache, {} ms",
            pipeline.as_str().unwrap_or_default(),
            summary["steps"],
            summary["cached"],
            summary["durationMs"],
        ));
        let mut metrics = Map::new();
        let models = run["models"].as_array().cloned().unwrap_or_default();
        for model in &models {
            let step = model["step"].as_str().unwrap_or_default();
            metrics.insert(step.to_owned(), model["metrics"].clone());
            let mark = if model["isBest"] == true { "best" } else { "" };
            self.printer.note(&format!("3  model     {step:<10} {} {mark}", shown(&model["metrics"])));
        }
        self.report.insert("metrics".to_owned(), Value::Object(metrics));
        self.report.insert("steps".to_owned(), summary["steps"].clone());
        self.report.insert("cached".to_owned(), summary["cached"].clone());
        let best = models.iter().find(|model| model["isBest"] == true).or(models.first());
        let registered = best.map(|model| model["registered"].clone()).unwrap_or_default();
        let (Some(model), Some(version)) = (registered["model"].as_str(), registered["version"].as_u64())
        else {
            return Err(Error::internal("the run registered no model"));
        };
        Ok((run_id, model.to_owned(), version))
    }

    fn promote(&mut self, model: &str, version: u64) -> Result<()> {
        let pick = json!({ "project": PROJECT, "model": model, "version": version.to_string() });
        let detail: Value = self.backend.call("model.version", &pick)?;
        let gate: Value = self.backend.call("model.promote", &pick)?;
        let checks = gate["checks"].as_array().map_or(0, Vec::len);
        self.printer.note(&format!(
            "4  promoted  {model} v{version} is `production` after {checks} checks; the package differs from the run by at most {} over {} rows",
            shown(&detail["parity"]["maxAbsDiff"]), detail["parity"]["rows"],
        ));
        self.report.insert("model".to_owned(), json!({ "name": model, "version": version }));
        self.report.insert("parity".to_owned(), detail["parity"].clone());
        self.report.insert("gate".to_owned(), gate);
        Ok(())
    }

    fn deploy(&mut self, model: &str, version: u64) -> Result<String> {
        let request = json!({ "project": PROJECT, "model": model, "version": version.to_string() });
        let job = self.backend.run_job("deployment.create", request, self.printer)?;
        let deployed = job.result.unwrap_or_default();
        let name = deployed["name"].as_str().unwrap_or_default().to_owned();
        let pick = json!({ "project": PROJECT, "deployment": name });
        let detail: Value = self.backend.call("deployment.show", pick)?;
        self.printer.note(&format!("5  endpoint  {}", deployed["url"].as_str().unwrap_or_default()));
        self.report.insert("endpoint".to_owned(), deployed["url"].clone());
        self.report.insert("curl".to_owned(), detail["curl"].clone());
        Ok(name)
    }

    fn predict(&mut self, name: &str) -> Result<()> {
        let answer: Value =
            self.backend.call("deployment.try", json!({ "project": PROJECT, "deployment": name }))?;
        self.printer.note(&format!(
            "6  answer    {} in {} ms",
            shown(&answer["outputs"]),
            shown(&answer["latencyMs"])
        ));
        self.report.insert("prediction".to_owned(), answer["outputs"].clone());
        Ok(())
    }

    fn watch(&mut self, dataset: &str, name: &str, temp: &Path) -> Result<()> {
        let pick = json!({ "project": PROJECT, "deployment": name });
        self.backend.run_job("monitor.replay", &pick, self.printer)?;
        let status: Value = self.backend.call("monitor.status", &pick)?;
        self.printer.note(&format!(
            "7  monitor   {} rows scored, drift of the replayed rows: {}",
            status["rows"],
            status["level"].as_str().unwrap_or_default()
        ));
        let file = temp.join("shifted.csv");
        self.write_shifted(dataset, &file)?;
        let request = json!({ "project": PROJECT, "deployment": name, "path": absolute(&file)? });
        let job = self.backend.run_job("monitor.check", request, self.printer)?;
        let drift = job.result.unwrap_or_default();
        let worst = &drift["features"][0];
        self.printer.note(&format!(
            "8  drift     a shifted copy: {}, worst `{}` with PSI {}",
            drift["level"].as_str().unwrap_or_default(),
            worst["column"].as_str().unwrap_or_default(),
            shown(&worst["psi"]),
        ));
        let features = drift["features"].as_array().into_iter().flatten();
        let psi =
            features.map(|one| (one["column"].as_str().unwrap_or_default().to_owned(), one["psi"].clone()));
        let summary = json!({ "level": drift["level"], "rows": drift["rows"], "psi": Map::from_iter(psi) });
        self.report.insert("drift".to_owned(), summary);
        self.report
            .insert("monitored".to_owned(), json!({ "rows": status["rows"], "level": status["level"] }));
        Ok(())
    }

    /// Writes the dataset with every column of fractions moved up by 1.5 standard deviations.
    fn write_shifted(&self, dataset: &str, file: &Path) -> Result<()> {
        let pick = json!({ "project": PROJECT, "dataset": dataset });
        let profile: Value = self.backend.call("dataset.profile", pick)?;
        let request = json!({ "project": PROJECT, "dataset": dataset, "offset": 0, "limit": 1000 });
        let page: Value = self.backend.call("dataset.page", request)?;
        let columns = page["columns"].as_array().cloned().unwrap_or_default();
        let shifts: Vec<Option<f64>> = columns
            .iter()
            .map(|column| {
                let mut counted = profile["columns"].as_array().into_iter().flatten();
                let found = counted.find(|one| one["name"] == column["name"] && one["kind"] == "number");
                found.and_then(|one| one["numbers"]["std"].as_f64()).map(|std| 1.5 * std)
            })
            .collect();
        let mut lines =
            vec![line(columns.iter().map(|column| column["name"].as_str().unwrap_or_default().to_owned()))];
        for row in page["rows"].as_array().into_iter().flatten() {
            let cells = row.as_array().into_iter().flatten().zip(&shifts).map(|(cell, shift)| {
                let text = cell.as_str().unwrap_or_default();
                match (shift, text.parse::<f64>()) {
                    (Some(shift), Ok(number)) => (number + shift).to_string(),
                    _ => text.to_owned(),
                }
            });
            lines.push(line(cells));
        }
        let mut out = std::fs::File::create(file).map_err(|e| Error::io("write", file, &e))?;
        out.write_all((lines.join("\n") + "\n").as_bytes()).map_err(|e| Error::io("write", file, &e))
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
    quoted.collect::<Vec<_>>().join(",")
}

/// Names and numbers in a line; numbers to four digits.
fn shown(value: &Value) -> String {
    match value {
        Value::Number(number) => base::number(number.as_f64().unwrap_or(f64::NAN), 4),
        Value::Object(map) => {
            let parts = map.iter().map(|(name, value)| format!("{name} {}", shown(value)));
            parts.collect::<Vec<_>>().join(", ")
        }
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
