//! Datasets that follow a file or a folder: once it has changed and nobody has written to it for a
//! moment, it becomes the next version, or waits for somebody to say so.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use base::{Error, Result};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::datasets::{self, Dataset};
use store::{Action, settings};
use ts_rs::TS;

use crate::importing::Import;
use crate::jobs::Title;
use crate::{Engine, Inner};

/// The setting that says who follows what. It names files of this machine, so it is of no use on
/// another, where following simply finds nothing.
const SETTING: &str = "follows";
/// A file is whole when nothing has happened to it for this long.
const SETTLED: Duration = Duration::from_secs(1);
/// How often the clock is looked at while something is awaited.
const TICK: Duration = Duration::from_millis(200);
/// How often new follows are looked for, and files whose changes the system did not tell of, as
/// those on a network drive.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What becomes of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum FollowMode {
    /// The next version.
    #[default]
    Version,
    /// A proposal, which somebody imports.
    Proposal,
}

/// A file or folder that is followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Follow {
    /// The file or folder.
    pub(crate) path: PathBuf,
    /// What becomes of a change.
    pub(crate) mode: FollowMode,
    /// True if it has changed and waits.
    pub(crate) is_waiting: bool,
    /// What went wrong the last time.
    pub(crate) trouble: Option<String>,
    /// What the file was like when it was last taken, so that a change is seen that happened while
    /// nobody looked.
    pub(crate) taken: Stamp,
}

/// What tells that a file changed: its size and when it was written, in nanoseconds since 1970; of a
/// folder the sizes of its files and a hash of their names, sizes and times; none if it is not there.
type Stamp = Option<(u64, u64)>;

impl Engine {
    /// Who follows what, by the dataset's id.
    pub(crate) fn follows(&self) -> Result<BTreeMap<String, Follow>> {
        Ok(self.store().read(|db| settings::get(db, SETTING))?.unwrap_or_default())
    }

    /// Lets a dataset follow a file or folder.
    pub(crate) fn follow(&self, dataset: &Dataset, path: PathBuf, mode: FollowMode) -> Result<()> {
        let path = std::path::absolute(&path).map_err(|e| Error::io("find", &path, &e))?;
        if !path.is_file() && !path.is_dir() {
            return Err(Error::not_found(format!("there is no file or folder `{}`", path.display()))
                .hint("name what the dataset came from, as it lies on this machine"));
        }
        let taken = stamp(&path);
        let follow = Follow { path, mode, is_waiting: false, trouble: None, taken };
        self.change_follow(dataset.id.as_str(), "dataset.follow", |_| Some(follow))
    }

    /// Lets a dataset follow nothing any more.
    pub(crate) fn unfollow(&self, dataset: &Dataset) -> Result<()> {
        self.change_follow(dataset.id.as_str(), "dataset.unfollow", |_| None)
    }

    fn change_follow(
        &self,
        id: &str,
        action: &'static str,
        change: impl FnOnce(Option<Follow>) -> Option<Follow>,
    ) -> Result<()> {
        self.store().write(Action::new(action, id), |w| {
            let mut follows: BTreeMap<String, Follow> = settings::get(w, SETTING)?.unwrap_or_default();
            let before = follows.remove(id);
            if let Some(after) = change(before) {
                follows.insert(id.to_owned(), after);
            }
            w.touch(store::Topic::Datasets);
            settings::set(w, SETTING, &follows)
        })
    }

    /// Begins to follow; ends with the engine.
    pub(crate) fn start_following(&self) {
        let (sender, events) = channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Whoever followed is gone with the engine.
            let _ = sender.send(event.map(|event| event.paths).unwrap_or_default());
        });
        let inner = std::sync::Arc::downgrade(&self.0);
        match watcher {
            Ok(watcher) => {
                std::thread::spawn(move || Follower::new(inner, watcher, events).run());
            }
            Err(error) => eprintln!("cannot follow files: {error}"),
        }
    }
}

/// Looks at the files that are followed.
struct Follower {
    engine: Weak<Inner>,
    watcher: RecommendedWatcher,
    events: Receiver<Vec<PathBuf>>,
    folders: BTreeSet<PathBuf>,
    /// What each file was like when it was last taken or first seen.
    seen: BTreeMap<PathBuf, Stamp>,
    /// What each changing file was like at the last look, and since when it has been so.
    changing: BTreeMap<PathBuf, (Stamp, Instant)>,
}

impl Follower {
    fn new(engine: Weak<Inner>, watcher: RecommendedWatcher, events: Receiver<Vec<PathBuf>>) -> Self {
        Self {
            engine,
            watcher,
            events,
            folders: BTreeSet::new(),
            seen: BTreeMap::new(),
            changing: BTreeMap::new(),
        }
    }

