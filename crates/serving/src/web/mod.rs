//! The OpenAPI document and the page to try the model in a browser. Both are written by hand.

use std::collections::BTreeSet;

use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use score::Kind;
use serde_json::{Map, Value as Json, json};

use crate::models::Models;

/// The document as it stands in the file; the model's own part is added when it is asked for.
pub const OPENAPI: &str = include_str!("openapi.json");
const PAGE: &str = include_str!("page.html");

/// The page. It holds nothing of the model but its name, so that it needs no token to be read;
/// what it shows it asks for with the token that its user types.
pub fn page(name: &str) -> Response {
    let safe: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' }).collect();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
                  base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers =
        [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, policy)];
    (headers, PAGE.replace("{{name}}", &safe)).into_response()
}

/// The document with the names of the models, and the columns of the first of them.
pub fn openapi(models: &Models) -> Response {
    let first = models.first();
    // The file is checked by a test, so it always reads.
    let mut document: Json = serde_json::from_str(OPENAPI).unwrap_or_default();
    document["info"]["title"] = json!(format!("{} (version {})", first.name, first.current.version));
    // The models and versions there are, so that tools made for OpenAPI ask for them.
    let names: Vec<&str> = models.all().iter().map(|model| model.name.as_str()).collect();
    let versions: BTreeSet<&str> = models.served().map(|served| served.version.as_str()).collect();
    document["components"]["parameters"]["model"]["schema"]["enum"] = json!(names);
    document["components"]["parameters"]["version"]["schema"]["enum"] = json!(versions);
    let columns = first.current.package.columns();
    let properties: Map<String, Json> = columns
        .iter()
        .map(|(name, kind)| (name.clone(), json!({ "type": [json_type(*kind), "null"] })))
        .collect();
    document["components"]["schemas"]["Row"] = json!({ "type": "object", "properties": properties });
    let golden = first.current.package.card().and_then(|card| card.golden.as_ref());
    if let Some(golden) = golden {
        document["components"]["schemas"]["Row"]["examples"] = json!([golden.inputs]);
    }
    axum::Json(document).into_response()
}

fn json_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer | Kind::Number => "number",
        Kind::Boolean => "boolean",
        Kind::Text | Kind::Time => "string",
    }
}
