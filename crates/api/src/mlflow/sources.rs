//! Where a version of a model may come from: only from what belongs to the run or the model it is
//! registered with, so that nobody makes others read a file of this machine.

use store::tracking::logged_models;
use store::tracking::registry::RegisteredVersion;
use store::tracking::script_runs::ScriptRun;

use super::fields::percent_decoded;
use super::refusal::Refusal;
use super::{Tracking, forms, models, paths, registry, runs};

/// Bytes of a source.
const MOST_BYTES: usize = 4_096;

/// A source that may be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Files that we keep, below this path.
    Ours(String),
    /// A version of a registered model.
    Version(String, String),
    /// Files that somebody else keeps.
    Elsewhere,
}

/// Looks at a source, the run and the logged model it is said to belong to.
pub(super) fn check(
    tracking: &Tracking,
    source: &str,
    run: Option<&ScriptRun>,
    model_id: Option<&str>,
) -> Result<Source, Refusal> {
    if source.len() > MOST_BYTES {
        return Err(Refusal::invalid(format!(
            "'source' exceeds the maximum length of {MOST_BYTES} characters"
        )));
    }
    let (scheme, rest) = split(source);
    if scheme == "mlflow-artifacts" && rest.starts_with("//") {
        return Err(Refusal::invalid(
            "'source' cannot use the 'mlflow-artifacts' scheme: the 'mlflow-artifacts' scheme addresses a host other \
             than the tracking server's configured artifact storage, so the server would connect to the host named in \
             the URI.",
        ));
    }
    if matches!(scheme.as_str(), "" | "file") && !source.contains('\\') {
        return local(source, rest, run);
    }
    if leads_out(source) {
        return Err(wrong(
            source,
            "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, an \
             absolute path must be provided without relative path references present. Please provide an absolute path.",
        ));
    }
    let strange =
        || wrong(source, "The run_id request parameter must identify the resource that contains the source.");
    let rest = rest.trim_start_matches('/');
    match scheme.as_str() {
        "runs" => {
            let (id, path) = rest.split_once('/').unwrap_or((rest, ""));
            let run = run.filter(|run| run.id.as_str() == id).ok_or_else(strange)?;
            Ok(ours(&run.artifact_uri, path))
        }
        "models" => match rest.split_once('/') {
            None if rest.starts_with("m-") => {
                let id = model_id.filter(|id| *id == rest).ok_or_else(strange)?;
                Ok(ours(&models::find(tracking, id)?.artifact_uri, ""))
            }
            Some((name, version)) => Ok(Source::Version(name.to_owned(), version.to_owned())),
            None => Err(strange()),
        },
        "mlflow-artifacts" => {
            let model = model_id.map(|id| models::find(tracking, id)).transpose()?;
            let roots = [run.map(|run| run.artifact_uri.clone()), model.map(|model| model.artifact_uri)];
            let is_below = |root: &String| {
                let root = root.trim_end_matches('/');
                source == root || source.strip_prefix(root).is_some_and(|path| path.starts_with('/'))
            };
            if !roots.iter().flatten().any(is_below) {
                return Err(strange());
            }
            Ok(ours(source, ""))
        }
        _ => Ok(Source::Elsewhere),
    }
}

/// The scheme in small letters, and what comes after its colon.
fn split(source: &str) -> (String, &str) {
    match source.split_once(':') {
        Some((scheme, rest)) if !scheme.contains('/') => (scheme.to_lowercase(), rest),
        _ => (String::new(), source),
    }
}

/// A path of this machine is taken only where the files of the run are kept on it too.
fn local(source: &str, path: &str, run: Option<&ScriptRun>) -> Result<Source, Refusal> {
    let plain = |text: &str| text.trim_start_matches("//").trim_end_matches('/').to_owned();
    let root = run.and_then(|run| match split(&run.artifact_uri) {
        (scheme, path) if matches!(scheme.as_str(), "" | "file") => Some(plain(path)),
        _ => None,
    });
    let is_inside = |root: String| !root.is_empty() && plain(path).starts_with(&(root + "/"));
    if root.is_some_and(is_inside) && !leads_out(source) {
        return Ok(Source::Elsewhere);
    }
    Err(wrong(
        source,
        "To use a local path as a model version source, the run_id request parameter has to be specified and the \
         local path has to be contained within the artifact directory of the run specified by the run_id.",
    ))
}

/// True where some decoding of the source has a part that leads upwards, or another system's paths.
fn leads_out(source: &str) -> bool {
    let mut seen = source.to_owned();
    for _ in 0..8 {
        let is_out = |part: &str| part == ".." || part.ends_with(";..");
        if seen.contains('\\') || seen.split(['/', '?', '#', ';']).any(is_out) {
            return true;
        }
        let next = percent_decoded(&seen);
        if next == seen {
            return false;
        }
        seen = next;
    }
    true
}

fn ours(uri: &str, path: &str) -> Source {
    match paths::of_uri(uri) {
        Some(root) if path.is_empty() => Source::Ours(root.to_owned()),
        Some(root) => Source::Ours(format!("{root}/{}", path.trim_matches('/'))),
        None => Source::Elsewhere,
    }
}

fn wrong(source: &str, why: &str) -> Refusal {
    Refusal::invalid(format!("Invalid model version source: '{source}'. {why}"))
}

/// The URI from which the files of a version are taken.
pub(super) fn download_uri(tracking: &Tracking, version: &RegisteredVersion) -> Result<String, Refusal> {
    let source = forms::source_of(version);
    let Some(rest) = source.strip_prefix("models:/") else { return Ok(source) };
    if rest.starts_with("m-") {
        let model = tracking.store().read(|db| logged_models::get(db, rest));
        // A logged model that is deleted leaves the copy that we made when it was registered.
        return Ok(model.map_or_else(
            |_| format!("mlflow-artifacts:/{}/{}", forms::REGISTERED, version.version.id),
            |model| model.artifact_uri,
        ));
    }
    Ok(format!("mlflow-artifacts:/{}/{}", forms::REGISTERED, version.version.id))
}

/// The run a request names, if it names one that is there.
pub(super) fn named_run(tracking: &Tracking, id: Option<&str>) -> Result<Option<ScriptRun>, Refusal> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
    let Ok(id) = id.parse() else { return Ok(None) };
    match runs::find(tracking, &id) {
        Ok(run) => Ok(Some(run)),
        Err(refusal) if refusal.status == 404 => Ok(None),
        Err(refusal) => Err(refusal),
    }
}

/// What a version that others are made from holds.
pub(super) fn version_of(
    tracking: &Tracking,
    name: &str,
    version: &str,
) -> Result<RegisteredVersion, Refusal> {
    registry::numbered(tracking, &registry::find(tracking, name)?, version)
}
