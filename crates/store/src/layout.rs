//! Where things are in a workspace. No file inside holds one of these paths: a workspace can be
//! moved and copied.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base::{Code, DeploymentId, Error, Result, RunId};
use serde::{Deserialize, Serialize};

use crate::{files, unfinished};

/// The folders and files of one workspace.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

/// What the file says that makes a folder a workspace.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    format: u32,
}

impl Layout {
    const FORMAT: u32 = 1;
    const MARKER: &str = "workspace.json";

    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("fettle.db")
    }

    pub(crate) fn marker(&self) -> PathBuf {
        self.root.join(Self::MARKER)
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.objects().join("packs")
    }

    pub(crate) fn manifests(&self) -> PathBuf {
        self.objects().join("manifests")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// What imports keep that did not come to their end.
    pub(crate) fn unfinished(&self) -> PathBuf {
        self.cache().join("unfinished")
    }

    pub(crate) fn projects(&self) -> PathBuf {
        self.root.join("projects")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub(crate) fn run(&self, id: &RunId) -> PathBuf {
        self.runs().join(id.as_str())
    }

    pub(crate) fn endpoints(&self) -> PathBuf {
        self.root.join("endpoints")
    }

    pub(crate) fn endpoint(&self, id: &DeploymentId) -> PathBuf {
        self.endpoints().join(id.as_str())
    }

    /// Makes the folders that are missing.
    pub(crate) fn create_dirs(&self) -> Result<()> {
        files::create_private_dir(&self.root)?;
        for dir in
            [self.objects(), self.manifests(), self.cache(), self.projects(), self.runs(), self.endpoints()]
        {
            files::create_private_dir(&dir)?;
        }
        files::sync_dir(&self.root)
    }

    /// Makes the folder a workspace; the last thing done when creating one.
    pub(crate) fn write_marker(&self) -> Result<()> {
        let marker = serde_json::to_vec(&Marker { format: Self::FORMAT }).expect("a number is JSON");
        files::write_atomic(&self.marker(), &marker)
    }

    /// True when the folder is a workspace of a format we know.
    pub(crate) fn is_workspace(&self) -> Result<bool> {
        let path = self.marker();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(files::io_error("read", &path, &error)),
        };
        let marker: Marker = serde_json::from_slice(&text).map_err(|error| {
            Error::new(Code::Corrupt, format!("cannot read `{}`", path.display()))
                .because(error)
                .hint("run `fettle workspace repair`")
        })?;
        if marker.format > Self::FORMAT {
            return Err(Error::new(
                Code::TooNew,
                format!(
                    "the workspace `{}` has format {}, this Fettle knows up to {}",
                    self.root.display(),
                    marker.format,
                    Self::FORMAT
                ),
            )
            .hint("open it with the newer Fettle that wrote it; nothing was changed"));
        }
        Ok(true)
    }

    /// Refuses to make a workspace where there is one, or where somebody else's files are.
    /// What an earlier attempt that was interrupted left behind is fine.
    pub(crate) fn check_vacant(&self) -> Result<()> {
        if self.is_workspace()? {
            return Err(Error::new(
                Code::AlreadyExists,
                format!("`{}` is a workspace already", self.root.display()),
            )
            .hint("open it instead"));
        }
        const OURS: [&str; 6] = ["objects", "cache", "projects", "runs", "endpoints", "owner.lock"];
        let entries = if self.root.exists() { files::read_dir(&self.root)? } else { Vec::new() };
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_ours = OURS.contains(&&*name)
                || name.starts_with("fettle.db")
                || name.starts_with("owner.")
                || name.starts_with(files::TEMPORARY_PREFIX);
            if !is_ours {
                return Err(Error::new(
                    Code::AlreadyExists,
                    format!("cannot make a workspace in `{}`: `{name}` is there", self.root.display()),
                )
                .hint("choose an empty folder or a new name"));
            }
        }
        Ok(())
    }

    /// Removes what crashed writers left behind, except in the packs.
    pub(crate) fn sweep(&self) -> Result<()> {
        self.leftovers()?
            .iter()
            .filter(|path| !path.starts_with(self.packs()))
            .try_for_each(|path| files::remove(path))
    }

    /// Removes what crashed writers left behind in the packs. Nobody may be putting anything.
    pub(crate) fn sweep_packs(&self) -> Result<()> {
        files::leftovers(&self.packs(), 0)?.iter().try_for_each(|path| files::remove(path))
    }

    /// What crashed writers may have left behind. The folders of single runs are swept when the
    /// run is marked as interrupted: there can be ten thousand of them.
    pub(crate) fn leftovers(&self) -> Result<Vec<PathBuf>> {
        let mut found = files::leftovers(&self.root, 0)?;
        found.extend(files::leftovers(&self.objects(), 1)?);
        found.extend(files::leftovers(&self.cache(), 1)?);
        found.extend(unfinished::forgotten(self, SystemTime::now())?);
        found.extend(files::leftovers(&self.runs(), 0)?);
        found.extend(files::leftovers(&self.endpoints(), 1)?);
        Ok(found)
    }
}
