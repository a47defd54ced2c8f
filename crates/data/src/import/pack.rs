//! Unpacks files: gzip, Zstandard, xz, bzip2, and one file out of a ZIP archive. A small file can
//! unpack to more than any disk holds, so what comes out has limits, in all and against what
//! goes in.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Component, Path};

use base::{Error, Progress, Result, count};
use tempfile::NamedTempFile;
use zip::ZipArchive;

use super::decode::open_regular;
use super::options::Pack;

/// A file that unpacks to more is refused.
const MAX_UNPACKED_BYTES: u64 = 64 << 30;
/// So many times its packed size a file may unpack to. Text of one repeated row packs 1000 to 1
/// with gzip; tables stay below 100.
const MAX_RATIO: u64 = 400;
/// Up to here the ratio does not matter.
const RATIO_FREE_BYTES: u64 = 64 << 20;
/// What an xz file may ask for to be unpacked.
const MAX_XZ_KB: u32 = 256 << 10;
/// Files in an archive that are listed.
const MAX_MEMBERS: usize = 1000;
const PIECE_BYTES: usize = 256 << 10;

/// What the file is packed with, by its first bytes. A workbook is a ZIP archive too, but it is
/// read as it is.
pub(super) fn detect(path: &Path) -> Result<Pack> {
    let (mut file, _) = open_regular(path)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(8).read_to_end(&mut head).map_err(|e| Error::io("read", path, &e))?;
    let pack = match head.as_slice() {
        [0x1F, 0x8B, ..] => Pack::Gzip,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Pack::Zstd,
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Pack::Xz,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, ..] => Pack::Bzip2,
        [b'P', b'K', 3, 4, ..] if !is_document(path) => Pack::Zip,
        // An archive without files begins with its end.
        [b'P', b'K', 5, 6, ..] => Pack::Zip,
        _ => Pack::None,
    };
    Ok(pack)
}

/// True for an archive that is one document: a workbook, or the like of other programs.
fn is_document(path: &Path) -> bool {
    let Ok(archive) = open_zip(path) else { return false };
    ["[Content_Types].xml", "mimetype"].iter().any(|name| archive.index_for_name(name).is_some())
}

/// Which file of an archive is read.
#[derive(Debug, Default)]
pub(super) struct Choice {
    /// Its position in the archive.
    pub(super) at: usize,
    /// Its name, if there are several.
    pub(super) member: Option<String>,
    /// Its name, if there are several and nobody named one.
    pub(super) guessed: Option<String>,
    /// The names of all files.
    pub(super) members: Vec<String>,
    /// What the options' `table` names within the file.
    pub(super) inner: Option<String>,
}

/// Chooses the file that `table` names; the first where there are several and none is named.
///
/// # Errors
/// `invalid_input` for an archive without such a file.
pub(super) fn choose(path: &Path, pack: Pack, table: Option<&str>) -> Result<Choice> {
    if pack != Pack::Zip {
        return Ok(Choice { inner: table.map(str::to_owned), ..Choice::default() });
    }
    let mut archive = open_zip(path)?;
    let files = files_of(path, &mut archive, MAX_MEMBERS)?;
    let members: Vec<String> = files.iter().map(|(_, name)| name.clone()).collect();
    let wanted = table.and_then(|table| files.iter().find(|(_, name)| name == table));
    match (files.as_slice(), wanted) {
        ([], _) => Err(Error::invalid(format!("the archive `{}` holds no files", path.display()))
            .hint("choose an archive with a table in it")),
        ([(at, name)], _) => {
            let inner = table.filter(|table| table != name).map(str::to_owned);
            Ok(Choice { at: *at, members, inner, ..Choice::default() })
        }
        (_, Some((at, name))) => {
            Ok(Choice { at: *at, member: Some(name.clone()), members, ..Choice::default() })
        }
        ([(at, name), ..], None) if table.is_none() => {
            let name = Some(name.clone());
            Ok(Choice { at: *at, member: name.clone(), guessed: name, members, inner: None })
        }
        _ => {
            let table = table.unwrap_or_default();
            let message = format!("the archive `{}` holds no file `{table}`", path.display());
            Err(Error::invalid(message).hint(format!("it holds {}", listed(&members))))
        }
    }
}

