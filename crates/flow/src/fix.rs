//! Ways out of a problem that a program can go: one change to the pipeline each, with the words to
//! offer it by. Which of them is right is for a person to say; none is made by itself.

use std::fmt;

use serde_json::{Map, Value};

use crate::file::{Pipeline, Step, Wire};

/// Names offered in place of one that is not there, and wires in place of one that is missing.
pub const MOST_OFFERS: usize = 2;

/// A change to a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Fix {
    /// Give a parameter another value; none takes it away, back to its default.
    SetParam {
        /// The step.
        step: String,
        /// The parameter.
        param: String,
        /// Its new value.
        value: Option<Value>,
        /// How it is offered.
        words: String,
    },
    /// Make the step one of another kind.
    SetKind {
        /// The step.
        step: String,
        /// The kind.
        kind: String,
    },
    /// Wire an output to an input that has none.
    Connect {
        /// The step that gets it.
        step: String,
        /// Its input.
        port: String,
        /// The output.
        from: Wire,
    },
    /// Let a wire come from elsewhere.
    Rewire {
        /// The step that gets it.
        step: String,
        /// Its input.
        port: String,
        /// Where the wire comes from.
        wire: Wire,
        /// Where it comes from then.
        to: Wire,
    },
    /// Take a wire away.
    Disconnect {
        /// The step that gets it.
        step: String,
        /// Its input.
        port: String,
        /// Where it comes from.
        wire: Wire,
    },
    /// Keep this wire of an input that takes one only.
    KeepOnly {
        /// The step that gets it.
        step: String,
        /// Its input.
        port: String,
        /// Where it comes from.
        wire: Wire,
    },
    /// Move the wires of an input that is not there to another.
    MoveWires {
        /// The step.
        step: String,
        /// The input that is not there.
        port: String,
        /// The one that is.
        to: String,
    },
    /// Take a skipped step in again.
    TakeIn {
        /// The step.
        step: String,
    },
}

impl Fix {
    /// The pipeline with the change made. Where the step is gone, it is as it was.
    #[must_use]
    pub fn apply(&self, pipeline: &Pipeline) -> Pipeline {
        let mut changed = pipeline.clone();
        if let Some(step) = changed.steps.iter_mut().find(|step| step.id == self.step()) {
            self.change(step);
        }
        changed
    }

    /// The step it changes.
    pub fn step(&self) -> &str {
        match self {
            Self::SetParam { step, .. }
            | Self::SetKind { step, .. }
            | Self::Connect { step, .. }
            | Self::Rewire { step, .. }
            | Self::Disconnect { step, .. }
            | Self::KeepOnly { step, .. }
            | Self::MoveWires { step, .. }
            | Self::TakeIn { step } => step,
        }
    }

    fn change(&self, at: &mut Step) {
        match self {
            Self::SetParam { param, value: Some(value), .. } => {
                at.params.insert(param.clone(), value.clone());
            }
            Self::SetParam { param, value: None, .. } => {
                at.params.remove(param);
            }
            Self::SetKind { kind, .. } => at.kind.clone_from(kind),
            Self::Connect { port, from, .. } => {
                at.inputs.entry(port.clone()).or_default().push(from.clone());
            }
            Self::Rewire { port, wire, to, .. } => {
                let wires = at.inputs.entry(port.clone()).or_default();
                wires.iter_mut().filter(|one| *one == wire).for_each(|one| one.clone_from(to));
            }
            Self::Disconnect { port, wire, .. } => {
                if let Some(wires) = at.inputs.get_mut(port) {
                    wires.retain(|one| one != wire);
                }
            }
            Self::KeepOnly { port, wire, .. } => {
                at.inputs.insert(port.clone(), vec![wire.clone()]);
            }
            Self::MoveWires { port, to, .. } => {
                let moved = at.inputs.remove(port).unwrap_or_default();
                at.inputs.entry(to.clone()).or_default().extend(moved);
            }
            Self::TakeIn { .. } => at.skip = false,
        }
        at.inputs.retain(|_, wires| !wires.is_empty());
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetParam { words, .. } => f.write_str(words),
            Self::SetKind { kind, .. } => write!(f, "Use {kind}"),
            Self::Connect { from, .. } => write!(f, "Connect {from}"),
            Self::Rewire { to, .. } => write!(f, "Connect {to} instead"),
            Self::Disconnect { wire, .. } => write!(f, "Remove the wire from {wire}"),
            Self::KeepOnly { wire, .. } => write!(f, "Keep only {wire}"),
            Self::MoveWires { to, .. } => write!(f, "Connect to {to}"),
            Self::TakeIn { step } => write!(f, "Take {step} in again"),
        }
    }
}

