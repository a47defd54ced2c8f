//! The bill of materials of a model, as CycloneDX 1.6 for machine learning: the model with its card,
//! and the data that it was made of.

use score::{Card, Task};
use serde_json::{Value, json};

/// What goes into it.
pub(crate) struct Parts<'a> {
    pub(crate) model: &'a str,
    pub(crate) version: u32,
    /// The hash of the package.
    pub(crate) package: &'a str,
    pub(crate) card: &'a Card,
    pub(crate) metrics: &'a Value,
    /// Dataset, version and hash of the content.
    pub(crate) data: Option<(String, u32, String)>,
    /// When, as ISO 8601.
    pub(crate) at: String,
    /// The files of the package with the BLAKE3 hashes of their content.
    pub(crate) files: Vec<(String, String)>,
}

/// The document.
pub(crate) fn document(parts: &Parts<'_>) -> Value {
    let reference = format!("model:{}@{}", parts.model, parts.version);
    let hash = |content: &str| json!([{ "alg": "BLAKE3", "content": content }]);
    let data = parts.data.as_ref().map(|(name, version, content)| {
        json!({
            "type": "data",
            "bom-ref": format!("data:{name}@{version}"),
            "name": name,
            "version": version.to_string(),
            "hashes": hash(content),
        })
    });
    let task = match parts.card.task {
        Task::Binary | Task::Multiclass => "classification",
        Task::Regression => "regression",
    };
    let formats = |names: Vec<(String, &str)>| -> Value {
        names.into_iter().map(|(name, kind)| json!({ "format": format!("{name}: {kind}") })).collect()
    };
    let signature = &parts.card.signature;
    let metrics = parts.metrics.as_object().into_iter().flatten();
    let metrics: Value =
        metrics.map(|(name, value)| json!({ "type": name, "value": value.to_string() })).collect();
    let files = parts.files.iter().map(|(name, content)| {
        json!({ "type": "file", "bom-ref": format!("file:{name}"), "name": name, "hashes": hash(content) })
    });
    let references: Vec<Value> = data.iter().map(|data| json!({ "ref": data["bom-ref"] })).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid_of(parts.package)),
        "version": 1,
        "metadata": {
            "timestamp": parts.at,
            "tools": { "components": [{
                "type": "application", "name": "Fettle", "version": env!("CARGO_PKG_VERSION"),
            }] },
            "component": {
                "type": "machine-learning-model",
                "bom-ref": reference,
                "name": parts.model,
                "version": parts.version.to_string(),
                "hashes": hash(parts.package),
                "modelCard": {
                    "modelParameters": {
                        "approach": { "type": "supervised" },
                        "task": task,
                        "architectureFamily": parts.card.trainer.kind,
                        "datasets": references,
                        "inputs": formats(signature.inputs.iter().map(|one| (one.name.clone(), one.kind.name())).collect()),
                        "outputs": formats(signature.outputs.iter().map(|one| (one.name.clone(), one.kind.name())).collect()),
                    },
                    "quantitativeAnalysis": { "performanceMetrics": metrics },
                },
            },
        },
        "components": data.clone().into_iter().chain(files).collect::<Vec<_>>(),
        "dependencies": [{
            "ref": reference,
            "dependsOn": data.iter().map(|data| data["bom-ref"].clone()).collect::<Vec<_>>(),
        }],
    })
}

/// An id with the form of a random UUID, made of the hash: the same package has the same one.
fn uuid_of(hash: &str) -> String {
    let digits: Vec<char> = hash.chars().chain(std::iter::repeat('0')).take(32).collect();
    let part = |range: std::ops::Range<usize>| digits[range].iter().collect::<String>();
    format!("{}-{}-4{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}
