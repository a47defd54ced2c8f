//! `fettle dataset import` and its kin: where data comes from, and how it is read.

use std::path::Path;

use base::{Error, Result};
use serde_json::{Value, json};

use super::Context;
use super::data::imported;
use crate::absolute;
use crate::args::FolderArgs;

/// Imports a file or folder, and chooses what is to be predicted.
pub fn import(
    context: &Context,
    file: &Path,
    name: Option<&str>,
    (options, folder): (Option<&str>, &FolderArgs),
    target: Option<&str>,
) -> Result<u8> {
    let place = with_folder(json!({ "path": absolute(file)? }), folder);
    let options = match options {
        Some(given) => {
            let sniffed: Result<Value> = context.backend.call("dataset.sniff", &place);
            match (sniffed, is_complete(given)) {
                (Ok(sniffed), _) => Some(corrected(sniffed["options"].clone(), given)?),
                // Whoever says everything needs no guess.
                (Err(_), true) => Some(corrected(json!({}), given)?),
                (Err(error), false) => return Err(error),
            }
        }
        None => None,
    };
    let mut request = place;
    request["name"] = json!(name);
    request["options"] = json!(options);
    let imported = context.job("dataset.import", request, imported)?;
    if let Some(target) = target {
        let request = json!({ "dataset": imported["dataset"], "target": target });
        let _: Value = context.backend.call("dataset.set_target", context.request(request))?;
    }
    Ok(0)
}

/// Reads what a version keeps in another way.
pub fn reread(context: &Context, which: Value, options: &str) -> Result<u8> {
    let shown: Value = context.backend.call("dataset.show", context.request(which.clone()))?;
    let mut request = which;
    request["options"] = corrected(shown["options"].clone(), options)?;
    context.job("dataset.reread", request, imported)?;
    Ok(0)
}

/// The request with what was said of a folder, if anything was.
pub fn with_folder(mut request: Value, folder: &FolderArgs) -> Value {
    let FolderArgs { together, files, only, path_column, no_partitions } = folder;
    if *together || *files || *no_partitions || only.is_some() || path_column.is_some() {
        request["folder"] = json!({
            "asFiles": files, "only": only, "pathColumn": path_column, "partitions": !no_partitions,
        });
    }
    request
}

fn is_complete(options: &str) -> bool {
    let given: Value = serde_json::from_str(options).unwrap_or_default();
    ["encoding", "delimiter", "nulls", "kinds"].iter().all(|name| given.get(name).is_some())
}

/// The options with those that the user gave in the place of what was guessed.
fn corrected(mut options: Value, given: &str) -> Result<Value> {
    let given: Value =
        serde_json::from_str(given).map_err(|e| Error::invalid("`--options` is not JSON").because(e))?;
    let given = given.as_object().ok_or_else(|| {
        Error::invalid("`--options` is not an object").hint("write one such as '{\"delimiter\": \";\"}'")
    })?;
    for (name, value) in given {
        options[name] = value.clone();
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_options_take_the_place_of_guessed_ones_and_nothing_else() {
        let guessed = json!({ "delimiter": ",", "decimal": "." });
        let corrected = |given| corrected(guessed.clone(), given);
        assert_eq!(
            corrected("{\"delimiter\":\";\"}").expect("an object"),
            json!({ "delimiter": ";", "decimal": "." })
        );
        assert!(corrected("[]").is_err() && corrected("{").is_err());
    }
}