/// Names for a hint.
pub(super) fn listed(names: &[String]) -> String {
    let mut out: Vec<String> = names.iter().take(10).map(|name| format!("`{name}`")).collect();
    if names.len() > 10 {
        out.push(format!("and {} more", count(names.len() as u64 - 10)));
    }
    out.join(", ")
}

/// What was unpacked.
pub(super) struct Made {
    pub(super) size_bytes: u64,
    pub(super) is_whole: bool,
}

/// A packed file, and which file of it is wanted.
pub(super) struct Packed<'a> {
    pub(super) path: &'a Path,
    pub(super) pack: Pack,
    /// The position in the archive.
    pub(super) at: usize,
}

/// Unpacks a file into `out`, up to `most_bytes`.
///
/// # Errors
/// `invalid_input` for a damaged file or one that unpacks to too much; `cancelled`; a full disk.
pub(super) fn unpack(
    packed: &Packed<'_>,
    most_bytes: Option<u64>,
    out: &mut NamedTempFile,
    progress: &Progress,
) -> Result<Made> {
    let Packed { path, pack, at } = *packed;
    let (file, size_bytes) = open_regular(path)?;
    let broken = |e: &dyn std::fmt::Display| broken(path, pack, e);
    let mut copy = Copy { path, pack, packed_bytes: size_bytes, most_bytes, out, progress };
    let file = BufReader::new(file);
    // The parsers of packed files are other people's, as those of the formats are.
    let unpacked = catch_unwind(AssertUnwindSafe(|| match pack {
        Pack::None => Err(Error::internal("a plain file is not unpacked")),
        Pack::Gzip => copy.all(&mut flate2::read::MultiGzDecoder::new(file)),
        Pack::Zstd => {
            let mut reader = zstd::stream::read::Decoder::with_buffer(file).map_err(|e| broken(&e))?;
            copy.all(&mut reader)
        }
        Pack::Xz => copy.all(&mut lzma_rust2::XzReader::new_mem_limit(file, true, MAX_XZ_KB)),
        Pack::Bzip2 => copy.all(&mut bzip2::read::MultiBzDecoder::new(file)),
        Pack::Zip => {
            let mut archive = open_zip(path)?;
            let mut member = archive.by_index(at).map_err(|e| broken(&e))?;
            copy.packed_bytes = member.compressed_size().min(size_bytes);
            copy.all(&mut member)
        }
    }));
    unpacked.unwrap_or_else(|_| Err(broken(&"its parser gave up")))
}

/// Unpacks those files of a ZIP archive whose path is wanted into the folder `dir`.
///
/// # Errors
/// As [`unpack`]; `invalid_input` for a path that leads out of the folder.
pub(super) fn unpack_all(
    path: &Path,
    wants: &dyn Fn(&str) -> bool,
    most: usize,
    dir: &Path,
    progress: &Progress,
) -> Result<()> {
    let mut archive = open_zip(path)?;
    let mut left_bytes = MAX_UNPACKED_BYTES;
    for (at, name) in files_of(path, &mut archive, most)? {
        if !wants(&name) {
            continue;
        }
        let is_inside = Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inside || name.contains('\\') {
            let message =
                format!("the archive `{}` holds the path `{}`", path.display(), name.escape_debug());
            return Err(
                Error::invalid(message).hint("unpack it yourself if you trust it, then import the folder")
            );
        }
        let to = dir.join(&name);
        let parent = to.parent().unwrap_or(dir);
        std::fs::create_dir_all(parent).map_err(|e| Error::io("make the folder", parent, &e))?;
        let mut file = NamedTempFile::new_in(parent).map_err(|e| Error::io("unpack into", parent, &e))?;
        let made = unpack(&Packed { path, pack: Pack::Zip, at }, None, &mut file, progress)?;
        left_bytes = left_bytes.checked_sub(made.size_bytes).ok_or_else(|| {
            Error::invalid(format!("`{}` unpacks to more than 64 GB", path.display()))
                .hint("unpack it yourself if you trust it, then import the folder")
        })?;
        file.persist(&to).map_err(|e| Error::io("unpack into", &to, &e.error))?;
    }
    Ok(())
}

