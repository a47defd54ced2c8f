//! `fettle dataset import` and its kin: where data comes from, and how it is read.

use std::io::IsTerminal as _;
use std::path::Path;

use base::{Error, Result};
use serde_json::{Value, json};

use super::data::{cells, imported};
use super::{Context, rows, text};
use crate::absolute;
use crate::args::data::{ConnectionKind, ConnectionTls, ConnectionVerb, FolderArgs};

/// How something is imported.
pub struct Wanted<'a> {
    /// The dataset's name.
    pub name: &'a Option<String>,
    /// What was said of how to read it.
    pub options: Option<&'a str>,
    /// The most bytes that are fetched.
    pub max_size: Option<u64>,
    /// What was said of a folder.
    pub folder: &'a FolderArgs,
}

/// Imports a file, a folder or what is at an address.
pub fn import(context: &Context, file: &Path, wanted: &Wanted) -> Result<Value> {
    if let Some(url) =
        file.to_str().filter(|text| text.starts_with("https://") || text.starts_with("http://"))
    {
        return fetch(context, url, wanted);
    }
    let place = with_folder(json!({ "path": absolute(file)? }), wanted.folder);
    let options = match wanted.options {
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
    request["name"] = json!(wanted.name);
    request["options"] = json!(options);
    context.job("dataset.import", request, imported)
}

fn fetch(context: &Context, url: &str, wanted: &Wanted) -> Result<Value> {
    let options = wanted.options.map(|given| corrected(json!({}), given)).transpose()?;
    if wanted.options.is_some_and(|given| !is_complete(given)) {
        return Err(Error::invalid("what is at an address is not known before it is fetched")
            .hint("import it without `--options`, then correct it with `fettle dataset reread`"));
    }
    let request = json!({
        "url": url, "name": wanted.name, "options": options, "maxBytes": wanted.max_size,
    });
    context.job("dataset.fetch", with_folder(request, wanted.folder), imported)
}

/// Imports the answer of a query.
pub fn ask(context: &Context, connection: &str, query: &str, wanted: &Wanted) -> Result<Value> {
    let request = json!({
        "connection": connection, "query": query, "name": wanted.name, "maxBytes": wanted.max_size,
        "password": known_password(connection),
    });
    context.job("dataset.ask", request, imported)
}

/// The password that the environment of this call holds: a daemon may have another one.
fn known_password(connection: &str) -> Option<String> {
    std::env::var(engine::connections::variable(connection)).ok().filter(|text| !text.is_empty())
}

/// `fettle connection`.
pub fn connection(context: &Context, verb: &ConnectionVerb) -> Result<u8> {
    match verb {
        ConnectionVerb::Add { name, kind, host, port, database, user, tls, password_stdin } => {
            let kind = match kind {
                ConnectionKind::Postgres => "postgres",
            };
            let tls = tls.map(|tls| match tls {
                ConnectionTls::Verified => "verified",
                ConnectionTls::Off => "off",
            });
            let request = json!({
                "name": name, "kind": kind, "host": host, "port": port, "database": database, "user": user,
                "tls": tls, "password": password(*password_stdin)?,
            });
            let added: Value = context.backend.call("connection.add", request)?;
            context.printer.result(&added, |added| {
                let trouble = added["trouble"].as_str().map(|trouble| format!("\nnote: {trouble}"));
                format!("added `{name}`{}", trouble.unwrap_or_default())
            });
            Ok(0)
        }
        ConnectionVerb::List => {
            let list: Value = context.backend.call("connection.list", json!({}))?;
            let fields = ["name", "kind", "host", "port", "database", "user", "tls"];
            context.printer.result(&list, |list| rows(list, &fields, &[]));
            Ok(0)
        }
        ConnectionVerb::Test { name } => {
            let request = json!({ "name": name, "password": known_password(name) });
            let job = context.backend.run_job("connection.test", request, context.printer)?;
            context.printer.result(&job.result.unwrap_or_default(), |result| text(&result["server"]));
            Ok(0)
        }
        ConnectionVerb::Preview { name, query } => {
            let request = json!({ "name": name, "query": query, "password": known_password(name) });
            let job = context.backend.run_job("connection.preview", request, context.printer)?;
            context.printer.result(&job.result.unwrap_or_default(), cells);
            Ok(0)
        }
        ConnectionVerb::Remove { name } => {
            let _: Value = context.backend.call("connection.remove", json!({ "name": name }))?;
            context.printer.result(&json!({ "name": name }), |_| format!("removed `{name}`"));
            Ok(0)
        }
    }
}

/// A password out of standard input, or from whoever sits at a terminal; none from nobody.
fn password(is_piped: bool) -> Result<Option<String>> {
    let failed = |e| Error::new(base::Code::Unavailable, "cannot read the password").because(e);
    let read = if is_piped {
        let mut text = String::new();
        std::io::stdin().read_line(&mut text).map_err(failed)?;
        text.trim_end_matches(['\r', '\n']).to_owned()
    } else if std::io::stdin().is_terminal() {
        rpassword::prompt_password("password (empty for none): ").map_err(failed)?
    } else {
        String::new()
    };
    Ok((!read.is_empty()).then_some(read))
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
