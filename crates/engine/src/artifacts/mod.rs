//! Files to be put somewhere else: trees of files and the packs made of them. The same files give the
//! same bytes on every machine: names are sorted, times are zero, owners are nobody.

pub(crate) mod elf;
pub(crate) mod oci;
pub(crate) mod pack;
pub(crate) mod registry;
pub(crate) mod tar;
pub(crate) mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Error, Result};
use sha2::{Digest as _, Sha256};

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The bytes of a file of this machine.
    File(PathBuf),
    /// A folder, which is there even if nothing is in it.
    Folder,
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) content: Content,
    /// Permissions, as on Unix.
    pub(crate) mode: u32,
}

/// Files by path: relative, with `/` between the parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree(BTreeMap<String, Entry>);

impl Tree {
    /// Adds a text.
    pub(crate) fn text(&mut self, path: &str, text: &str) {
        self.add(path, Content::Bytes(text.as_bytes().to_vec()), 0o644);
    }

    /// Adds a text that can be run.
    pub(crate) fn script(&mut self, path: &str, text: &str) {
        self.add(path, Content::Bytes(text.as_bytes().to_vec()), 0o755);
    }

    /// Adds a program of this machine.
    pub(crate) fn program(&mut self, path: &str, file: &Path) {
        self.add(path, Content::File(file.to_owned()), 0o755);
    }

    /// Adds an empty folder.
    pub(crate) fn folder(&mut self, path: &str, mode: u32) {
        self.add(path, Content::Folder, mode);
    }

    /// Adds everything below a folder of this machine.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn folder_of(&mut self, path: &str, folder: &Path) -> Result<()> {
        let fail = |e: std::io::Error| Error::io("read", folder, &e);
        for entry in std::fs::read_dir(folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                Error::invalid(format!("`{}` is no name that can be packed", entry.path().display()))
            })?;
            let inner = format!("{path}/{name}");
            if entry.file_type().map_err(fail)?.is_dir() {
                self.folder_of(&inner, &entry.path())?;
            } else {
                self.add(&inner, Content::File(entry.path()), 0o644);
            }
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, path: &str, content: Content, mode: u32) {
        self.0.insert(path.to_owned(), Entry { content, mode });
    }

    /// The entries in the order of their paths.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    /// As a list of SHA-256 and path, as `sha256sum -c` reads it.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn checksums(&self) -> Result<String> {
        let mut lines = String::new();
        for (path, entry) in self.entries().filter(|(_, entry)| entry.content != Content::Folder) {
            lines.push_str(&format!("{}  {path}\n", sha256(&entry.bytes()?)));
        }
        Ok(lines)
    }

    /// Everything below one more folder.
    pub(crate) fn below(self, folder: &str) -> Self {
        Self(self.0.into_iter().map(|(path, entry)| (format!("{folder}/{path}"), entry)).collect())
    }

    /// Writes the files into an empty folder.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub(crate) fn write_to(&self, folder: &Path) -> Result<()> {
        for (path, entry) in self.entries() {
            let to = folder.join(path);
            let parent = if entry.content == Content::Folder { Some(to.as_path()) } else { to.parent() };
            if let Some(parent) = parent {
                std::fs::create_dir_all(parent).map_err(|e| Error::io("create", parent, &e))?;
            }
            match &entry.content {
                Content::Folder => {}
                Content::File(from) => {
                    std::fs::copy(from, &to).map_err(|e| Error::io("write", &to, &e))?;
                }
                Content::Bytes(bytes) => {
                    std::fs::write(&to, bytes).map_err(|e| Error::io("write", &to, &e))?;
                }
            }
            set_mode(&to, entry.mode)?;
        }
        Ok(())
    }
}

impl Entry {
    /// The bytes of a file; none of a folder.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes.clone()),
            Content::File(path) => std::fs::read(path).map_err(|e| Error::io("read", path, &e)),
            Content::Folder => Ok(Vec::new()),
        }
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).map_err(|e| Error::io("change", path, &e))?;
    }
    #[cfg(not(unix))]
    let _ = (path, mode);
    Ok(())
}

/// The SHA-256 of bytes, in hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
