//! The model package: an MLflow model directory whose graph goes from raw columns to answers.
//! `score` reads it, and so do `mlflow.pyfunc` and onnxruntime. The same model gives the same
//! bytes: there is no time and no random number in any of the files.

mod graph;
mod mlflow;
mod rows;

use std::path::Path;

use base::{Error, Result};
use data::{Kind, Task};
use score::{Card, Golden, Importance, Input, Lineage, Output, Package, Signature};
use serde_json::{Map, Value};

use crate::prepare::TargetColumn;
use crate::recipe::Recipe;
use crate::trainers::{Fitted, Trainer};

pub use rows::{predictions_of, raw_batch};

/// What goes into a package.
#[derive(Debug)]
pub struct PackageParts<'a> {
    /// The trained model.
    pub fitted: &'a Fitted,
    /// The transforms of the table it was trained on.
    pub recipe: &'a Recipe,
    /// The target.
    pub target: &'a TargetColumn,
    /// The profiles that monitors compare with, as JSON.
    pub baseline: Value,
    /// One raw row, by column; what the model says to it becomes the health gate.
    pub example: Map<String, Value>,
    /// Where the model comes from.
    pub lineage: Lineage,
}

/// Writes a package into an empty or new folder and proves that it loads and answers.
///
/// # Errors
/// If a file cannot be written, or the package does not answer.
pub fn write_package(folder: &Path, parts: &PackageParts<'_>) -> Result<Card> {
    std::fs::create_dir_all(folder).map_err(|error| Error::io("create", folder, &error))?;
    let recipe = parts.recipe.for_features(&parts.fitted.features)?;
    let signature = signature(parts, &recipe)?;
    let model = graph::build(parts, &recipe, &signature)?;
    for (name, bytes) in mlflow::files(&model, &signature, &parts.example) {
        write(&folder.join(name), bytes.as_bytes())?;
    }
    write(&folder.join("model.onnx"), &model)?;
    let mut card = card(parts, recipe, signature);
    write_card(folder, &card)?;
    let package = Package::load(folder)?;
    let example: Map<String, Value> = card
        .signature
        .inputs
        .iter()
        .map(|input| (input.name.clone(), example_of(parts, &input.name)))
        .collect();
    let answer = package.predict(&rows::example_batch(&card.signature.inputs, &example)?)?;
    let outputs = answer.columns.iter().map(|(name, values)| (name.clone(), values.json(0))).collect();
    card.golden = Some(Golden { inputs: example, outputs });
    write_card(folder, &card)?;
    Ok(card)
}

/// Writes `fettle.json` again, such as with the proof of parity added.
///
/// # Errors
/// If the file cannot be written.
pub fn write_card(folder: &Path, card: &Card) -> Result<()> {
    let mut text = serde_json::to_string_pretty(card)
        .map_err(|error| Error::internal("cannot write the card of the model").because(error))?;
    text.push('\n');
    write(&folder.join(Card::FILE), text.as_bytes())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    std::fs::write(path, bytes).map_err(|error| Error::io("write", path, &error))
}

fn example_of(parts: &PackageParts<'_>, input: &str) -> Value {
    parts.example.get(input).cloned().unwrap_or(Value::Null)
}

fn card(parts: &PackageParts<'_>, recipe: Recipe, signature: Signature) -> Card {
    let fitted = parts.fitted;
    let mut importance: Vec<Importance> = fitted
        .features
        .iter()
        .zip(fitted.model.importance())
        .map(|(feature, value)| Importance { feature: feature.clone(), value })
        .collect();
    importance.sort_by(|a, b| b.value.total_cmp(&a.value));
    Card {
        format: Card::FORMAT,
        task: match parts.target.task {
            Task::Binary => score::Task::Binary,
            Task::Multiclass => score::Task::Multiclass,
            Task::Regression => score::Task::Regression,
        },
        target: parts.target.name.clone(),
        classes: parts.target.classes.clone(),
        signature,
        recipe: serde_json::to_value(recipe).expect("a recipe is plain data"),
        trainer: score::Trainer { kind: format!("train_{}", fitted.trainer), params: fitted.params.clone() },
        features: fitted.features.clone(),
        importance,
        baseline: parts.baseline.clone(),
        golden: None,
        lineage: parts.lineage.clone(),
        parity: None,
    }
}

fn signature(parts: &PackageParts<'_>, recipe: &Recipe) -> Result<Signature> {
    let takes_missing = Trainer::of(parts.fitted.trainer)?.takes_missing;
    let required = recipe.required(takes_missing);
    let inputs = recipe
        .inputs
        .iter()
        .map(|input| Input {
            name: input.name.clone(),
            kind: score_kind(input.kind),
            required: required.contains(&input.name.as_str()),
        })
        .collect();
    // Names in a graph are unique, so an answer that is named as an input gives way.
    let free = |name: String| {
        let mut name = name;
        while recipe.inputs.iter().any(|input| input.name == name) {
            name.push('_');
        }
        name
    };
    let mut outputs = Vec::new();
    if parts.target.task == Task::Regression {
        outputs.push(Output { name: free("prediction".into()), kind: score::Kind::Number });
    } else {
        let kind = if has_whole_labels(parts.target) { score::Kind::Integer } else { score::Kind::Text };
        outputs.push(Output { name: free("label".into()), kind });
        for class in &parts.target.classes {
            outputs.push(Output { name: free(format!("probability_{class}")), kind: score::Kind::Number });
        }
    }
    Ok(Signature { inputs, outputs })
}

/// True if the classes are whole numbers, which the answer then is too.
fn has_whole_labels(target: &TargetColumn) -> bool {
    target.kind.is_numeric() && target.classes.iter().all(|class| class.parse::<i64>().is_ok())
}

fn score_kind(kind: Kind) -> score::Kind {
    match kind {
        Kind::Integer => score::Kind::Integer,
        Kind::Number => score::Kind::Number,
        Kind::Boolean => score::Kind::Boolean,
        Kind::Text => score::Kind::Text,
        Kind::Time => score::Kind::Time,
    }
}
