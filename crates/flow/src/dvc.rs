//! A pipeline of DVC (`dvc.yaml`) as one of Fettle: each stage becomes a `command` step that runs the
//! same command in the project's folder. A stage that makes a file another one reads is wired to it.
//!
//! Understood: `cmd` (also as a list), `deps`, `outs`, `metrics`, `plots`, `params`, `vars`, templates
//! `${…}` from `params.yaml` and `vars`, `foreach` with `do`, `wdir`. What is not is said in a note.

use std::collections::{BTreeMap, BTreeSet};

use base::{Error, Result};
use serde_json::{Map, Value, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::file::{Pipeline, Step, Wire};
use crate::layout::layout;

/// A pipeline that was read, and what could not be taken over.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// What is not as it was, in words.
    pub notes: Vec<String>,
}

/// A file of DVC beyond this is taken for a mistake.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// A `foreach` may not make more stages than this in all.
const MOST_STAGES: usize = 1_000;

/// A stage with its templates filled in.
#[derive(Debug, Default)]
struct Stage {
    id: String,
    command: String,
    folder: Option<String>,
    reads: Vec<String>,
    makes: Vec<String>,
    params: Vec<String>,
}

/// Reads a `dvc.yaml`, with the `params.yaml` beside it if there is one.
///
/// # Errors
/// [`base::Code::InvalidInput`]: no YAML, no stages, a template that names nothing.
pub fn import(name: &str, text: &str, params: Option<&str>) -> Result<Imported> {
    crate::file::check_name(name)?;
    let document = read("dvc.yaml", text)?;
    let mut notes = Vec::new();
    let mut values = params.map(|text| read("params.yaml", text)).transpose()?.unwrap_or_else(|| json!({}));
    for vars in document["vars"].as_array().into_iter().flatten() {
        match (vars.as_object(), values.as_object_mut()) {
            (Some(vars), Some(values)) => values.extend(vars.clone()),
            _ => notes.push(format!("the variables in {vars} are not read: put them into `params.yaml`")),
        }
    }
    let stages = document["stages"].as_object().filter(|stages| !stages.is_empty()).ok_or_else(|| {
        Error::invalid("the file has no `stages`").hint("choose the `dvc.yaml` of a DVC pipeline")
    })?;
    let mut read = Vec::new();
    for (stage, body) in stages {
        expand(stage, body, &values, &mut read, &mut notes)?;
        if read.len() > MOST_STAGES {
            return Err(Error::invalid(format!("the file makes more than {MOST_STAGES} stages")));
        }
    }
    let steps = steps(&read, &values);
    let mut pipeline = Pipeline::of(name, steps);
    let positions = layout(&pipeline);
    for step in &mut pipeline.steps {
        step.position = positions.get(&step.id).copied().unwrap_or_default();
    }
    Ok(Imported { pipeline, notes })
}

fn read(file: &str, text: &str) -> Result<Value> {
    if text.len() > MOST_BYTES {
        return Err(Error::invalid(format!("`{file}` is larger than {}", base::bytes(MOST_BYTES as u64))));
    }
    let documents = YamlLoader::load_from_str(text)
        .map_err(|e| Error::invalid(format!("`{file}` is no YAML")).because(e))?;
    documents.first().map_or(Ok(Value::Null), |document| value(document, 0))
}

fn value(yaml: &Yaml, depth: usize) -> Result<Value> {
    // The stack has room for far more, and no person nests so deeply.
    if depth > 64 {
        return Err(Error::invalid("the YAML is nested too deeply"));
    }
    Ok(match yaml {
        Yaml::Real(text) => text.parse::<f64>().map_or_else(|_| json!(text), |number| json!(number)),
        Yaml::Integer(number) => json!(number),
        Yaml::String(text) => json!(text),
        Yaml::Boolean(is) => json!(is),
        Yaml::Array(items) => {
            Value::Array(items.iter().map(|item| value(item, depth + 1)).collect::<Result<_>>()?)
        }
        Yaml::Hash(fields) => {
            let mut map = Map::new();
            for (name, field) in fields {
                map.insert(shown(&value(name, depth + 1)?), value(field, depth + 1)?);
            }
            Value::Object(map)
        }
        Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => Value::Null,
    })
}

