//! What a Linux program needs to run: its loader and its libraries, read from its ELF headers. A
//! program that is linked statically needs nothing.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

use base::{Code, Error, Result};

/// Where Debian, Fedora and Alpine keep libraries.
const FOLDERS: [&str; 8] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
];

/// What is said in a program's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// `amd64` or `arm64`, as images say it.
    pub(crate) architecture: &'static str,
    /// The loader that starts it; none if it is linked statically.
    pub(crate) loader: Option<String>,
    /// The libraries that it names.
    pub(crate) libraries: Vec<String>,
}

/// Reads the headers of a program; none if it is no 64-bit ELF file.
pub(crate) fn read(bytes: &[u8]) -> Option<Program> {
    if !bytes.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let architecture = match half(bytes, 18)? {
        62 => "amd64",
        183 => "arm64",
        _ => return None,
    };
    let table = usize::try_from(long(bytes, 32)?).ok()?;
    let (size, count) = (usize::from(half(bytes, 54)?), usize::from(half(bytes, 56)?));
    let segments: Vec<Segment> =
        (0..count).map(|at| Segment::read(bytes, table.checked_add(at * size)?)).collect::<Option<_>>()?;
    let of_kind = |kind: u32| segments.iter().find(|segment| segment.kind == kind);
    let loader = of_kind(3).and_then(|segment| text(bytes, segment.offset));
    let libraries = match of_kind(2) {
        Some(dynamic) => needed(bytes, dynamic, &segments)?,
        None => Vec::new(),
    };
    Some(Program { architecture, loader, libraries })
}

struct Segment {
    kind: u32,
    offset: usize,
    address: u64,
    size: u64,
}

impl Segment {
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let kind = u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?);
        let offset = usize::try_from(long(bytes, at + 8)?).ok()?;
        Some(Self { kind, offset, address: long(bytes, at + 16)?, size: long(bytes, at + 32)? })
    }
}

/// The texts that the entries NEEDED (1) of the dynamic section point to, in the table STRTAB (5).
fn needed(bytes: &[u8], dynamic: &Segment, segments: &[Segment]) -> Option<Vec<String>> {
    let entries = (0..dynamic.size / 16).map_while(|at| {
        let place = dynamic.offset.checked_add(usize::try_from(at * 16).ok()?)?;
        let tag = long(bytes, place)?;
        (tag != 0).then_some((tag, long(bytes, place + 8)?))
    });
    let entries: Vec<(u64, u64)> = entries.collect();
    let Some((_, address)) = entries.iter().find(|(tag, _)| *tag == 5) else { return Some(Vec::new()) };
    let loaded = segments
        .iter()
        .find(|one| one.kind == 1 && (one.address..one.address.saturating_add(one.size)).contains(address))?;
    let table = loaded.offset.checked_add(usize::try_from(address - loaded.address).ok()?)?;
    let names = entries.iter().filter(|(tag, _)| *tag == 1);
    names.map(|(_, at)| text(bytes, table.checked_add(usize::try_from(*at).ok()?)?)).collect()
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn text(bytes: &[u8], at: usize) -> Option<String> {
    let rest = bytes.get(at..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    String::from_utf8(rest[..end].to_vec()).ok()
}

/// The files of this machine that a program needs beside itself, by the path that it looks for them.
///
/// # Errors
/// [`Code::Unavailable`] naming a library that is not there.
pub(crate) fn companions(program: &Program) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let Some(loader) = &program.loader else { return Ok(found) };
    found.insert(loader.clone(), real(Path::new(loader))?);
    let mut left: VecDeque<String> = program.libraries.iter().cloned().collect();
    let mut seen: Vec<String> = Vec::new();
    while let Some(name) = left.pop_front() {
        if seen.contains(&name) || Path::new(loader).ends_with(&name) {
            continue;
        }
        let places = FOLDERS.iter().map(|folder| Path::new(folder).join(&name));
        let place = places.into_iter().find(|place| place.is_file()).ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                format!("the library `{name}` that `fettle-serve` needs is not on this machine"),
            )
            .hint("use a `fettle-serve` that is linked statically, as releases have it")
        })?;
        let bytes = std::fs::read(&place).map_err(|e| Error::io("read", &place, &e))?;
        left.extend(read(&bytes).map(|library| library.libraries).unwrap_or_default());
        found.insert(place.to_string_lossy().into_owned(), real(&place)?);
        seen.push(name);
    }
    Ok(found)
}

fn real(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).map_err(|e| Error::io("find", path, &e))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn this_test_program_names_its_loader_and_the_c_library() {
        let own = std::env::current_exe().expect("it has a path");
        let program = read(&std::fs::read(own).expect("it reads")).expect("it is an ELF file");
        assert!(program.loader.as_deref().is_some_and(|loader| loader.contains("ld-linux")), "{program:?}");
        assert!(program.libraries.iter().any(|name| name.starts_with("libc.so")), "{program:?}");
        let companions = companions(&program).expect("they are here");
        assert!(companions.keys().any(|path| path.ends_with("libc.so.6")), "{companions:?}");
        assert!(companions.values().all(|file| file.is_file()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_passed_over(mut bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            read(&bytes);
            let magic = b"\x7fELF\x02\x01";
            if bytes.len() > 64 {
                bytes[..6].copy_from_slice(magic);
                bytes[18..20].copy_from_slice(&[62, 0]);
                read(&bytes);
            }
        }
    }
}
