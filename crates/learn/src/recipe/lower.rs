//! A recipe as nodes of an ONNX graph: from raw inputs to the features of the model.

use std::collections::HashMap;

use base::{Error, Result};
use data::Kind;

use super::expression::lower_expression;
use super::{Level, Op, Recipe, one_hot_name};
use crate::onnx::graph::{Attribute, Element, Graph, Name};

/// What a column is in the graph so far.
#[derive(Debug, Clone)]
pub(super) enum Lowered {
    /// `DOUBLE [rows]`, missing as `NaN`.
    Number(Name),
    /// `STRING [rows]`, missing as the empty string, which means this value once it is filled in.
    Text(Name, Option<String>),
    /// One column of `FLOAT [rows, width]`.
    Column { block: Name, at: usize, width: usize },
}

/// Columns by name.
pub(super) type Columns = HashMap<String, Lowered>;

/// Adds the inputs of a recipe and all its transforms to a graph and returns the features as
/// `FLOAT [rows, features]`, in the order asked for.
pub(crate) fn lower(recipe: &Recipe, features: &[String], graph: &mut Graph) -> Result<Name> {
    let mut columns = Columns::new();
    for input in &recipe.inputs {
        let element = if input.kind == Kind::Text { Element::String } else { Element::Double };
        graph.input(&input.name, element);
        let value = input.name.clone();
        let lowered =
            if input.kind == Kind::Text { Lowered::Text(value, None) } else { Lowered::Number(value) };
        columns.insert(input.name.clone(), lowered);
    }
    for op in &recipe.ops {
        lower_op(op, graph, &mut columns)?;
    }
    assemble(features, graph, &columns)
}

fn lower_op(op: &Op, graph: &mut Graph, columns: &mut Columns) -> Result<()> {
    match op {
        Op::Select { .. } => {}
        Op::Derive { name, expression } => {
            let value = lower_expression(expression, graph, columns)?;
            columns.insert(name.clone(), Lowered::Number(value));
        }
        Op::Impute { column, fill } => {
            let filled = match (get(columns, column)?, fill) {
                (Lowered::Text(value, None), Level::Text(fill)) => Lowered::Text(value, Some(fill.clone())),
                (text @ Lowered::Text(_, Some(_)), Level::Text(_)) => text,
                (lowered, fill) => {
                    let value = number(graph, lowered, column)?;
                    let fill = fill.as_number().ok_or_else(|| mismatch(column))?;
                    let fill = graph.doubles(&[], &[fill]);
                    let is_missing = graph.op("IsNaN", &[&value], &[]);
                    Lowered::Number(graph.op("Where", &[&is_missing, &fill, &value], &[]))
                }
            };
            columns.insert(column.clone(), filled);
        }
        Op::OneHot { column, levels } => {
            let lowered = get(columns, column)?;
            let block = one_hot(graph, lowered, column, levels)?;
            columns.remove(column);
            for (at, level) in levels.iter().enumerate() {
                let lowered = Lowered::Column { block: block.clone(), at, width: levels.len() };
                columns.insert(one_hot_name(column, level), lowered);
            }
        }
        Op::Ordinal { column, levels } => {
            let lowered = get(columns, column)?;
            let positions = positions(graph, lowered, column, levels)?;
            let value = graph.cast(&positions, Element::Double);
            columns.insert(column.clone(), Lowered::Number(value));
        }
        Op::Scale { column, offset, factor } => {
            let lowered = get(columns, column)?;
            let value = number(graph, lowered, column)?;
            let (offset, factor) = (graph.doubles(&[], &[*offset]), graph.doubles(&[], &[*factor]));
            let centred = graph.op("Sub", &[&value, &offset], &[]);
            columns.insert(column.clone(), Lowered::Number(graph.op("Mul", &[&centred, &factor], &[])));
        }
    }
    Ok(())
}

pub(super) fn get(columns: &Columns, name: &str) -> Result<Lowered> {
    columns
        .get(name)
        .cloned()
        .ok_or_else(|| Error::internal(format!("the recipe has no column `{name}` at this point")))
}

/// A column as `DOUBLE [rows]`.
pub(super) fn number(graph: &mut Graph, lowered: Lowered, name: &str) -> Result<Name> {
    match lowered {
        Lowered::Number(value) => Ok(value),
        Lowered::Column { block, at, .. } => {
            let column = graph.column(&block, at);
            Ok(graph.cast(&column, Element::Double))
        }
        Lowered::Text(..) => Err(mismatch(name)),
    }
}

