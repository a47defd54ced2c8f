//! What a model package says of itself beside the graph: `fettle.json`. The trainer writes it,
//! everything that shows or serves the model reads it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The whole of `fettle.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The format of this file; 1 is the only one so far.
    pub format: u32,
    /// What kind of answer the model gives.
    pub task: Task,
    /// The column that the model predicts.
    pub target: String,
    /// The classes in the order of the probabilities; empty for a regression.
    #[serde(default)]
    pub classes: Vec<String>,
    /// What goes in and what comes out.
    pub signature: Signature,
    /// The fitted transforms from raw columns to features, as the trainer wrote them.
    #[serde(default)]
    pub recipe: Value,
    /// What fitted the model.
    pub trainer: Trainer,
    /// The features in the order in which the trainer saw them.
    #[serde(default)]
    pub features: Vec<String>,
    /// How much each feature matters, largest first.
    #[serde(default)]
    pub importance: Vec<Importance>,
    /// The profile of the training data and of the predictions, which monitors compare with.
    #[serde(default)]
    pub baseline: Value,
    /// One row with its right answer: the health gate of a deployment.
    #[serde(default)]
    pub golden: Option<Golden>,
    /// Where the model comes from.
    #[serde(default)]
    pub lineage: Lineage,
    /// The proof that the package answers as the trainer did, once it was given.
    #[serde(default)]
    pub parity: Option<Parity>,
}

impl Card {
    /// The format that this version writes, and the newest it reads.
    pub const FORMAT: u32 = 1;
    /// The name of the file in a package.
    pub const FILE: &'static str = "fettle.json";
}

/// What kind of answer a model gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// True or false.
    Boolean,
    /// Text.
    Text,
    /// A date or a moment.
    Time,
}

impl Kind {
    /// The word used on the wire and in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Time => "time",
        }
    }
}

/// What goes in and what comes out of a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Signature {
    /// The raw columns, in order.
    pub inputs: Vec<Input>,
    /// The columns of the answer, in order.
    pub outputs: Vec<Output>,
}

/// A raw column that a model reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its name, which is also the name of the graph's input.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// False if a request may leave the column out, which makes it missing in every row.
    #[serde(default = "yes")]
    pub required: bool,
}

/// A column of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its name, which is also the name of the graph's output.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
}

/// What fitted a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trainer {
    /// The step kind, such as `train_boosting`.
    pub kind: String,
    /// Its parameters.
    #[serde(default)]
    pub params: Value,
}

/// How much one feature matters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The feature.
    pub feature: String,
    /// Its weight; the unit is the trainer's own.
    pub value: f64,
}

/// One row with its right answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Golden {
    /// The value of each raw column; null is missing.
    pub inputs: Map<String, Value>,
    /// The value of each column of the answer.
    pub outputs: Map<String, Value>,
}

/// Where a model comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The dataset.
    #[serde(default)]
    pub dataset: Option<String>,
    /// The version of the dataset.
    #[serde(default)]
    pub version_id: Option<String>,
    /// The run.
    #[serde(default)]
    pub run_id: Option<String>,
    /// The step of the run's pipeline.
    #[serde(default)]
    pub step: Option<String>,
    /// The project.
    #[serde(default)]
    pub project: Option<String>,
}

/// The proof that the package answers as the trainer did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parity {
    /// The rows compared.
    pub rows: u64,
    /// The largest difference of any number in the answers.
    pub max_abs_diff: f64,
    /// When it was proved, in milliseconds since the epoch.
    pub at: i64,
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_with_only_the_needed_fields_is_read_and_written_back() {
        let text = r#"{"format":1,"task":"binary","target":"y","signature":
            {"inputs":[{"name":"a","kind":"number"}],"outputs":[]},"trainer":{"kind":"train_linear"}}"#;
        let card: Card = serde_json::from_str(text).expect("the rest has defaults");
        assert!(card.signature.inputs[0].required);
        let again = serde_json::from_str(&serde_json::to_string(&card).expect("writes")).expect("reads");
        assert_eq!(card, again);
    }
}