fn expand(
    name: &str,
    body: &Value,
    values: &Value,
    stages: &mut Vec<Stage>,
    notes: &mut Vec<String>,
) -> Result<()> {
    if body.get("matrix").is_some() {
        notes.push(format!("stage `{name}`: `matrix` is not taken over; use a sweep"));
    }
    let Some(items) = body.get("foreach") else {
        stages.push(stage(name, body, values, notes)?);
        return Ok(());
    };
    let items = match items {
        Value::String(text) => whole_template(text, values)?,
        other => other.clone(),
    };
    let pairs: Vec<(String, Option<String>, Value)> = match &items {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| {
                let suffix = if item.is_object() { at.to_string() } else { shown(item) };
                (suffix, None, item.clone())
            })
            .collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, item)| (key.clone(), Some(key.clone()), item.clone())).collect()
        }
        _ => return Err(Error::invalid(format!("`foreach` of stage `{name}` is neither a list nor a map"))),
    };
    for (suffix, key, item) in pairs {
        let mut inner = values.clone();
        inner["item"] = item;
        if let Some(key) = key {
            inner["key"] = json!(key);
        }
        stages.push(stage(&format!("{name}_{suffix}"), &body["do"], &inner, notes)?);
    }
    Ok(())
}

fn stage(name: &str, body: &Value, values: &Value, notes: &mut Vec<String>) -> Result<Stage> {
    let within = |e: Error| e.within(format!("cannot read stage `{name}`"));
    let fill = |text: &str| fill(text, values).map_err(within);
    let commands: Vec<String> = match &body["cmd"] {
        Value::String(text) => vec![fill(text)?],
        Value::Array(lines) => lines.iter().map(|line| fill(&shown(line))).collect::<Result<_>>()?,
        _ => return Err(within(Error::invalid("it has no `cmd`"))),
    };
    let mut stage = Stage {
        id: step_id(name),
        command: commands.join("\n"),
        folder: body["wdir"].as_str().map(fill).transpose()?,
        ..Stage::default()
    };
    for dependency in body["deps"].as_array().into_iter().flatten() {
        stage.reads.push(fill(&path_of(dependency))?);
    }
    for field in ["outs", "metrics", "plots"] {
        for made in body[field].as_array().into_iter().flatten() {
            stage.makes.push(fill(&path_of(made))?);
        }
    }
    for param in body["params"].as_array().into_iter().flatten() {
        match param {
            Value::String(param) => stage.params.push(fill(param)?),
            other => notes.push(format!("stage `{name}`: the parameters {other} are of another file")),
        }
    }
    for field in ["frozen", "always_changed"] {
        if body[field] == json!(true) {
            notes.push(format!("stage `{name}`: `{field}` is not taken over"));
        }
    }
    Ok(stage)
}

/// An entry of a list is a path, or a map from the path to settings.
fn path_of(entry: &Value) -> String {
    match entry.as_object().and_then(|fields| fields.keys().next()) {
        Some(path) => path.clone(),
        None => shown(entry),
    }
}

fn steps(stages: &[Stage], values: &Value) -> Vec<Step> {
    let mut makers: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, stage) in stages.iter().enumerate() {
        for (place, path) in stage.makes.iter().enumerate() {
            makers.entry(path).or_insert((at, place));
        }
    }
    let ids = unique(stages.iter().map(|stage| stage.id.as_str()));
    stages
        .iter()
        .enumerate()
        .map(|(at, stage)| {
            let (mut inputs, mut wired, mut files) = (Vec::new(), BTreeMap::new(), Vec::new());
            for path in &stage.reads {
                match makers.get(path.as_str()).filter(|(maker, _)| *maker != at) {
                    Some((maker, place)) => {
                        let port = format!("in{}", inputs.len() + 1);
                        inputs.push(format!("{port}:files={path}"));
                        let wire = Wire { step: ids[*maker].clone(), port: format!("out{}", place + 1) };
                        wired.insert(port, vec![wire]);
                    }
                    None => files.push(path.clone()),
                }
            }
            let outputs: Vec<String> = stage
                .makes
                .iter()
                .enumerate()
                .map(|(place, path)| format!("out{}:files={path}", place + 1))
                .collect();
            let command = match &stage.folder {
                Some(folder) => format!("cd {}\n{}", quoted(folder), stage.command),
                None => stage.command.clone(),
            };
            let chosen =
                stage.params.iter().filter_map(|name| Some((name.clone(), at_path(values, name)?.clone())));
            let params = json!({
                "command": command,
                "inputs": inputs,
                "outputs": outputs,
                "files": files,
                "parameters": chosen.collect::<Map<_, _>>(),
                "folder": "project",
            });
            Step {
                id: ids[at].clone(),
                kind: "command".to_owned(),
                params: params.as_object().cloned().unwrap_or_default(),
                inputs: wired,
                ..Step::default()
            }
        })
        .collect()
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A name of DVC as an id of ours.
fn step_id(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let id: String = name.chars().map(plain).take(50).collect();
    if id.starts_with(|c: char| c.is_ascii_lowercase()) { id } else { format!("s_{id}") }
}

