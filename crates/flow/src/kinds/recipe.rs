//! The fitted transforms of a model in words.

use learn::recipe::{Op, Recipe};
use serde_json::Value;

/// One sentence a transform; a recipe of another tool has none.
pub fn recipe_sentences(recipe: &Value) -> Vec<String> {
    let Ok(recipe) = serde_json::from_value::<Recipe>(recipe.clone()) else { return Vec::new() };
    recipe.ops.iter().map(sentence).collect()
}

fn sentence(op: &Op) -> String {
    match op {
        Op::Select { columns } => format!("keep {}", columns.join(", ")),
        Op::Derive { name, expression } => format!("`{name}` is {expression}"),
        Op::Impute { column, fill } => format!("a missing `{column}` is {}", fill.label()),
        Op::OneHot { column, levels } => {
            let labels: Vec<String> = levels.iter().take(8).map(learn::recipe::Level::label).collect();
            let more = if levels.len() > labels.len() { ", …" } else { "" };
            format!("`{column}` is one column for each of {}{more}", labels.join(", "))
        }
        Op::Ordinal { column, levels } => format!("`{column}` is its position among {} levels", levels.len()),
        Op::Scale { column, offset, factor } => {
            format!("`{column}` minus {} times {}", base::number(*offset, 5), base::number(*factor, 5))
        }
    }
}
