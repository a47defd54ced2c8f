//! Packs of a tree: a folder, a gzipped tar, a zip.

use std::io::{Cursor, Write as _};

use base::{Error, Result};
use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;

use super::{Content, Tree, tar};

/// Gzip with no time and no name in its header.
///
/// # Errors
/// No memory for it.
pub(crate) fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let fail = |e: std::io::Error| Error::internal("cannot compress").because(e);
    // 255 says that the system is not known, so that every system writes the same byte.
    let mut out = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
    out.write_all(bytes).map_err(fail)?;
    out.finish().map_err(fail)
}

/// The tree as a gzipped tar.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn tar_gz(tree: &Tree) -> Result<Vec<u8>> {
    gzip(&tar::tar(tree)?)
}

/// The tree as a zip.
///
/// # Errors
/// A file cannot be read.
pub(crate) fn zip(tree: &Tree) -> Result<Vec<u8>> {
    let fail = |e: zip::result::ZipError| Error::internal("cannot write a zip").because(e);
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, entry) in tree.entries() {
        // The format's first moment, 1980: it knows no other nothing.
        let options = SimpleFileOptions::default()
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(entry.mode);
        if entry.content == Content::Folder {
            out.add_directory(path, options).map_err(fail)?;
            continue;
        }
        out.start_file(path, options).map_err(fail)?;
        out.write_all(&entry.bytes()?).map_err(|e| Error::internal("cannot write a zip").because(e))?;
    }
    Ok(out.finish().map_err(fail)?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let packed = || {
            let mut tree = Tree::default();
            tree.script("b/run", "x");
            tree.text("a", &"y".repeat(10_000));
            tree.folder("c", 0o755);
            (tar_gz(&tree).expect("packs"), zip(&tree).expect("packs"))
        };
        assert_eq!(packed(), packed());
    }
}