struct Copy<'a> {
    path: &'a Path,
    pack: Pack,
    packed_bytes: u64,
    most_bytes: Option<u64>,
    out: &'a mut NamedTempFile,
    progress: &'a Progress,
}

impl Copy<'_> {
    fn all(&mut self, reader: &mut dyn Read) -> Result<Made> {
        let mut piece = vec![0; PIECE_BYTES];
        let mut size_bytes = 0;
        loop {
            let got = match reader.read(&mut piece) {
                Ok(got) => got,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(broken(self.path, self.pack, &e)),
            };
            if got == 0 {
                return Ok(Made { size_bytes, is_whole: true });
            }
            size_bytes += got as u64;
            self.refuse_bomb(size_bytes)?;
            self.progress.step("unpacking", size_bytes, None)?;
            self.out.write_all(&piece[..got]).map_err(|e| Error::io("unpack", self.path, &e))?;
            if self.most_bytes.is_some_and(|most| size_bytes >= most) {
                return Ok(Made { size_bytes, is_whole: false });
            }
        }
    }

    fn refuse_bomb(&self, size_bytes: u64) -> Result<()> {
        let is_dense = size_bytes > RATIO_FREE_BYTES && size_bytes / MAX_RATIO > self.packed_bytes;
        if !is_dense && size_bytes <= MAX_UNPACKED_BYTES {
            return Ok(());
        }
        let why = if is_dense { "more than 400 times its size" } else { "more than 64 GB" };
        let message = format!("`{}` unpacks to {why}", self.path.display());
        Err(Error::invalid(message).hint("unpack it yourself if you trust it, then import that file"))
    }
}

fn broken(path: &Path, pack: Pack, why: &dyn std::fmt::Display) -> Error {
    let what = match pack {
        Pack::None => "file",
        Pack::Gzip => "gzip file",
        Pack::Zstd => "Zstandard file",
        Pack::Zip => "ZIP archive",
        Pack::Xz => "xz file",
        Pack::Bzip2 => "bzip2 file",
    };
    Error::invalid(format!("the {what} `{}` is damaged", path.display()))
        .because(why)
        .hint("check that it was copied in full, or pack it again")
}

/// Opens an archive.
///
/// # Errors
/// `invalid_input` for a damaged one.
pub(super) fn open_zip(path: &Path) -> Result<ZipArchive<BufReader<File>>> {
    let (mut file, _) = open_regular(path)?;
    file.seek(SeekFrom::Start(0)).map_err(|e| Error::io("read", path, &e))?;
    ZipArchive::new(BufReader::new(file)).map_err(|e| broken(path, Pack::Zip, &e))
}

/// The files of an archive in its order, without folders and what file managers leave.
fn files_of(
    path: &Path,
    archive: &mut ZipArchive<BufReader<File>>,
    most: usize,
) -> Result<Vec<(usize, String)>> {
    let mut files = Vec::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(|e| broken(path, Pack::Zip, &e))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let last = name.rsplit('/').next().unwrap_or_default();
        if last.is_empty() || last.starts_with('.') || name.starts_with("__MACOSX/") {
            continue;
        }
        if entry.encrypted() {
            let message = format!("`{name}` in the archive `{}` is encrypted", path.display());
            return Err(Error::invalid(message).hint("unpack it yourself, then import that file"));
        }
        files.push((at, name));
        if files.len() > most {
            let most = count(most as u64);
            return Err(Error::invalid(format!(
                "the archive `{}` holds more than {most} files",
                path.display()
            ))
            .hint("unpack it, then import the file that holds the table"));
        }
    }
    Ok(files)
}
