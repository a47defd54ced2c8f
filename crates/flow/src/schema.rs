//! The JSON Schema of the pipeline file, so that editors complete and check it: made from the
//! declarations of all kinds.

use serde_json::{Map, Value, json};

use crate::frames::{MAX_NOTE, MAX_TITLE};
use crate::kind::StepKind;
use crate::kinds;
use crate::limits::MAX_RETRIES;

/// The schema of a pipeline file, draft 2020-12.
pub fn pipeline_schema() -> Value {
    let mut definitions = Map::new();
    let steps: Vec<Value> = kinds::all()
        .iter()
        .map(|kind| {
            let name = kind.declaration().kind;
            definitions.insert(name.to_owned(), step(*kind, &mut Map::new()));
            json!({ "$ref": format!("#/$defs/{name}") })
        })
        .collect();
    let wire = wire();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pipeline of Fettle",
        "type": "object",
        "required": ["format", "name"],
        "properties": {
            "format": {
                "enum": [1, 2],
                "description": "The format of the file: 2 if it has frames, skipped steps or declared ports.",
            },
            "name": {
                "type": "string",
                "pattern": "^[a-z0-9][a-z0-9_-]{0,59}$",
                "description": "The pipeline's name, which is also the file's.",
            },
            "input": {
                "type": "array",
                "description": "What a pipeline that uses this one as a step may wire into it.",
                "items": {
                    "type": "object",
                    "required": ["name", "to"],
                    "properties": {
                        "name": { "type": "string", "pattern": "^[a-z][a-z0-9_]{0,59}$" },
                        "to": { "type": "array", "items": wire, "minItems": 1 },
                    },
                    "additionalProperties": false,
                },
            },
            "output": {
                "type": "array",
                "description": "What such a pipeline may take from it.",
                "items": {
                    "type": "object",
                    "required": ["name", "from"],
                    "properties": {
                        "name": { "type": "string", "pattern": "^[a-z][a-z0-9_]{0,59}$" },
                        "from": wire,
                    },
                    "additionalProperties": false,
                },
            },
            "step": { "type": "array", "description": "The steps.", "items": { "oneOf": steps } },
            "frame": { "type": "array", "description": "Frames on the canvas.", "items": frame() },
        },
        "additionalProperties": false,
        "$defs": definitions,
    })
}

fn wire() -> Value {
    json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]*\\.[a-z][a-z0-9_]*$" })
}

fn frame() -> Value {
    json!({
        "type": "object",
        "required": ["id", "box"],
        "properties": {
            "id": { "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,59}$" },
            "title": { "type": "string", "maxLength": MAX_TITLE, "description": "One line." },
            "note": { "type": "string", "maxLength": MAX_NOTE, "description": "Any text, read as Markdown." },
            "tone": { "enum": ["grey", "blue", "green", "yellow", "red", "violet"], "description": "Its colour." },
            "box": {
                "type": "array",
                "items": { "type": "number" },
                "minItems": 4,
                "maxItems": 4,
                "description": "Left, top, width and height, in pixels.",
            },
        },
        "additionalProperties": false,
    })
}

fn step(kind: &dyn StepKind, definitions: &mut Map<String, Value>) -> Value {
    let said = kind.declaration();
    let mut params = kind.params_schema();
    if let Some(params) = params.as_object_mut() {
        params.remove("$schema");
        params.remove("title");
        if let Some(Value::Object(own)) = params.remove("$defs") {
            definitions.extend(own);
        }
    }
    let wire = wire();
    let port = |port: &crate::kind::Port| {
        let one_or_many = if port.is_many() {
            json!({ "anyOf": [wire.clone(), { "type": "array", "items": wire.clone() }] })
        } else {
            wire.clone()
        };
        let mut schema = one_or_many;
        schema["description"] = json!(port.doc);
        (port.name.to_string(), schema)
    };
    let inputs: Map<String, Value> = said.inputs.iter().map(port).collect();
    let other_ports = if kind.names_ports() {
        json!({ "anyOf": [wire.clone(), { "type": "array", "items": wire.clone() }] })
    } else {
        json!(false)
    };
    let mut schema = json!({
        "type": "object",
        "title": said.title,
        "description": said.summary,
        "required": ["id", "kind"],
        "properties": {
            "id": {
                "type": "string",
                "pattern": "^[a-z][a-z0-9_]{0,59}$",
                "description": "The step's name, unique in the pipeline.",
            },
            "kind": { "const": said.kind },
            "skip": { "type": "boolean", "description": "True if a run goes past it." },
            "position": {
                "type": "array",
                "items": { "type": "number" },
                "minItems": 2,
                "maxItems": 2,
                "description": "Where it stands on the canvas, in pixels.",
            },
            "params": params,
            "inputs": { "type": "object", "properties": inputs, "additionalProperties": other_ports },
            "retries": {
                "type": "integer",
                "minimum": 0,
                "maximum": MAX_RETRIES,
                "description": "How often it is tried again after a failure.",
            },
            "timeout": {
                "type": ["string", "integer"],
                "description": "How long one try may take, such as `90s`, `10m` or `2h`; a number is seconds.",
            },
            "cores": {
                "type": "integer",
                "minimum": 1,
                "description": "How many cores it gets, no more and no less.",
            },
            "memory": {
                "type": ["string", "integer"],
                "description": "How much memory it may take with all its processes, such as `512MB` or `2GiB`.",
            },
        },
        "additionalProperties": false,
    });
    if !definitions.is_empty() {
        // What the parameters refer to lies in the step, where `#/$defs` does not reach.
        rewrite(&mut schema["properties"]["params"], said.kind);
        for own in definitions.values_mut() {
            rewrite(own, said.kind);
        }
        schema["$defs"] = json!(definitions);
    }
    schema
}

/// Points references at the definitions of the step they stand in.
fn rewrite(value: &mut Value, kind: &str) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                match field {
                    Value::String(text) if name == "$ref" => {
                        *text = text.replacen("#/$defs/", &format!("#/$defs/{kind}/$defs/"), 1);
                    }
                    other => rewrite(other, kind),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, kind)),
        _ => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    match field {
                        Value::String(text) if name == "$ref" => found.push(text),
                        other => references(other, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => (),
        }
    }

    #[test]
    fn every_reference_of_the_schema_leads_somewhere_and_every_kind_is_in_it() {
        let schema = pipeline_schema();
        let mut found = Vec::new();
        references(&schema, &mut found);
        assert!(found.len() > kinds::all().len(), "kinds and their parameters: {}", found.len());
        for reference in found {
            let place = reference.strip_prefix('#').expect("within the file");
            assert!(schema.pointer(place).is_some(), "{reference} leads nowhere");
        }
        for kind in kinds::all() {
            let name = kind.declaration().kind;
            assert_eq!(schema["$defs"][name]["properties"]["kind"]["const"], name);
        }
    }
}