/// Fixes of a parameter that names something that is not there: another name in its place, or, in a
/// list, nothing in its place.
pub fn rename_in_param(step: &Step, param: &str, wrong: &str, names: &[&str]) -> Vec<Fix> {
    let Some(value) = step.params.get(param).filter(|value| mentions(value, wrong)) else {
        return Vec::new();
    };
    let set = |value: Option<Value>, words: String| Fix::SetParam {
        step: step.id.clone(),
        param: param.to_owned(),
        value,
        words,
    };
    let mut fixes: Vec<Fix> = names
        .iter()
        .take(MOST_OFFERS)
        .map(|name| set(Some(renamed(value, wrong, name)), format!("Use {name}")))
        .collect();
    if let Value::Array(items) = value {
        let left: Vec<Value> = items.iter().filter(|item| **item != *wrong).cloned().collect();
        let left = Some(left).filter(|left| !left.is_empty()).map(Value::Array);
        fixes.push(set(left, format!("Leave out {wrong}")));
    }
    fixes
}

fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        Value::Object(fields) => fields.contains_key(name),
        _ => false,
    }
}

fn renamed(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) if text == from => Value::String(to.to_owned()),
        Value::Array(items) => Value::Array(items.iter().map(|item| renamed(item, from, to)).collect()),
        Value::Object(fields) => {
            let name = |name: &String| if name == from { to.to_owned() } else { name.clone() };
            Value::Object(fields.iter().map(|(key, value)| (name(key), value.clone())).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(params: Value) -> Step {
        let params = params.as_object().cloned().unwrap_or_default();
        Step { id: "s".to_owned(), params, ..Step::default() }
    }

    fn after(params: Value, wrong: &str, names: &[&str]) -> Vec<(String, Value)> {
        let step = step(params);
        let fixes = rename_in_param(&step, "columns", wrong, names);
        let pipeline = Pipeline::of("t", vec![step]);
        let made = |fix: &Fix| (fix.to_string(), json!(fix.apply(&pipeline).steps[0].params));
        fixes.iter().map(made).collect()
    }

    #[test]
    fn a_wrong_name_is_replaced_where_it_stands_or_left_out_of_a_list() {
        let in_list = after(json!({ "columns": ["agee", "sex"] }), "agee", &["age"]);
        assert_eq!(
            in_list,
            [
                ("Use age".to_owned(), json!({ "columns": ["age", "sex"] })),
                ("Leave out agee".to_owned(), json!({ "columns": ["sex"] })),
            ]
        );
        let alone = after(json!({ "columns": "agee" }), "agee", &["age"]);
        assert_eq!(alone, [("Use age".to_owned(), json!({ "columns": "age" }))]);
        let keys = after(json!({ "columns": { "agee": "years" } }), "agee", &["age"]);
        assert_eq!(keys[0].1, json!({ "columns": { "age": "years" } }));
        assert!(after(json!({ "columns": "other" }), "agee", &["age"]).is_empty());
    }

    #[test]
    fn the_last_name_of_a_list_goes_with_the_list() {
        let found = after(json!({ "columns": ["agee"] }), "agee", &[]);
        assert_eq!(found, [("Leave out agee".to_owned(), json!({}))]);
    }

    #[test]
    fn a_step_that_is_gone_is_not_missed() {
        let pipeline = Pipeline::of("t", Vec::new());
        assert_eq!(Fix::TakeIn { step: "gone".to_owned() }.apply(&pipeline), pipeline);
    }
}
