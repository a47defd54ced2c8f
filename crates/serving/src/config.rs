//! The file of `--config`: what the flags say, and in addition which versions of which models are
//! served. It is read again on a reload, from which only the models and the certificate are taken.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base::{Error, Result};
use serde::Deserialize;

/// The file as it is written; paths in it are relative to its folder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Config {
    /// As `--host`.
    pub host: Option<String>,
    /// As `--port`.
    pub port: Option<u16>,
    /// As `--token-file`.
    pub token_file: Option<PathBuf>,
    /// As `--no-token`.
    pub open: bool,
    /// As `--instance`.
    pub instance: Option<String>,
    /// As `--log-dir`.
    pub log_dir: Option<PathBuf>,
    /// As `--log-share-pct`.
    pub log_share_pct: Option<u8>,
    /// As `--redact`, one column each.
    pub redact: Vec<String>,
    /// As `--body-limit-mb`.
    pub body_limit_mb: Option<u16>,
    /// As `--concurrency`.
    pub concurrency: Option<u16>,
    /// As `--batch-rows`.
    pub batch_rows: Option<u16>,
    /// As `--timeout-s`.
    pub timeout_s: Option<u16>,
    /// As `--drain-s`.
    pub drain_s: Option<u16>,
    /// As `--tls-cert` and `--tls-key`.
    pub tls: Option<TlsFiles>,
    /// What is served. The first one answers where a path names no model.
    pub models: Vec<ModelEntry>,
}

/// Where the certificate is, with its chain, and its key, both PEM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate, then those that signed it.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// A model and its versions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelEntry {
    /// Its name in URLs.
    pub name: String,
    /// The version that answers where a path names none.
    pub current: String,
    /// Every version that is held.
    pub versions: Vec<VersionEntry>,
}

/// A version of a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VersionEntry {
    /// Its name in URLs.
    pub version: String,
    /// The package's folder.
    pub package: PathBuf,
    /// Of 100 requests that name no version, so many go here and not to the current one (canary).
    #[serde(default)]
    pub share_pct: u8,
    /// True to score, after they were answered, the requests of the current version with this one
    /// too, so that its answers can be looked at before anybody gets them.
    #[serde(default)]
    pub shadow: bool,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// If it cannot be read, is not JSON, has a field that is not known, or contradicts itself.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|error| Error::io("read", path, &error))?;
        let mut config: Self = serde_json::from_slice(&text).map_err(|error| {
            Error::invalid(format!("cannot read the configuration `{}`", path.display())).because(error)
        })?;
        config.resolve(path.parent().unwrap_or(Path::new("")));
        config.check().map_err(|error| error.within(format!("cannot use `{}`", path.display())))?;
        Ok(config)
    }

    fn resolve(&mut self, folder: &Path) {
        let versions = self.models.iter_mut().flat_map(|model| &mut model.versions);
        let packages = versions.map(|version| &mut version.package);
        let tls = self.tls.iter_mut().flat_map(|tls| [&mut tls.certificate, &mut tls.key]);
        for path in packages.chain(tls).chain(&mut self.token_file).chain(&mut self.log_dir) {
            *path = folder.join(&path);
        }
    }

    fn check(&self) -> Result<()> {
        let mut names = BTreeSet::new();
        for model in &self.models {
            check_name(&model.name)?;
            if !names.insert(&model.name) {
                return Err(Error::invalid(format!("the model `{}` is there twice", model.name)));
            }
            model.check()?;
        }
        Ok(())
    }
}

impl ModelEntry {
    /// A model with one version.
    pub fn single(name: &str, version: &str, package: &Path) -> Self {
        let only = VersionEntry {
            version: version.to_owned(),
            package: package.to_owned(),
            share_pct: 0,
            shadow: false,
        };
        Self { name: name.to_owned(), current: version.to_owned(), versions: vec![only] }
    }

    fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::invalid(format!("the model `{}` {what}", self.name)));
        let mut seen = BTreeSet::new();
        for entry in &self.versions {
            check_name(&entry.version)?;
            if !seen.insert(&entry.version) {
                return wrong(format!("has version `{}` twice", entry.version));
            }
            if entry.version == self.current && (entry.share_pct > 0 || entry.shadow) {
                return wrong("gives a share or a shadow to its current version".to_owned());
            }
        }
        if !seen.contains(&self.current) {
            return wrong(format!("has no version `{}`, which is to be the current one", self.current));
        }
        if self.versions.iter().map(|entry| u32::from(entry.share_pct)).sum::<u32>() > 100 {
            return wrong("gives away more than 100 of 100 requests".to_owned());
        }
        if self.versions.iter().filter(|entry| entry.shadow).count() > 1 {
            return wrong("has more than one shadow".to_owned());
        }
        Ok(())
    }
}

/// Names and versions are one part of a path.
///
/// # Errors
/// If it could not be one.
pub fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.len() > 200 || name.contains(['/', ':', '?', '#', '%']) {
        return Err(Error::invalid(format!("`{}` cannot be a name in a URL", name.escape_debug())));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("serve.json");
        std::fs::write(&path, text).expect("writes");
        Config::read(&path).map(|mut config| {
            for version in config.models.iter_mut().flat_map(|model| &mut model.versions) {
                let inside = version.package.strip_prefix(folder.path());
                version.package = inside.map_or_else(|_| version.package.clone(), Path::to_owned);
            }
            config
        })
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let config = read(
            r#"{"models":[{"name":"m","current":"1","versions":[
                {"version":"1","package":"one"},{"version":"2","package":"/two","sharePct":5}]}]}"#,
        );
        let versions = config.expect("reads").models.remove(0).versions;
        assert_eq!(
            (versions[0].package.as_path(), versions[1].package.as_path()),
            (Path::new("one"), Path::new("/two"))
        );
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let version = |rest: &str| format!(r#"{{"version":"1","package":"p"{rest}}}"#);
        let model = |current: &str, versions: &str| {
            format!(r#"{{"models":[{{"name":"m","current":"{current}","versions":[{versions}]}}]}}"#)
        };
        let one = version("");
        for (text, named) in [
            ("{\"prt\":1}".to_owned(), "prt"),
            ("{".to_owned(), "configuration"),
            (model("2", &one), "`2`"),
            (model("1", &format!("{one},{one}")), "twice"),
            (model("1", &version(r#","sharePct":5"#)), "current version"),
            (model("1", &format!(r#"{one},{{"version":"2","package":"p","sharePct":101}}"#)), "100"),
            (model("a/b", &one.replace("\"1\"", "\"a/b\"")), "a/b"),
        ] {
            let error = read(&text).expect_err(named);
            assert!(format!("{error} {:?}", error.causes).contains(named), "{error} {:?}", error.causes);
        }
    }
}
