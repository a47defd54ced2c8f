//! The pipeline that Fettle builds for a dataset with a target: split, prepare, three trainers,
//! evaluate each, compare, check, register. It runs as it is and is meant to be changed.

use std::collections::BTreeMap;

use data::{Column, Kind, Task};
use serde_json::{Map, Value, json};

use crate::file::{Pipeline, Step, Wire};
use crate::layout::layout;

/// What a pipeline is built for.
#[derive(Debug, Clone)]
pub struct Purpose<'a> {
    /// The pipeline's name.
    pub name: &'a str,
    /// The dataset's name.
    pub dataset: &'a str,
    /// Its columns.
    pub columns: &'a [Column],
    /// The column to predict.
    pub target: &'a str,
    /// The task.
    pub task: Task,
    /// Columns that name a row rather than describe it, and are left out.
    pub left_out: &'a [String],
    /// The name of the model to register.
    pub model: &'a str,
}

/// The pipeline for this purpose, laid out.
pub fn build(purpose: &Purpose) -> Pipeline {
    let mut steps = Vec::new();
    let id = step_id(purpose.dataset);
    let mut params = Map::from_iter([("dataset".to_owned(), json!(purpose.dataset))]);
    params.insert("target".to_owned(), json!(purpose.target));
    steps.push(step(&id, "dataset", Value::Object(params), &[]));
    let mut last = format!("{id}.table");
    if !purpose.left_out.is_empty() {
        let params = json!({ "columns": purpose.left_out, "mode": "drop" });
        steps.push(step("select", "select", params, &[("table", &last)]));
        last = "select.table".to_owned();
    }
    let is_classes = purpose.task != Task::Regression;
    steps.push(step("split", "split", json!({ "stratify": is_classes }), &[("table", &last)]));
    steps.push(step("impute", "impute", json!({}), &[("table", "split.table")]));
    last = "impute.table".to_owned();
    let features = purpose.columns.iter().filter(|column| {
        column.name != purpose.target && !purpose.left_out.contains(&column.name) && !column.is_hidden()
    });
    if features.clone().any(|column| matches!(column.kind, Kind::Text | Kind::Boolean)) {
        steps.push(step("encode", "encode", json!({}), &[("table", &last)]));
        last = "encode.table".to_owned();
    }
    let mut models = Vec::new();
    for trainer in ["linear", "forest", "boosting"] {
        let (train, evaluate) = (trainer.to_owned(), format!("evaluate_{trainer}"));
        steps.push(step(&train, &format!("train_{trainer}"), json!({}), &[("table", &last)]));
        let model = format!("{train}.model");
        steps.push(step(&evaluate, "evaluate", json!({}), &[("model", &model), ("table", "split.table")]));
        models.push(format!("{evaluate}.model"));
    }
    let wires: Vec<(&str, &str)> = models.iter().map(|model| ("models", model.as_str())).collect();
    steps.push(step("best", "compare", json!({}), &wires));
    let (metric, at_least) = if is_classes { ("auc", 0.7) } else { ("r2", 0.3) };
    let params = json!({ "metric": metric, "at_least": at_least });
    steps.push(step("good_enough", "check", params, &[("metrics", "best.metrics")]));
    let wires = [("model", "best.best"), ("checks", "good_enough.passed")];
    steps.push(step("register", "register", json!({ "model": purpose.model }), &wires));
    let mut pipeline = Pipeline::of(purpose.name, steps);
    let positions = layout(&pipeline);
    for step in &mut pipeline.steps {
        step.position = positions[&step.id];
    }
    pipeline
}

/// A step id made from any name.
pub fn step_id(name: &str) -> String {
    let mut id: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '_' })
        .take(40)
        .collect();
    if !id.starts_with(|c: char| c.is_ascii_lowercase()) {
        id.insert_str(0, "data_");
    }
    id
}

fn step(id: &str, kind: &str, params: Value, wires: &[(&str, &str)]) -> Step {
    let mut inputs: BTreeMap<String, Vec<Wire>> = BTreeMap::new();
    for (port, from) in wires {
        let wire = from.parse().expect("wires here are written `step.port`");
        inputs.entry((*port).to_owned()).or_default().push(wire);
    }
    let params = params.as_object().cloned().unwrap_or_default();
    Step { id: id.to_owned(), kind: kind.to_owned(), params, inputs, ..Step::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;

    #[test]
    fn the_template_is_a_good_graph_for_every_task() {
        for task in [Task::Binary, Task::Multiclass, Task::Regression] {
            let columns = [
                Column::new("x", Kind::Text),
                Column::new("id", Kind::Integer),
                Column::new("y", Kind::Text),
            ];
            let left_out = ["id".to_owned()];
            let pipeline = build(&Purpose {
                name: "t",
                dataset: "2 birds",
                columns: &columns,
                target: "y",
                task,
                left_out: &left_out,
                model: "birds",
            });
            if let Err(problems) = Graph::build(&pipeline) {
                panic!("{problems:?}");
            }
            assert_eq!(Pipeline::parse(&pipeline.to_text()).expect("reads back"), pipeline);
        }
    }
}
