//! The file `MLmodel` of an MLflow model directory, as far as serving needs it: which file holds
//! the graph, and the names of the columns where a signature has them. It is YAML as MLflow
//! writes it (block maps, plain or quoted scalars); this is no reader for all of YAML.

use base::{Code, Error, Result};
use serde_json::Value as Json;

use crate::card::Kind;

/// What `MLmodel` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// The file of the graph, relative to the directory.
    pub model_file: String,
    /// The named columns of the signature; empty if it speaks of tensors or is not there.
    pub columns: Vec<(String, Kind)>,
}

impl Manifest {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] if the model has no ONNX flavour, [`Code::Corrupt`] for a path
    /// that leaves the directory.
    pub fn parse(text: &str) -> Result<Self> {
        let scalars = scalars(text);
        let find =
            |path: &[&str]| scalars.iter().find(|(own, _)| own == path).map(|(_, value)| value.as_str());
        let model_file = find(&["flavors", "onnx", "data"]).ok_or_else(|| {
            Error::invalid("the MLflow model has no `onnx` flavour")
                .hint("save it with `mlflow.onnx.save_model`, or serve it with MLflow itself")
        })?;
        let stays_inside = !model_file.is_empty()
            && std::path::Path::new(model_file)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !stays_inside {
            return Err(Error::new(Code::Corrupt, format!("`MLmodel` names the model file `{model_file}`"))
                .hint("it must be a path inside of the model directory"));
        }
        let columns = find(&["signature", "inputs"]).map(columns).unwrap_or_default();
        Ok(Self { model_file: model_file.to_owned(), columns })
    }
}

/// The columns of a signature written as JSON, if every input is a named column.
fn columns(text: &str) -> Vec<(String, Kind)> {
    let Ok(Json::Array(inputs)) = serde_json::from_str::<Json>(text) else { return Vec::new() };
    let column = |input: &Json| {
        let kind = match input["type"].as_str()? {
            "integer" | "long" => Kind::Integer,
            "float" | "double" => Kind::Number,
            "boolean" => Kind::Boolean,
            "string" => Kind::Text,
            "datetime" => Kind::Time,
            _ => return None,
        };
        Some((input["name"].as_str()?.to_owned(), kind))
    };
    inputs.iter().map(column).collect::<Option<_>>().unwrap_or_default()
}

/// Every scalar of a tree of maps with its path. Lists and block scalars are passed over.
fn scalars(text: &str) -> Vec<(Vec<String>, String)> {
    let mut path: Vec<(usize, String)> = Vec::new();
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if content.is_empty() || content.starts_with('#') || content.starts_with("- ") {
            continue;
        }
        let Some((key, value)) = content.split_once(':') else { continue };
        path.retain(|(outer, _)| *outer < indent);
        path.push((indent, key.trim().trim_matches(['"', '\'']).to_owned()));
        let mut value = value.trim().to_owned();
        // A long scalar goes on in the lines that are indented further, folded by spaces.
        while !value.is_empty() && !is_closed(&value) {
            let Some(next) = lines.next_if(|next| next.len() - next.trim_start().len() > indent) else {
                break;
            };
            value.push(' ');
            value.push_str(next.trim());
        }
        if !value.is_empty() {
            found.push((path.iter().map(|(_, key)| key.clone()).collect(), unquote(&value)));
        }
    }
    found
}

/// True unless the text opens a quote that it does not close.
fn is_closed(value: &str) -> bool {
    match value.chars().next() {
        Some(quote @ ('\'' | '"')) => {
            let quotes = value.chars().filter(|c| *c == quote).count();
            quotes % 2 == 0 && value.ends_with(quote)
        }
        _ => true,
    }
}

fn unquote(value: &str) -> String {
    let inside = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (inside('\''), inside('"')) {
        (Some(text), _) => text.replace("''", "'"),
        (_, Some(text)) => text.replace("\\\"", "\""),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN_BY_MLFLOW: &str = "\
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.23.2
    providers:
    - CUDAExecutionProvider
    - CPUExecutionProvider
  python_function:
    data: other.onnx
    env:
      conda: conda.yaml
model_uuid: 0123
signature:
  inputs: '[{\"type\": \"double\", \"name\": \"it''s\", \"required\": true},
    {\"type\": \"string\", \"name\": \"b\"}]'
  outputs: '[{\"type\": \"tensor\"}]'
";

    #[test]
    fn the_model_file_and_the_columns_are_found() {
        let manifest = Manifest::parse(WRITTEN_BY_MLFLOW).expect("this is what MLflow writes");
        assert_eq!(manifest.model_file, "model.onnx");
        assert_eq!(manifest.columns, [("it's".to_owned(), Kind::Number), ("b".to_owned(), Kind::Text)]);
    }

    #[test]
    fn a_path_out_of_the_directory_is_refused() {
        for path in ["../../etc/passwd", "/etc/passwd", "''", "a/../../b", "."] {
            let text = format!("flavors:\n  onnx:\n    data: {path}\n");
            assert_eq!(Manifest::parse(&text).expect_err(path).code, Code::Corrupt, "{path}");
        }
    }

    #[test]
    fn a_model_without_onnx_is_refused_with_a_way_out() {
        let error =
            Manifest::parse("flavors:\n  sklearn:\n    pickled_model: model.pkl\n").expect_err("no onnx");
        assert!(error.message.contains("onnx") && error.hint.is_some());
    }
}
