//! The models that are served, each with its versions. A set of them never changes: a reload makes
//! the next one, and requests end with the set that they began with, so that none fails meanwhile.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use base::{Code, Error, Result};
use score::{Card, Package};
use serde_json::{Value as Json, json};

use crate::batching::Queue;
use crate::config::{ModelEntry, VersionEntry};
use crate::metrics::Metrics;

/// A version that is loaded.
#[derive(Debug)]
pub struct Served {
    /// The model's name in URLs.
    pub name: String,
    /// The version.
    pub version: String,
    /// The model.
    pub package: Package,
    /// What it was asked.
    pub metrics: Arc<Metrics>,
    /// Rows that wait to be scored together.
    pub queue: Queue,
    folder: PathBuf,
    stamp: Stamp,
}

/// What tells that a package was written anew: the sizes and times of its files.
type Stamp = Vec<(u64, Option<SystemTime>)>;

/// A model with its versions.
#[derive(Debug)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// The version that answers where none is named.
    pub current: Arc<Served>,
    /// Every version, in the order of the configuration.
    pub versions: Vec<Arc<Served>>,
    /// Versions that get so many of 100 requests, added up.
    shares: Vec<(u64, Arc<Served>)>,
    /// The version that scores what the current one has answered.
    shadow: Option<Arc<Served>>,
    turn: AtomicU64,
}

/// Everything that is served.
#[derive(Debug)]
pub struct Models(Vec<Model>);

/// Who answers a request, and who scores it again afterwards.
#[derive(Debug, Clone)]
pub struct Choice {
    /// Who answers.
    pub served: Arc<Served>,
    /// Who scores it again for comparison.
    pub shadow: Option<Arc<Served>>,
}

impl Models {
    /// Loads what the entries name. What `before` has loaded already is taken over; what is new must
    /// answer its golden row, so that a bad version never gets a request.
    ///
    /// # Errors
    /// As [`Package::load`]; [`Code::DeployFailed`] for a wrong answer. Nothing has changed then.
    pub fn load(entries: &[ModelEntry], before: Option<&Self>) -> Result<Self> {
        if entries.is_empty() {
            return Err(Error::invalid("no model is to be served").hint("name one in `models`"));
        }
        let models = entries.iter().map(|entry| Model::load(entry, before));
        Ok(Self(models.collect::<Result<_>>()?))
    }

    /// The model that answers where a path names none.
    pub fn first(&self) -> &Model {
        // `load` lets no empty set through.
        &self.0[0]
    }

    /// The model of this name.
    pub fn find(&self, name: &str) -> Option<&Model> {
        self.0.iter().find(|model| model.name == name)
    }

    /// All of them.
    pub fn all(&self) -> &[Model] {
        &self.0
    }

    /// Every version of every model.
    pub fn served(&self) -> impl Iterator<Item = &Arc<Served>> {
        self.0.iter().flat_map(|model| &model.versions)
    }

    /// What is served, as the answer of a reload says it.
    pub fn json(&self) -> Json {
        let version = |model: &Model, served: &Arc<Served>| {
            json!({
                "version": served.version,
                "current": Arc::ptr_eq(served, &model.current),
                "shadow": model.shadow.as_ref().is_some_and(|shadow| Arc::ptr_eq(served, shadow)),
            })
        };
        let model = |model: &Model| {
            let versions: Vec<Json> = model.versions.iter().map(|served| version(model, served)).collect();
            json!({ "name": model.name, "current": model.current.version, "versions": versions })
        };
        json!({ "models": self.0.iter().map(model).collect::<Vec<_>>() })
    }
}

impl Model {
    fn load(entry: &ModelEntry, before: Option<&Models>) -> Result<Self> {
        let mut versions = Vec::new();
        let (mut shares, mut shadow, mut sum, mut current) = (Vec::new(), None, 0, None);
        for one in &entry.versions {
            let served = Served::load(&entry.name, one, before)?;
            if one.share_pct > 0 {
                sum += u64::from(one.share_pct);
                shares.push((sum, Arc::clone(&served)));
            }
            if one.shadow {
                shadow = Some(Arc::clone(&served));
            }
            if one.version == entry.current {
                current = Some(Arc::clone(&served));
            }
            versions.push(served);
        }
        let current = current.ok_or_else(|| {
            Error::invalid(format!("the model `{}` has no version `{}`", entry.name, entry.current))
        })?;
        Ok(Self { name: entry.name.clone(), current, versions, shares, shadow, turn: AtomicU64::new(0) })
    }

    /// The version of this name.
    pub fn version(&self, version: &str) -> Option<&Arc<Served>> {
        self.versions.iter().find(|served| served.version == version)
    }

