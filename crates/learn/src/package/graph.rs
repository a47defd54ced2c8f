//! The whole graph of a package: raw inputs, transforms, model, answers of one dimension.

use base::Result;
use data::Task;
use score::{Kind, Signature};

use super::PackageParts;
use crate::onnx::graph::{Attribute, Element, Graph};
use crate::recipe::Recipe;
use crate::recipe::lower::lower;

/// The bytes of `model.onnx`.
pub fn build(parts: &PackageParts<'_>, recipe: &Recipe, signature: &Signature) -> Result<Vec<u8>> {
    let mut graph = Graph::default();
    let features = lower(recipe, &parts.fitted.features, &mut graph)?;
    let answers = parts.fitted.model.write(&mut graph, &features);
    let (first, rest) = signature.outputs.split_first().expect("a model has at least one output");
    if parts.target.task == Task::Regression {
        let column = graph.column(&answers, 0);
        graph.rename(&column, &first.name);
        graph.output(&first.name, Element::Float);
    } else {
        let attributes = [("axis", Attribute::Int(1)), ("keepdims", Attribute::Int(0))];
        let best = graph.op("ArgMax", &[&answers], &attributes);
        let element = if first.kind == Kind::Integer { Element::Int64 } else { Element::String };
        let label = match element {
            Element::Int64 => {
                let classes: Vec<i64> = parts
                    .target
                    .classes
                    .iter()
                    .map(|class| class.parse().expect("checked to be whole"))
                    .collect();
                let classes = graph.ints(&[classes.len() as i64], &classes);
                graph.op("Gather", &[&classes, &best], &[("axis", Attribute::Int(0))])
            }
            _ => {
                let attributes = [
                    ("keys_int64s", Attribute::Ints((0..parts.target.classes.len() as i64).collect())),
                    ("values_strings", Attribute::Texts(parts.target.classes.clone())),
                    ("default_string", Attribute::Text(String::new())),
                ];
                graph.ml_op("LabelEncoder", &[&best], &attributes)
            }
        };
        graph.rename(&label, &first.name);
        graph.output(&first.name, element);
        for (class, output) in rest.iter().enumerate() {
            let column = graph.column(&answers, class);
            graph.rename(&column, &output.name);
            graph.output(&output.name, Element::Float);
        }
    }
    Ok(graph.into_bytes(&format!("predicts `{}`; written by Fettle", parts.target.name)))
}