fn mismatch(name: &str) -> Error {
    Error::invalid(format!("column `{name}` is text where a number is needed")).hint("add an `encode` step")
}

/// The levels of a column as `FLOAT [rows, levels]`.
fn one_hot(graph: &mut Graph, lowered: Lowered, name: &str, levels: &[Level]) -> Result<Name> {
    if matches!(lowered, Lowered::Text(..)) {
        let positions = positions(graph, lowered, name, levels)?;
        let all: Vec<i64> = (0..levels.len() as i64).collect();
        let attributes = [("cats_int64s", Attribute::Ints(all)), ("zeros", Attribute::Int(1))];
        return Ok(graph.ml_op("OneHotEncoder", &[&positions], &attributes));
    }
    let value = number(graph, lowered, name)?;
    let value = graph.as_column(&value);
    let values = level_numbers(levels, name)?;
    let values = graph.doubles(&[1, levels.len() as i64], &values);
    let is_level = graph.op("Equal", &[&value, &values], &[]);
    Ok(graph.cast(&is_level, Element::Float))
}

/// The position of each value among the levels as `INT64 [rows]`, -1 for any other value.
fn positions(graph: &mut Graph, lowered: Lowered, name: &str, levels: &[Level]) -> Result<Name> {
    if let Lowered::Text(value, fill) = lowered {
        let mut keys: Vec<String> = levels.iter().map(Level::label).collect();
        let mut values: Vec<i64> = (0..levels.len() as i64).collect();
        // What stands for a missing value is looked up under the empty string.
        if let Some(at) = fill.and_then(|fill| keys.iter().position(|key| *key == fill)) {
            keys.push(String::new());
            values.push(at as i64);
        }
        let attributes = [
            ("keys_strings", Attribute::Texts(keys)),
            ("values_int64s", Attribute::Ints(values)),
            ("default_int64", Attribute::Int(-1)),
        ];
        return Ok(graph.ml_op("LabelEncoder", &[&value], &attributes));
    }
    // The one 1 of a known value times its place from 1; nothing else gives 0. Less one, that
    // is the position, or -1.
    let block = one_hot(graph, lowered, name, levels)?;
    let places: Vec<f64> = (1..=levels.len()).map(|at| at as f64).collect();
    let places = graph.doubles(&[levels.len() as i64, 1], &places);
    let block = graph.cast(&block, Element::Double);
    let place = graph.op("MatMul", &[&block, &places], &[]);
    let one = graph.doubles(&[1], &[1.0]);
    let position = graph.op("Sub", &[&place, &one], &[]);
    let shape = graph.ints(&[1], &[-1]);
    let flat = graph.op("Reshape", &[&position, &shape], &[]);
    Ok(graph.cast(&flat, Element::Int64))
}

fn level_numbers(levels: &[Level], name: &str) -> Result<Vec<f64>> {
    levels.iter().map(|level| level.as_number().ok_or_else(|| mismatch(name))).collect()
}

/// Columns side by side as `FLOAT [rows, features]`. Numbers that follow each other are put
/// together before they are cast, and a whole block of levels is taken as it is.
fn assemble(features: &[String], graph: &mut Graph, columns: &Columns) -> Result<Name> {
    let mut parts: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < features.len() {
        let lowered = get(columns, &features[at])?;
        if let Lowered::Column { block, at: 0, width } = &lowered
            && is_whole_block(&features[at..], columns, block, *width)
        {
            parts.push(block.clone());
            at += width;
            continue;
        }
        let mut run = Vec::new();
        while at < features.len() {
            let lowered = get(columns, &features[at])?;
            if let (Lowered::Column { block, at: 0, width }, false) = (&lowered, run.is_empty())
                && is_whole_block(&features[at..], columns, block, *width)
            {
                break;
            }
            let value = number(graph, lowered, &features[at])?;
            run.push(graph.as_column(&value));
            at += 1;
        }
        let wide = concat(graph, &run);
        parts.push(graph.cast(&wide, Element::Float));
    }
    Ok(concat(graph, &parts))
}

fn concat(graph: &mut Graph, parts: &[Name]) -> Name {
    if let [only] = parts {
        return only.clone();
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    graph.op("Concat", &parts, &[("axis", Attribute::Int(1))])
}

fn is_whole_block(features: &[String], columns: &Columns, wanted: &str, width: usize) -> bool {
    features.len() >= width
        && features[..width].iter().enumerate().all(|(place, feature)| {
            matches!(columns.get(feature), Some(Lowered::Column { block, at, .. }) if block == wanted && *at == place)
        })
}
