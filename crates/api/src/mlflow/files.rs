//! Files of runs and models: rows by path, contents as objects. Here is what needs no network:
//! which file a path means, what a folder holds, how one goes away.

use serde_json::{Value, json};
use store::tracking::artifacts::{self, Listed, StoredFile};
use store::{Tree, models};

use super::fields::Fields;
use super::refusal::{Answer, Refusal};
use super::{Tracking, forms, paths, rules, runs};

/// What a path means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    File(StoredFile),
    Folder,
    Nothing,
}

/// What is at a path.
pub(super) fn find(tracking: &Tracking, path: &str) -> Result<Found, Refusal> {
    if let Some((tree, inside)) = registered(tracking, path)? {
        let file = tree.entries.iter().find(|entry| entry.path == inside);
        let folder = format!("{inside}/");
        return Ok(match file {
            Some(entry) => Found::File(StoredFile { digest: entry.digest, size_bytes: entry.size }),
            None if tree.entries.iter().any(|entry| entry.path.starts_with(&folder)) => Found::Folder,
            None => Found::Nothing,
        });
    }
    let found = tracking.store().read(|db| match artifacts::find(db, path)? {
        Some(file) => Ok(Found::File(file)),
        None if artifacts::is_folder(db, path)? => Ok(Found::Folder),
        None => Ok(Found::Nothing),
    })?;
    Ok(found)
}

/// The package of a registered version, if that is where a path leads, and the path in it.
fn registered<'a>(tracking: &Tracking, path: &'a str) -> Result<Option<(Tree, &'a str)>, Refusal> {
    let Some(rest) = path.strip_prefix(forms::REGISTERED).and_then(|rest| rest.strip_prefix('/')) else {
        return Ok(None);
    };
    let (id, inside) = rest.split_once('/').unwrap_or((rest, ""));
    let Ok(id) = id.parse() else { return Ok(None) };
    let Ok(version) = tracking.store().read(|db| models::version(db, &id)) else { return Ok(None) };
    Ok(Some((tracking.store().objects().tree(&version.package)?, inside)))
}

fn listed(tracking: &Tracking, folder: &str) -> Result<Vec<Listed>, Refusal> {
    if let Some((tree, inside)) = registered(tracking, folder)? {
        return Ok(listed_in(&tree, inside));
    }
    Ok(tracking.store().read(|db| artifacts::list(db, folder))?)
}

fn listed_in(tree: &Tree, folder: &str) -> Vec<Listed> {
    let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut found: Vec<Listed> = Vec::new();
    for entry in &tree.entries {
        let Some(rest) = entry.path.strip_prefix(&start) else { continue };
        let (name, size_bytes) = match rest.split_once('/') {
            Some((name, _)) => (name, None),
            None => (rest, Some(entry.size)),
        };
        if !found.iter().any(|one| one.name == name) {
            found.push(Listed { name: name.to_owned(), size_bytes });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn form(one: &Listed, prefix: &str) -> Value {
    let mut map = json!({ "path": format!("{prefix}{}", one.name), "is_dir": one.size_bytes.is_none() });
    // An empty file has no size here, as in MLflow.
    if let Some(size) = one.size_bytes.filter(|size| *size > 0) {
        map["file_size"] = json!(size);
    }
    map
}

/// `GET mlflow-artifacts/artifacts`
pub(super) fn list(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let path = fields.text("path")?.unwrap_or_default().trim_end_matches('/');
    if !path.is_empty() {
        paths::check(path)?;
    }
    let found = listed(tracking, path)?;
    Ok(forms::list("files", found.iter().map(|one| form(one, "")).collect(), None))
}

/// The files of a run or model below its own root, with their paths from there.
pub(super) fn below(tracking: &Tracking, uri: &str, folder: &str) -> Result<Vec<Value>, Refusal> {
    let folder = folder.trim_end_matches('/');
    if !folder.is_empty() {
        paths::check(folder)?;
    }
    // Files that somebody else keeps are not ours to list.
    let Some(root) = paths::of_uri(uri) else { return Ok(Vec::new()) };
    let (path, prefix) = match folder {
        "" => (root.to_owned(), String::new()),
        _ => (format!("{root}/{folder}"), format!("{folder}/")),
    };
    Ok(listed(tracking, &path)?.iter().map(|one| form(one, &prefix)).collect())
}

/// `GET artifacts/list`
pub(super) fn list_of_run(tracking: &Tracking, fields: &Fields<'_>) -> Answer {
    let run = runs::find(tracking, &rules::run_id(fields)?)?;
    let files = below(tracking, &run.artifact_uri, fields.text("path")?.unwrap_or_default())?;
    let mut answer = json!({ "root_uri": run.artifact_uri });
    if !files.is_empty() {
        answer["files"] = Value::Array(files);
    }
    Ok(answer)
}

/// `DELETE mlflow-artifacts/artifacts/{path}`
pub(super) fn delete(tracking: &Tracking, path: &str) -> Answer {
    expect_ours(path)?;
    let path = path.to_owned();
    tracking.store().log(move |e| artifacts::delete(e, &path))?;
    Ok(json!({}))
}

/// Refuses to change the files of a registered version.
pub(super) fn expect_ours(path: &str) -> Result<(), Refusal> {
    if path.split('/').next() == Some(forms::REGISTERED) {
        let message = "The files of a registered version do not change".to_owned();
        return Err(Refusal { status: 403, code: "PERMISSION_DENIED", message });
    }
    Ok(())
}

/// Keeps a file that is stored already at a path.
pub(super) fn put(tracking: &Tracking, path: &str, file: StoredFile) -> Result<(), Refusal> {
    expect_ours(path)?;
    let path = path.to_owned();
    tracking.store().log(move |e| artifacts::put(e, &path, file)).map_err(|error| match error.code {
        base::Code::Conflict => Refusal::invalid(error.message),
        _ => error.into(),
    })
}

/// Where a file of a run is kept, by the path from the root of the run.
pub(super) fn path_of_run(tracking: &Tracking, fields: &Fields<'_>) -> Result<String, Refusal> {
    let run = runs::find(tracking, &rules::run_id(fields)?)?;
    below_root(&run.artifact_uri, fields.need("path")?)
}

/// A path below the root of a run or model.
pub(super) fn below_root(uri: &str, path: &str) -> Result<String, Refusal> {
    paths::check(path)?;
    let root = paths::of_uri(uri).ok_or_else(|| Refusal::not_found("Somebody else keeps these files"))?;
    Ok(format!("{root}/{path}"))
}
