//! A file as the formats see it: plain bytes at a path. A packed file is unpacked into a temporary
//! one first, as far as it is needed; messages name the file that the user gave.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base::{Error, Progress, Result, count};
use tempfile::NamedTempFile;

use super::decode::open_regular;
use super::formats;
use super::options::{Pack, ParseOptions, Warning};
use super::pack::{self, Packed};

/// As much of a file as is needed to know its format.
const HEAD_BYTES: u64 = 64 << 10;
/// As much of a packed file as is unpacked to guess how to read it.
pub(super) const PREFIX_BYTES: u64 = 16 << 20;

/// The bytes to be read.
pub(super) struct Input {
    /// The file that the user gave.
    pub(super) shown: PathBuf,
    /// Where the plain bytes are.
    pub(super) path: PathBuf,
    /// How many there are.
    pub(super) size_bytes: u64,
    /// False if only the beginning was unpacked.
    pub(super) is_whole: bool,
    /// The sheet or table in the plain file that the options name.
    pub(super) table: Option<String>,
    /// What the unpacking says.
    pub(super) unpacked: Unpacked,
    // Removed when the input is dropped.
    _temporary: Option<NamedTempFile>,
}

/// What was packed.
#[derive(Debug, Clone, Default)]
pub(super) struct Unpacked {
    pub(super) pack: Pack,
    /// The file in the archive, if there was a choice.
    pub(super) member: Option<String>,
    /// The files in the archive.
    pub(super) members: Vec<String>,
    pub(super) warnings: Vec<Warning>,
}

impl Input {
    /// The beginning of the file, whatever it is packed with.
    ///
    /// # Errors
    /// `invalid_input` for what is no file or cannot be unpacked.
    pub(super) fn guess(path: &Path) -> Result<Self> {
        let pack = pack::detect(path)?;
        Self::head(path, pack, None)
    }

    /// As much of the file as its first rows need, unpacked the way the options say.
    ///
    /// # Errors
    /// As [`Self::guess`].
    pub(super) fn beginning(path: &Path, options: &ParseOptions) -> Result<Self> {
        Self::head(path, options.pack, options.table.as_deref())
    }

    /// What the file is packed with, and what its first bytes are once it is unpacked.
    ///
    /// # Errors
    /// As [`Self::guess`].
    pub(super) fn taste(path: &Path) -> Result<(Pack, Vec<u8>)> {
        let pack = pack::detect(path)?;
        let silent = Progress::silent();
        let plan = Plan { path, pack, table: None, folder: &std::env::temp_dir(), progress: &silent };
        Ok((pack, plan.open(Some(HEAD_BYTES))?.first_bytes()?))
    }

    fn head(path: &Path, pack: Pack, table: Option<&str>) -> Result<Self> {
        let silent = Progress::silent();
        let plan = Plan { path, pack, table, folder: &std::env::temp_dir(), progress: &silent };
        let input = plan.open(Some(PREFIX_BYTES))?;
        if input.is_whole || !formats::detect(&input.first_bytes()?).needs_whole() {
            return Ok(input);
        }
        plan.open(None)
    }

    /// The whole file; what has to be unpacked lies in `folder` meanwhile.
    ///
    /// # Errors
    /// As [`Self::guess`]; `cancelled`, and a full disk.
    pub(super) fn whole(
        path: &Path,
        options: &ParseOptions,
        folder: &Path,
        progress: &Progress,
    ) -> Result<Self> {
        let table = options.table.as_deref();
        Plan { path, pack: options.pack, table, folder, progress }.open(None)
    }

    /// The first bytes of the plain file.
    ///
    /// # Errors
    /// The operating system's errors.
    pub(super) fn first_bytes(&self) -> Result<Vec<u8>> {
        let mut head = Vec::new();
        let file = self.open()?;
        file.take(HEAD_BYTES).read_to_end(&mut head).map_err(|e| Error::io("read", &self.shown, &e))?;
        Ok(head)
    }

    /// Opens the plain file.
    ///
    /// # Errors
    /// The operating system's errors.
    pub(super) fn open(&self) -> Result<File> {
        File::open(&self.path).map_err(|e| Error::io("read", &self.shown, &e))
    }
}

struct Plan<'a> {
    path: &'a Path,
    pack: Pack,
    table: Option<&'a str>,
    folder: &'a Path,
    progress: &'a Progress,
}

impl Plan<'_> {
    /// Opens the file, unpacked up to `most_bytes` if it is packed.
    fn open(&self, most_bytes: Option<u64>) -> Result<Input> {
        let (_, size_bytes) = open_regular(self.path)?;
        if self.pack == Pack::None {
            return Ok(Input {
                shown: self.path.to_owned(),
                path: self.path.to_owned(),
                size_bytes,
                is_whole: true,
                table: self.table.map(str::to_owned),
                unpacked: Unpacked::default(),
                _temporary: None,
            });
        }
        let choice = pack::choose(self.path, self.pack, self.table)?;
        std::fs::create_dir_all(self.folder).map_err(|e| Error::io("make the folder", self.folder, &e))?;
        let mut file =
            NamedTempFile::new_in(self.folder).map_err(|e| Error::io("unpack into", self.folder, &e))?;
        let packed = Packed { path: self.path, pack: self.pack, at: choice.at };
        let made = pack::unpack(&packed, most_bytes, &mut file, self.progress)?;
        if made.size_bytes == 0 {
            let message = format!("`{}` holds nothing once it is unpacked", self.path.display());
            return Err(Error::invalid(message).hint("choose a file with at least a header and one row"));
        }
        let mut warnings = Vec::new();
        if let Some(member) = choice.guessed.as_ref() {
            let message =
                format!("the archive holds {} files; `{member}` is read", count(choice.members.len() as u64));
            warnings.push(Warning::file(message));
        }
        Ok(Input {
            shown: self.path.to_owned(),
            path: file.path().to_owned(),
            size_bytes: made.size_bytes,
            is_whole: made.is_whole,
            table: choice.inner,
            unpacked: Unpacked { pack: self.pack, member: choice.member, members: choice.members, warnings },
            _temporary: Some(file),
        })
    }
}
