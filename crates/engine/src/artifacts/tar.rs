//! Writes and reads tar files (POSIX.1-1988 `ustar`): owner 0, time 0, in the order of the paths.

use std::io::Read as _;
use std::path::Path;

use base::{Code, Error, Result};
use flate2::read::GzDecoder;

use super::{Content, Tree};

const BLOCK: usize = 512;

/// The tar of a tree. Folders come before what is in them.
///
/// # Errors
/// A file cannot be read, or a path is too long for the format (100 bytes, or 255 with folders).
pub(crate) fn tar(tree: &Tree) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut made: Vec<String> = Vec::new();
    for (path, entry) in tree.entries() {
        for folder in folders_above(path) {
            if !made.iter().any(|one| one == folder) && !tree.entries().any(|(own, _)| own == folder) {
                out.extend(header(&format!("{folder}/"), 0, 0o755, b'5')?);
                made.push(folder.to_owned());
            }
        }
        if entry.content == Content::Folder {
            out.extend(header(&format!("{path}/"), 0, entry.mode, b'5')?);
            continue;
        }
        let bytes = entry.bytes()?;
        out.extend(header(path, bytes.len(), entry.mode, b'0')?);
        out.extend_from_slice(&bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    Ok(out)
}

fn folders_above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

fn header(path: &str, size: usize, mode: u32, kind: u8) -> Result<[u8; BLOCK]> {
    let (prefix, name) =
        split(path).ok_or_else(|| Error::invalid(format!("the path `{path}` is too long for a tar file")))?;
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, name.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{size:011o}").as_bytes());
    put(136, b"00000000000");
    // The sum of the header's bytes, its own field counted as blanks.
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    put(345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// The two parts in which the format keeps a path.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= 100 {
        return Some(("", path));
    }
    let places = path.match_indices('/').map(|(at, _)| (&path[..at], &path[at + 1..]));
    places.into_iter().find(|(prefix, name)| prefix.len() <= 155 && name.len() <= 100 && !name.is_empty())
}

/// Unpacks a gzipped tar as [`tar`] writes it: files and folders with plain paths, nothing else.
///
/// # Errors
/// It is cut off, or holds what we never write.
pub(crate) fn unpack_gz(bytes: &[u8], to: &Path) -> Result<()> {
    let broken = || Error::new(Code::Corrupt, "the tar file is not whole");
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).map_err(|e| broken().because(e))?;
    let mut tree = Tree::default();
    let mut at = 0;
    while let Some(block) = plain.get(at..at + BLOCK).filter(|block| block[0] != 0) {
        let field = |from: usize, to: usize| {
            let end = block[from..to].iter().position(|byte| *byte == 0).map_or(to, |end| from + end);
            std::str::from_utf8(&block[from..end]).map_err(|_| broken())
        };
        let number =
            |from: usize, to: usize| u64::from_str_radix(field(from, to)?.trim(), 8).map_err(|_| broken());
        let (prefix, name) = (field(345, 500)?, field(0, 100)?);
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let path = path.trim_end_matches('/');
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(broken());
        }
        let size = usize::try_from(number(124, 136)?).map_err(|_| broken())?;
        let mode = u32::try_from(number(100, 108)?).map_err(|_| broken())?;
        at += BLOCK;
        match block[156] {
            b'5' => tree.folder(path, mode),
            b'0' => {
                let end = at.checked_add(size).ok_or_else(broken)?;
                let content = Content::Bytes(plain.get(at..end).ok_or_else(broken)?.to_vec());
                tree.add(path, content, mode);
                at += size.next_multiple_of(BLOCK);
            }
            _ => return Err(broken()),
        }
    }
    tree.write_to(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tar_unpacks_with_the_systems_tar_to_what_went_in() {
        let mut tree = Tree::default();
        let long = format!("{0}/{0}/{1}", "folder".repeat(10), "name".repeat(20));
        tree.text("a.txt", "one");
        tree.script("bin/run", "#!/bin/sh\n");
        tree.text(&long, "deep");
        tree.folder("tmp", 0o1777);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("t.tar");
        std::fs::write(&file, tar(&tree).expect("packs")).expect("writes");
        let unpacked = folder.path().join("out");
        std::fs::create_dir(&unpacked).expect("a folder");
        let output = std::process::Command::new("tar")
            .args(["-xf".as_ref(), file.as_os_str(), "-C".as_ref(), unpacked.as_os_str()])
            .output()
            .expect("tar runs");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        for (path, text) in [("a.txt", "one"), ("bin/run", "#!/bin/sh\n"), (long.as_str(), "deep")] {
            assert_eq!(std::fs::read_to_string(unpacked.join(path)).expect("it is there"), text);
        }
        assert!(unpacked.join("tmp").is_dir());
        let packed = crate::artifacts::pack::tar_gz(&tree).expect("packs");
        let own = folder.path().join("own");
        unpack_gz(&packed, &own).expect("unpacks");
        assert_eq!(std::fs::read_to_string(own.join(&long)).expect("it is there"), "deep");
        assert!(unpack_gz(&packed[..packed.len() / 2], &own).is_err());
    }

    #[test]
    fn a_path_that_the_format_cannot_hold_is_named() {
        let mut tree = Tree::default();
        tree.text(&"x".repeat(101), "");
        assert!(tar(&tree).expect_err("too long").message.contains("xxx"));
    }
}
