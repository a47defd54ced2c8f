//! Where the files of a run are on this disk. A store says it in URIs that were true where it was
//! written; here they are looked for in folders that a person named, and nowhere else.

use std::path::{Component, Path, PathBuf};

use base::{Error, Result};

/// Folders in which files of a store may be.
#[derive(Debug, Clone)]
pub struct Places {
    roots: Vec<PathBuf>,
    home: PathBuf,
}

/// Where the files of a URI are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In this folder, which is there, or in this file.
    Here(PathBuf),
    /// Nowhere below the folders that may be looked into.
    Missing,
    /// In a folder of this machine that nobody named.
    Outside(PathBuf),
    /// With a service.
    Remote,
}

impl Places {
    pub(super) fn new(home: &Path, more: &[PathBuf]) -> Result<Self> {
        let home = home.canonicalize().map_err(|e| Error::io("read", home, &e))?;
        let mut roots = Vec::new();
        for folder in more {
            roots.push(folder.canonicalize().map_err(|e| Error::io("read", folder, &e))?);
        }
        roots.push(home.clone());
        // Where a server that was told nothing keeps them.
        roots.push(home.join("mlruns"));
        roots.push(home.join("mlartifacts"));
        if home.ends_with("mlruns")
            && let Some(parent) = home.parent()
        {
            roots.push(parent.join("mlartifacts"));
        }
        Ok(Self { roots, home })
    }

    /// Where the files of a URI are. `id` is that of the run or model they belong to: a folder whose
    /// path does not name it is only theirs where the URI says so in full.
    pub fn find(&self, uri: &str, id: &str) -> Place {
        let Some(path) = local_path(uri) else { return Place::Remote };
        let path = Path::new(&path);
        if path.components().any(|part| part == Component::ParentDir) {
            return Place::Missing;
        }
        let named = if path.is_absolute() { path.to_owned() } else { self.home.join(path) };
        let is_proxied = uri.starts_with("mlflow-artifacts:");
        let named = (!is_proxied).then(|| named.canonicalize().ok()).flatten();
        if let Some(named) = &named
            && self.roots.iter().any(|root| named.starts_with(root))
            // All of a folder is not the files of one run.
            && !self.roots.iter().any(|root| root.starts_with(named))
        {
            return Place::Here(named.clone());
        }
        let names: Vec<_> = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let last = names.iter().rposition(|name| name.as_os_str() == id);
        for start in 0..last.map_or(0, |last| last + 1) {
            let tail: PathBuf = names[start..].iter().collect();
            for root in &self.roots {
                // A link may lead out of the folder.
                let Ok(found) = root.join(&tail).canonicalize() else { continue };
                if found.starts_with(root) {
                    return Place::Here(found);
                }
            }
        }
        named.map_or(Place::Missing, Place::Outside)
    }
}

/// The path in a URI of this machine, or of a server's own artifacts; `None` for other services.
fn local_path(uri: &str) -> Option<String> {
    let is_drive = |scheme: &str| scheme.len() == 1;
    match uri.split_once(':') {
        Some(("file", rest)) => Some(percent_decoded(without_host(rest))),
        Some(("mlflow-artifacts", rest)) => Some(percent_decoded(without_host(rest))),
        Some((scheme, _)) if !scheme.contains(['/', '\\', '.']) && !is_drive(scheme) => None,
        // Written on Windows.
        Some((scheme, rest)) if is_drive(scheme) && !cfg!(windows) => Some(rest.replace('\\', "/")),
        _ => Some(uri.to_owned()),
    }
}

fn without_host(rest: &str) -> &str {
    match rest.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => rest,
    }
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn world() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("the place is good");
        let home = dir.path().canonicalize().expect("the place is good").join("project");
        std::fs::create_dir_all(home.join(format!("mlruns/1/{ID}/artifacts/model")))
            .expect("the place is good");
        (dir, home)
    }

    #[test]
    fn files_are_found_where_the_store_is_now_whatever_its_uris_say() {
        let (_dir, home) = world();
        let places = Places::new(&home, &[]).expect("the place is good");
        let artifacts = home.join(format!("mlruns/1/{ID}/artifacts"));
        let here = artifacts.to_str().expect("the place is good");
        for uri in [
            here.to_owned(),
            format!("file://{here}"),
            format!("./mlruns/1/{ID}/artifacts"),
            format!("file:///home/somebody/else/mlruns/1/{ID}/artifacts"),
            format!("/mnt/old%20disk/mlruns/1/{ID}/artifacts"),
            format!("file:///C:/Users/me/mlruns/1/{ID}/artifacts"),
            format!("C:\\Users\\me\\mlruns\\1\\{ID}\\artifacts"),
            format!("mlflow-artifacts:/1/{ID}/artifacts"),
            format!("mlflow-artifacts://server:5000/1/{ID}/artifacts"),
        ] {
            assert_eq!(places.find(&uri, ID), Place::Here(artifacts.clone()), "{uri}");
        }
        let model = format!("mlflow-artifacts:/1/{ID}/artifacts/model");
        assert_eq!(places.find(&model, ID), Place::Here(artifacts.join("model")));
    }

    #[test]
    fn nothing_outside_of_the_folders_that_were_named_is_looked_at() {
        let (dir, home) = world();
        let places = Places::new(&home, &[]).expect("the place is good");
        let outside = dir.path().canonicalize().expect("the place is good").join("secret").join(ID);
        std::fs::create_dir_all(&outside).expect("the place is good");
        let uri = outside.to_str().expect("the place is good");
        assert_eq!(places.find(uri, ID), Place::Outside(outside.clone()));
        for uri in [
            format!("{}/../secret/{ID}", home.display()),
            format!("file://{}/%2e%2e/secret/{ID}", home.display()),
            format!("mlflow-artifacts:/../secret/{ID}"),
            format!("mlflow-artifacts:/{}", outside.display()),
            "mlflow-artifacts:/etc".to_owned(),
            String::new(),
        ] {
            let found = places.find(&uri, ID);
            assert!(matches!(found, Place::Missing | Place::Outside(_)), "{uri}: {found:?}");
        }
        for uri in ["s3://bucket/1", "gs://b", "dbfs:/x", "https://host/x", "hdfs://n/x", "wasbs://c@a/x"] {
            assert_eq!(places.find(uri, ID), Place::Remote, "{uri}");
        }
        let named = Places::new(&home, &[outside.parent().expect("the place is good").to_owned()])
            .expect("the place is good");
        assert_eq!(named.find(uri, ID), Place::Here(outside));
        assert!(Places::new(&home, &[home.join("not there")]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_out_of_the_folder_is_not_followed() {
        let (dir, home) = world();
        let (secret, other) = (dir.path().join("secret"), "f".repeat(32));
        std::fs::create_dir_all(&secret).expect("the place is good");
        std::os::unix::fs::symlink(&secret, home.join("mlruns/1").join(&other)).expect("the place is good");
        let places = Places::new(&home, &[]).expect("the place is good");
        let found = places.find(&format!("mlflow-artifacts:/1/{other}"), &other);
        assert_eq!(found, Place::Missing);
        let uri = home.join("mlruns/1").join(&other);
        let found = places.find(uri.to_str().expect("the place is good"), &other);
        assert_eq!(found, Place::Outside(secret.canonicalize().expect("the place is good")));
    }
}