fn unique<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut taken = BTreeSet::new();
    ids.map(|id| {
        let names = std::iter::once(id.to_owned()).chain((2..).map(|n| format!("{id}_{n}")));
        let free = names.into_iter().find(|name| !taken.contains(name)).unwrap_or_default();
        taken.insert(free.clone());
        free
    })
    .collect()
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn at_path<'a>(values: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(values, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// A text that is one template and nothing else stands for a value of any kind.
fn whole_template(text: &str, values: &Value) -> Result<Value> {
    let inside = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let path = inside.map(str::trim).unwrap_or(text);
    at_path(values, path).cloned().ok_or_else(|| unknown(path))
}

fn unknown(path: &str) -> Error {
    Error::invalid(format!("`${{{path}}}` names nothing")).hint("define it in `params.yaml` or in `vars`")
}

/// Puts values in place of `${…}`.
fn fill(text: &str, values: &Value) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (path, after) = after.split_once('}').ok_or_else(|| {
            Error::invalid(format!("a template in `{text}` has no end")).hint("close it with `}`")
        })?;
        let path = path.trim();
        filled.push_str(&shown(at_path(values, path).ok_or_else(|| unknown(path))?));
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DVC: &str = r"
vars:
  - raw: data/raw.csv
stages:
  prepare:
    cmd: python prepare.py ${raw} ${prepare.split}
    deps: [prepare.py, '${raw}']
    params: [prepare.split]
    outs:
      - data/clean.csv:
          cache: false
  train-model:
    foreach: [small, large]
    do:
      cmd:
        - python train.py --size ${item}
        - echo done
      wdir: model's
      deps: [train.py, data/clean.csv]
      outs: ['model_${item}.pkl']
      metrics:
        - metrics_${item}.json:
            cache: false
";
    const PARAMS: &str = "prepare: { split: 0.2 }";

    #[test]
    fn stages_become_steps_that_are_wired_by_their_files() {
        let imported = import("dvc", DVC, Some(PARAMS)).expect("a DVC pipeline");
        let steps = &imported.pipeline.steps;
        let ids: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        assert_eq!(ids, ["prepare", "train_model_small", "train_model_large"]);
        assert_eq!(steps[0].params["command"], "python prepare.py data/raw.csv 0.2");
        assert_eq!(steps[0].params["files"], json!(["prepare.py", "data/raw.csv"]));
        assert_eq!(steps[0].params["outputs"], json!(["out1:files=data/clean.csv"]));
        assert_eq!(steps[0].params["parameters"], json!({ "prepare.split": 0.2 }));
        assert_eq!(steps[1].inputs["in1"][0].to_string(), "prepare.out1");
        assert_eq!(steps[1].params["inputs"], json!(["in1:files=data/clean.csv"]));
        assert_eq!(steps[2].params["command"], "cd 'model'\\''s'\npython train.py --size large\necho done");
        assert_eq!(
            steps[2].params["outputs"],
            json!(["out1:files=model_large.pkl", "out2:files=metrics_large.json"])
        );
        assert!(imported.notes.is_empty(), "{:?}", imported.notes);
        // The wires fit the ports that the parameters name, and what is made reads back.
        assert!(crate::graph::Graph::build(&imported.pipeline).is_ok());
        assert_eq!(Pipeline::parse(&imported.pipeline.to_text()).expect("what we write").steps.len(), 3);
    }

    #[test]
    fn what_is_no_pipeline_of_dvc_is_refused_with_the_place() {
        for (text, message) in [
            ("a: [", "`dvc.yaml` is no YAML"),
            ("metrics: []", "the file has no `stages`"),
            ("stages: { a: { deps: [x] } }", "cannot read stage `a`"),
            ("stages: { a: { cmd: 'x ${nothing}' } }", "cannot read stage `a`"),
            ("stages: { a: { cmd: 'x ${nothing' } }", "cannot read stage `a`"),
            ("stages: { a: { foreach: 5, do: { cmd: x } } }", "`foreach` of stage `a`"),
        ] {
            let error = import("dvc", text, None).expect_err(message);
            assert!(error.message.starts_with(message), "{text}: {error}");
        }
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(import("dvc", &format!("stages: {deep}"), None).is_err());
    }

    #[test]
    fn what_is_not_taken_over_is_said() {
        let text = "stages: { a: { cmd: x, frozen: true }, A: { cmd: y } }";
        let imported = import("dvc", text, None).expect("it reads");
        assert_eq!(imported.notes, ["stage `a`: `frozen` is not taken over"]);
        assert_eq!(imported.pipeline.steps[1].id, "a_2");
    }
}
