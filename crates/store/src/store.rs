//! A workspace that is open: as its owner, who cleans up after owners that died, or as a guest,
//! who never does.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use base::{Clock, Code, DeploymentId, Error, Result, RunId};
use rusqlite::Connection;

use crate::audit::{self, Action};
use crate::doors::{Opening, connect_writer};
use crate::feed::{self, Announcer, ChangeFeed};
use crate::group::Waiting;
use crate::layout::Layout;
use crate::manifests::Pending;
use crate::objects::Objects;
use crate::owner::{self, Owner, OwnerLock};
use crate::{files, jobs, manifests, runs, sql};

/// How a workspace is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// As the one process that runs jobs, and that cleans up what an earlier owner left running.
    Owner,
    /// Beside whoever owns it: reads, and makes small changes of its own, but cleans up nothing.
    Guest,
}

/// An open workspace. Cheap to clone; the last clone closes it.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) layout: Layout,
    pub(crate) clock: Clock,
    pub(crate) writer: Mutex<Connection>,
    pub(crate) readers: Mutex<Vec<Connection>>,
    pub(crate) announcer: Announcer,
    pub(crate) objects: Objects,
    /// Manifests that are on the disk, whose queued text the next write may forget.
    pub(crate) flushed: Mutex<Vec<String>>,
    /// Manifests that could not be written yet.
    pub(crate) unflushed: Mutex<Vec<Pending>>,
    pub(crate) seen: Mutex<Seen>,
    /// What the next group commit takes.
    pub(crate) waiting: Mutex<VecDeque<Box<dyn Waiting>>>,
    // Dropped last: the lock outlives the connections.
    owner: Option<OwnerLock>,
}

/// What we know of other processes' commits.
pub(crate) struct Seen {
    pub(crate) data_version: i64,
    pub(crate) audit_id: i64,
}

impl Store {
    /// Makes a workspace in `dir`, which is missing, empty, or holds an attempt that was cut off;
    /// and owns it.
    ///
    /// # Errors
    /// `AlreadyExists` when something else is there.
    pub fn create(dir: &Path, clock: Clock) -> Result<(Self, ChangeFeed)> {
        let layout = Layout::new(dir);
        layout.check_vacant()?;
        layout.create_dirs()?;
        let lock = OwnerLock::take(dir, clock.now())?;
        layout.sweep()?;
        drop(connect_writer(&layout.database(), Opening::Creating)?);
        files::sync_dir(layout.root())?;
        layout.write_marker()?;
        let (store, feed) = Self::assemble(layout, clock, Some(lock))?;
        store.write(Action::new("workspace.create", "workspace"), |_| Ok(()))?;
        Ok((store, feed))
    }

    /// Opens the workspace in `dir`.
    ///
    /// # Errors
    /// `NotFound` when it is none, `Locked` when another process owns it and `access` asks for
    /// that, `TooNew` when a newer Fettle wrote it, `Corrupt` when it needs a repair.
    pub fn open(dir: &Path, access: Access, clock: Clock) -> Result<(Self, ChangeFeed)> {
        let layout = Layout::new(dir);
        if !layout.is_workspace()? {
            return Err(Error::not_found(format!("`{}` is not a workspace", dir.display()))
                .hint("make one with `fettle workspace new`"));
        }
        let lock = match access {
            Access::Owner => Some(OwnerLock::take(dir, clock.now())?),
            Access::Guest => None,
        };
        let (store, feed) = Self::assemble(layout, clock, lock)?;
        if access == Access::Owner {
            store.clean_up()?;
        }
        Ok((store, feed))
    }

    /// Opens the workspace in `dir`, or makes it and owns it.
    ///
    /// # Errors
    /// As for [`Store::open`] and [`Store::create`].
    pub fn open_or_create(dir: &Path, access: Access, clock: Clock) -> Result<(Self, ChangeFeed)> {
        if Layout::new(dir).is_workspace()? {
            Self::open(dir, access, clock)
        } else {
            Self::create(dir, clock)
        }
    }

    /// True when `dir` holds a workspace.
    ///
    /// # Errors
    /// `TooNew` when a newer Fettle wrote it.
    pub fn exists(dir: &Path) -> Result<bool> {
        Layout::new(dir).is_workspace()
    }