    fn run(mut self) {
        let mut looked: Option<Instant> = None;
        loop {
            let Some(inner) = self.engine.upgrade() else { return };
            let engine = Engine(inner);
            if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                self.look(&engine);
                looked = Some(Instant::now());
            }
            self.settle(&engine);
            drop(engine);
            let wait = if self.changing.is_empty() { LOOK_EVERY } else { TICK };
            match self.events.recv_timeout(wait) {
                Ok(paths) => paths.into_iter().for_each(|path| self.hear(&path)),
                Err(RecvTimeoutError::Timeout) => (),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Learns of new follows, and of changes that the system did not tell of.
    fn look(&mut self, engine: &Engine) {
        let follows = engine.follows().unwrap_or_default();
        self.seen.retain(|path, _| follows.values().any(|follow| follow.path == *path));
        for follow in follows.values() {
            if !self.seen.contains_key(&follow.path) {
                self.seen.insert(follow.path.clone(), follow.taken);
                self.watch(&follow.path);
            }
            self.note(&follow.path);
        }
    }

    /// The folder is watched and not the file: many programs replace a file by another one.
    fn watch(&mut self, path: &Path) {
        let is_folder = path.is_dir();
        let folder = if is_folder { Some(path) } else { path.parent() };
        let Some(folder) = folder.map(Path::to_owned) else { return };
        if self.folders.contains(&folder) && !is_folder {
            return;
        }
        let mode = if is_folder { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        // Without a watch, the file is looked at every few seconds.
        if self.watcher.watch(&folder, mode).is_ok() {
            self.folders.insert(folder);
        }
    }

    /// Hears of a change at this path: of what is followed, or in a folder that is.
    fn hear(&mut self, path: &Path) {
        let followed: Vec<PathBuf> =
            self.seen.keys().filter(|followed| path.starts_with(followed)).cloned().collect();
        followed.iter().for_each(|path| self.note(path));
    }

    fn note(&mut self, path: &Path) {
        let Some(before) = self.seen.get(path) else { return };
        let now = stamp(path);
        // A file that is gone for a moment is being replaced.
        if now.is_none() || now == *before {
            return;
        }
        match self.changing.get(path) {
            Some((known, _)) if *known == now => (),
            _ => {
                self.changing.insert(path.to_owned(), (now, Instant::now()));
            }
        }
    }

    /// Takes the files to which nothing has happened for a moment.
    fn settle(&mut self, engine: &Engine) {
        let paths: Vec<PathBuf> = self.changing.keys().cloned().collect();
        for path in paths {
            self.note(&path);
            let Some((now, since)) = self.changing.get(&path).copied() else { continue };
            if since.elapsed() < SETTLED {
                continue;
            }
            self.changing.remove(&path);
            self.seen.insert(path.clone(), now);
            if let Err(error) = take(engine, &path, now) {
                eprintln!("cannot follow `{}`: {error}", path.display());
            }
        }
    }
}

/// The bytes of a file, or of the files below a folder.
///
/// # Errors
/// There is nothing at this path.
pub(crate) fn size_of(path: &Path) -> Result<u64> {
    let meta = std::fs::metadata(path).map_err(|e| Error::io("read", path, &e))?;
    Ok(if meta.is_dir() { stamp(path).map_or(0, |(size, _)| size) } else { meta.len() })
}

fn stamp(path: &Path) -> Stamp {
    let meta = std::fs::metadata(path).ok()?;
    if !meta.is_dir() {
        return Some((meta.len(), modified_ns(&meta)?));
    }
    let mut files = Vec::new();
    stamp_files(path, &mut files);
    files.sort_unstable();
    let size = files.iter().map(|(_, size, _)| size).sum();
    let text: String = files.iter().map(|(path, size, at)| format!("{path:?} {size} {at}\n")).collect();
    let digest = store::Digest::of(text.as_bytes());
    Some((size, u64::from_le_bytes(*digest.as_bytes().first_chunk::<8>()?)))
}

/// The files that an import would take, whatever the dataset leaves out: a change that makes no
/// difference makes no version. What cannot be read is not there.
fn stamp_files(dir: &Path, files: &mut Vec<(PathBuf, u64, u64)>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let is_hidden = entry.file_name().to_string_lossy().starts_with(['.', '_']);
        let Some(meta) = entry.metadata().ok().filter(|_| !is_hidden) else { continue };
        if meta.is_dir() {
            stamp_files(&entry.path(), files);
        } else if let Some(at) = modified_ns(&meta) {
            files.push((entry.path(), meta.len(), at));
        }
    }
}

fn modified_ns(meta: &std::fs::Metadata) -> Option<u64> {
    let since = meta.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// Does with a changed file what each of its followers wants.
fn take(engine: &Engine, path: &Path, taken: Stamp) -> Result<()> {
    for (id, follow) in engine.follows()? {
        if follow.path != path {
            continue;
        }
        match follow.mode {
            FollowMode::Proposal => {
                engine.change_follow(&id, "dataset.proposed", |follow| {
                    follow.map(|follow| Follow { is_waiting: true, taken, ..follow })
                })?;
            }
            FollowMode::Version => import(engine, &id, path, taken)?,
        }
    }
    Ok(())
}

fn import(engine: &Engine, id: &str, path: &Path, taken: Stamp) -> Result<()> {
    let dataset = engine.store().read(|db| datasets::get(db, &id.parse()?))?;
    let project = engine.store().read(|db| store::projects::get(db, &dataset.project_id))?;
    let title = Title {
        kind: "dataset.import",
        title: format!("Importing {}, which has changed", dataset.name),
        subject: json!({ "dataset": dataset.name }),
    };
    let what = Import { name: Some(dataset.name.clone()), ..Import::of(path) };
    let id = id.to_owned();
    engine.start_job(&title, move |engine, progress| {
        let imported = engine.import(&project, &what, progress);
        let trouble = imported.as_ref().err().map(ToString::to_string);
        engine.change_follow(&id, "dataset.followed", |follow| {
            follow.map(|follow| Follow { is_waiting: false, trouble, taken, ..follow })
        })?;
        crate::commands::datasets::reply(imported?)
    })?;
    Ok(())
}