    /// Who answers a request that names no version. Of every 100 in a row each version gets exactly
    /// its share.
    pub fn choose(&self) -> Choice {
        if !self.shares.is_empty() {
            // 61 and 100 have no common factor, so that 100 turns give each of 0 to 99 once, and
            // neighbours lie far apart.
            let place = (self.turn.fetch_add(1, Ordering::Relaxed) % 100) * 61 % 100;
            if let Some((_, served)) = self.shares.iter().find(|(until, _)| place < *until) {
                return Choice { served: Arc::clone(served), shadow: None };
            }
        }
        Choice { served: Arc::clone(&self.current), shadow: self.shadow.clone() }
    }
}

impl Served {
    fn load(name: &str, entry: &VersionEntry, before: Option<&Models>) -> Result<Arc<Self>> {
        let stamp = stamp(&entry.package);
        let same = before.and_then(|before| before.find(name)?.version(&entry.version));
        if let Some(same) = same.filter(|same| same.folder == entry.package && same.stamp == stamp) {
            return Ok(Arc::clone(same));
        }
        let package = Package::load(&entry.package)?;
        match package.check_golden() {
            Ok(check) if !check.passed => {
                let what = format!("version {} of `{name}` answers its golden row wrongly", entry.version);
                return Err(Error::new(Code::DeployFailed, what).because(check.differences.join(", ")));
            }
            Ok(_) => {}
            // A package of another tool has none; there is nothing to hold it to.
            Err(error) if error.code == Code::NotFound => {}
            Err(error) => return Err(error),
        }
        // A version keeps its counters when its package is written anew.
        let metrics = same.map_or_else(Default::default, |same| Arc::clone(&same.metrics));
        Ok(Arc::new(Self {
            name: name.to_owned(),
            version: entry.version.clone(),
            package,
            metrics,
            queue: Queue::default(),
            folder: entry.package.clone(),
            stamp,
        }))
    }
}

fn stamp(folder: &Path) -> Stamp {
    let files = ["MLmodel", "model.onnx", Card::FILE].into_iter();
    let of = |name| fs::metadata(folder.join(name)).ok();
    files.map(|name| of(name).map_or((0, None), |found| (found.len(), found.modified().ok()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/penguins")
    }

    fn entry(versions: &[(&str, u8, bool)]) -> ModelEntry {
        let version = |(version, share_pct, shadow): &(&str, u8, bool)| VersionEntry {
            version: (*version).to_owned(),
            package: package(),
            share_pct: *share_pct,
            shadow: *shadow,
        };
        ModelEntry {
            name: "m".to_owned(),
            current: versions[0].0.to_owned(),
            versions: versions.iter().map(version).collect(),
        }
    }

    #[test]
    fn of_every_hundred_requests_each_version_gets_exactly_its_share() {
        let models = Models::load(&[entry(&[("1", 0, false), ("2", 7, false), ("3", 20, false)])], None);
        let models = models.expect("loads");
        for _ in 0..3 {
            let chosen: Vec<String> =
                (0..100).map(|_| models.first().choose().served.version.clone()).collect();
            let count = |version: &str| chosen.iter().filter(|one| *one == version).count();
            assert_eq!((count("1"), count("2"), count("3")), (73, 7, 20));
            let longest = chosen.split(|one| one != "3").map(<[String]>::len).max();
            assert!(longest < Some(3), "the share comes spread, not in one piece: {longest:?}");
        }
    }

    #[test]
    fn a_shadow_goes_with_the_current_version_only() {
        let models = Models::load(&[entry(&[("1", 0, false), ("2", 50, false), ("3", 0, true)])], None);
        let models = models.expect("loads");
        for _ in 0..100 {
            let choice = models.first().choose();
            assert_eq!(choice.shadow.is_some(), choice.served.version == "1");
        }
    }

    #[test]
    fn a_reload_takes_over_what_is_loaded_and_refuses_a_wrong_golden_row() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["MLmodel", "model.onnx", Card::FILE] {
            fs::copy(package().join(name), folder.path().join(name)).expect("copies");
        }
        let before = Models::load(&[entry(&[("1", 0, false)])], None).expect("loads");
        let mut next = entry(&[("1", 0, false), ("2", 0, false)]);
        next.versions[1].package = folder.path().to_owned();
        let after = Models::load(std::slice::from_ref(&next), Some(&before)).expect("loads");
        assert!(Arc::ptr_eq(&before.first().current, &after.first().current));
        let card = folder.path().join(Card::FILE);
        let wrong = fs::read_to_string(&card).expect("reads").replace("34.1", "60.51");
        fs::write(&card, wrong).expect("writes");
        let error = Models::load(&[next], Some(&after)).expect_err("the golden row is wrong");
        assert_eq!(error.code, Code::DeployFailed);
    }
}