    pub(crate) fn assemble(
        layout: Layout,
        clock: Clock,
        owner: Option<OwnerLock>,
    ) -> Result<(Self, ChangeFeed)> {
        layout.create_dirs()?;
        let opening = if owner.is_some() { Opening::Owning } else { Opening::Visiting };
        let writer = connect_writer(&layout.database(), opening)?;
        let objects = Objects::open(&layout.objects(), owner.is_some())?;
        let seen = Seen {
            data_version: sql::value(&writer, "pragma data_version", [])?,
            audit_id: audit::head(&writer)?.0,
        };
        let (announcer, feed) = feed::feed();
        let inner = Inner {
            layout,
            clock,
            writer: Mutex::new(writer),
            readers: Mutex::default(),
            announcer,
            objects,
            flushed: Mutex::default(),
            unflushed: Mutex::default(),
            seen: Mutex::new(seen),
            waiting: Mutex::default(),
            owner,
        };
        Ok((Self { inner: Arc::new(inner) }, feed))
    }

    /// What a new owner does: nothing of an earlier owner runs any more, and what it was writing
    /// when it died is removed.
    pub(crate) fn clean_up(&self) -> Result<()> {
        self.inner.layout.sweep()?;
        match self.objects().alone(|| self.inner.layout.sweep_packs()) {
            // What looks like a leftover may be what another process is putting right now.
            Err(error) if error.code == Code::Unavailable => {}
            swept => swept?,
        }
        self.flush_manifests(self.read(manifests::pending)?);
        let left = self.read(|db| Ok((runs::unfinished(db)?, jobs::unfinished(db)?)))?;
        if left == (Vec::new(), Vec::new()) {
            return Ok(());
        }
        let (left_runs, left_jobs) = left;
        for run in &left_runs {
            for path in files::leftovers(&self.run_dir(run), 2)? {
                files::remove(&path)?;
            }
        }
        let action = Action::new("workspace.take_over", "workspace")
            .by("fettle")
            .with("interruptedRuns", left_runs.len())
            .with("interruptedJobs", left_jobs.len());
        self.write(action, |w| {
            for run in &left_runs {
                runs::interrupt(w, run)?;
            }
            for job in &left_jobs {
                jobs::interrupt(w, job)?;
            }
            Ok(())
        })
    }

    /// True when this process owns the workspace.
    pub fn is_owner(&self) -> bool {
        self.inner.owner.is_some()
    }

    /// Says where this owner answers, so that guests find it.
    ///
    /// # Errors
    /// `Forbidden` for a guest; failures of the operating system.
    pub fn announce_url(&self, url: &str) -> Result<()> {
        if !self.is_owner() {
            return Err(Error::new(Code::Forbidden, "only the owner of a workspace has an address"));
        }
        let root = self.root();
        let started = owner::read_record(root).map_or_else(|| self.inner.clock.now(), |owner| owner.started);
        owner::write_record(root, &Owner { pid: std::process::id(), url: Some(url.to_owned()), started })
    }

    /// Who owns the workspace right now, if anybody does.
    ///
    /// # Errors
    /// Failures of the operating system.
    pub fn owner(&self) -> Result<Option<Owner>> {
        if self.is_owner() { Ok(owner::read_record(self.root())) } else { owner::owner_of(self.root()) }
    }

    /// The clock this store was opened with.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The content-addressed objects.
    pub fn objects(&self) -> &Objects {
        &self.inner.objects
    }

    /// The folder of the workspace.
    pub fn root(&self) -> &Path {
        self.inner.layout.root()
    }

    /// What can be computed again.
    pub fn cache_dir(&self) -> PathBuf {
        self.inner.layout.cache()
    }

    /// The git repository of a project.
    pub fn project_dir(&self, slug: &str) -> PathBuf {
        self.inner.layout.projects().join(slug)
    }

    /// Logs and files of a run.
    pub fn run_dir(&self, id: &RunId) -> PathBuf {
        self.inner.layout.run(id)
    }

    /// Model, token, log and requests of a deployment.
    pub fn endpoint_dir(&self, id: &DeploymentId) -> PathBuf {
        self.inner.layout.endpoint(id)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("root", &self.root()).field("is_owner", &self.is_owner()).finish()
    }
}
