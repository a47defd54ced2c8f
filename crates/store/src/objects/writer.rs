//! Putting content: cut into chunks, kept when new, packed, and one sync per pack.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::SystemTime;

use base::{Code, Error, Progress, Result};
use fastcdc::v2020::{self, StreamCDC};
use zstd::zstd_safe::CCtx;

use super::Kind;
use super::alignment::Alignment;
use super::delta;
use super::fetch::Fetch;
use super::index::Index;
use super::kept::{Done, Keep, Kept};
use super::list::{self, BlobList, Chunk};
use super::pack::{self, PackWriter};
use super::seen::{self, Seen, Stamp};
use super::whole::Whole;
use crate::{Digest, files};

/// Chunks of 16 to 256 KiB, 64 on average: small enough that a changed row costs little, large
/// enough that a gigabyte has 16,000 of them, not a million.
const CHUNK: (usize, usize, usize) = (16 << 10, 64 << 10, 256 << 10);

/// A smaller file is stored faster than it is worth to keep something of it.
const KEPT_BYTES: u64 = 64 << 20;

/// One put: as many packs as it takes. Nothing counts before [`Writer::complete`].
pub(super) struct Writer<'a> {
    dir: &'a Path,
    index: &'a Index,
    pack_bytes: u64,
    pack: Option<PackWriter>,
    /// What is in the pack under way, which the index does not know yet.
    pending: HashSet<Digest>,
    /// Packs that were looked for, and whether they are there.
    packs: HashMap<String, bool>,
    /// Reads what earlier contents were made of.
    fetch: Fetch<'a>,
    compressor: CCtx<'static>,
    /// When the put began.
    now: SystemTime,
    /// What to remember once all is durable.
    sighting: Option<Seen>,
}

/// What became of a file.
pub(super) struct StoredFile {
    pub(super) digest: Digest,
    /// Bytes that were read.
    pub(super) size: u64,
    /// How it looked, where that tells whether it changes later.
    pub(super) stamp: Option<Stamp>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(dir: &'a Path, index: &'a Index, pack_bytes: u64, now: SystemTime) -> Self {
        Self {
            dir,
            index,
            pack_bytes,
            now,
            sighting: None,
            pack: None,
            pending: HashSet::new(),
            packs: HashMap::new(),
            fetch: Fetch::new(dir, index),
            compressor: delta::compressor(),
        }
    }

    /// Puts the file at `path`, unless it looks as it did when it was last put. What of it is done is kept
    /// in the folder `keep`, if there is one.
    pub(super) fn put_file_at(
        &mut self,
        path: &Path,
        (previous, keep): (Option<&Digest>, Option<&Path>),
        progress: &Progress,
    ) -> Result<Digest> {
        let place = seen::key_of(path);
        let stamp = fs::metadata(path).ok().as_ref().and_then(Stamp::of);
        if let Some((before, digest)) =
            self.seen(place.as_ref())?.and_then(|seen| seen.files.get("").copied())
            && Some(before) == stamp
        {
            return Ok(digest);
        }
        let stored = self.put_file(path, (previous, keep), progress)?;
        let digest = stored.digest;
        self.see(place.zip(stored.stamp).map(|(place, stamp)| {
            let files = HashMap::from([(String::new(), (stamp, digest))]);
            Seen { place, whole: Some(digest), files }
        }));
        Ok(digest)
    }

    /// What was at a place when it was last put.
    pub(super) fn seen(&self, place: Option<&Digest>) -> Result<Option<Seen>> {
        place.map_or(Ok(None), |place| self.index.seen(place, self.dir))
    }

    /// Remembers what is at a place, once the put is complete.
    pub(super) fn see(&mut self, seen: Option<Seen>) {
        self.sighting = seen;
    }

    /// Puts a file, perhaps the next version of an earlier content.
    pub(super) fn put_file(
        &mut self,
        path: &Path,
        (previous, keep): (Option<&Digest>, Option<&Path>),
        progress: &Progress,
    ) -> Result<StoredFile> {
        let failed = |error| files::io_error("read", path, &error);
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        if !metadata.is_file() {
            return Err(Error::invalid(format!("`{}` is not a file", path.display())));
        }
        let before = Stamp::of(&metadata).filter(|stamp| stamp.is_settled(self.now));
        let keep = keep.filter(|_| metadata.len() >= KEPT_BYTES).zip(before.as_ref());
        let keep = keep.map(|(dir, stamp)| Keep::new(dir, stamp.to_digest(), metadata.len()));
        let total = Some(metadata.len());
        let step = |done| progress.step("storing", done, total);
        let stored = match keep {
            Some(keep) => self.put_kept(&file, previous, &keep, step),
            None => self.put_content(&file, previous, step),
        };
        let (digest, size) = stored.map_err(|error| match error.code {
            Code::Unavailable => error.within(format!("cannot store `{}`", path.display())),
            _ => error,
        })?;
        // Whoever wrote in it meanwhile has moved its times.
        let after = Stamp::of(&file.metadata().map_err(failed)?);
        Ok(StoredFile { digest, size, stamp: before.filter(|stamp| after == Some(*stamp)) })
    }

    /// Puts all that a reader gives; gives its digest and its size.
    pub(super) fn put_content(
        &mut self,
        reader: impl Read,
        previous: Option<&Digest>,
        step: impl Fn(u64) -> Result<()>,
    ) -> Result<(Digest, u64)> {
        let done = Done { list: BlobList::default(), whole: Whole::new() };
        self.put_rest(reader, previous, (done, None), step)
    }

    /// Puts all that a reader gives, and goes on where a put of the same content was killed.
    pub(super) fn put_kept(
        &mut self,
        mut reader: impl Read + Seek,
        previous: Option<&Digest>,
        keep: &Keep,
        step: impl Fn(u64) -> Result<()>,
    ) -> Result<(Digest, u64)> {
        let Some((mut kept, done)) = Kept::open(keep) else {
            return self.put_content(reader, previous, step);
        };
        let done = match done {
            Some(done) if self.are_stored(&done.list)? => Some(done),
            None => None,
            Some(_) => {
                kept.forget()?;
                None
            }
        };
        let Some(mut done) = done else {
            let done = Done { list: BlobList::default(), whole: Whole::new() };
            return self.put_rest(reader, previous, (done, Some(kept)), step);
        };
        let failed = |error| Error::new(Code::Unavailable, "cannot read what is to be stored").because(error);
        let start = Whole::start(done.list.total);
        reader.seek(SeekFrom::Start(start)).map_err(failed)?;
        let mut segment = Vec::new();
        let mut rest = (&mut reader).take(done.list.total - start);
        rest.read_to_end(&mut segment).map_err(failed)?;
        done.whole.update(&segment);
        self.put_rest(reader, previous, (done, Some(kept)), step)
    }

    /// Puts what a reader gives after what is done.
    fn put_rest(
        &mut self,
        reader: impl Read,
        previous: Option<&Digest>,
        (done, mut kept): (Done, Option<Kept>),
        step: impl Fn(u64) -> Result<()>,
    ) -> Result<(Digest, u64)> {
        let Done { mut list, mut whole } = done;
        let mut alignment = previous.map(|previous| self.align(previous)).transpose()?.flatten();
        if let Some(alignment) = &mut alignment {
            for chunk in &list.chunks {
                alignment.next(chunk.size as usize, chunk.end.unwrap_or(0));
            }
        }
        for chunk in StreamCDC::new(reader, CHUNK.0, CHUNK.1, CHUNK.2) {
            let raw = chunk.map_err(read_error)?.data;
            whole.update(&raw);
            let size = u32::try_from(raw.len()).expect("a chunk has at most 256 KiB");
            let end = list::end_of(&raw);
            let chunk = Chunk { digest: Digest::of(&raw), size, end: Some(end) };
            let came_from = alignment.as_mut().map(|alignment| alignment.next(raw.len(), end));
            self.put_chunk(chunk.digest, &raw, &came_from.unwrap_or_default())?;
            list.push(chunk);
            if let Some(kept) = kept.as_mut().filter(|kept| kept.is_due(&list)) {
                self.finish()?;
                kept.add(&list, &whole)?;
            }
            step(list.total)?;
        }
        list.digest = whole.finish();
        match list.chunks.as_slice() {
            [] => self.put(Kind::Blob, list.digest, &[])?,
            [_] => {}
            _ => self.put(Kind::List, list.digest, &list.to_bytes())?,
        }
        Ok((list.digest, list.total))
    }

    /// True when all chunks of a list are in packs that are there.
    fn are_stored(&mut self, list: &BlobList) -> Result<bool> {
        for chunk in &list.chunks {
            if !self.is_stored(&chunk.digest)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How an earlier content lies beside the next; `None` when it is not there or does not read.
    fn align(&mut self, previous: &Digest) -> Result<Option<Alignment>> {
        let object = match self.fetch.object(previous) {
            Err(error) if error.code == Code::Corrupt => return Ok(None),
            object => object?,
        };
        Ok(match object.location.entry.kind {
            Kind::Blob => {
                let mut list = BlobList::default();
                let (size, end) = (object.location.entry.raw, Some(list::end_of(&object.raw)));
                list.push(Chunk { digest: *previous, size, end });
                Some(Alignment::new(list))
            }
            Kind::List => BlobList::parse(&object.raw).map(Alignment::new),
            Kind::Tree => None,
        })
    }

    /// Puts a chunk, unless it is there already: as what changed in the chunks it came from, where
    /// that is little.
    fn put_chunk(&mut self, digest: Digest, raw: &[u8], came_from: &[Digest]) -> Result<()> {
        if came_from.is_empty() || self.has(&digest)? {
            return self.put(Kind::Blob, digest, raw);
        }
        let bases = self.fetch.bases(came_from)?;
        let Some(changed) = delta::pack(&mut self.compressor, raw, &bases) else {
            return self.put(Kind::Blob, digest, raw);
        };
        self.append(digest, |pack| pack.append_changed(digest, raw, &changed))
    }

    /// Puts one object, unless it is there already.
    pub(super) fn put(&mut self, kind: Kind, digest: Digest, raw: &[u8]) -> Result<()> {
        if self.has(&digest)? { Ok(()) } else { self.append(digest, |pack| pack.append(kind, digest, raw)) }
    }

    fn append(&mut self, digest: Digest, f: impl FnOnce(&mut PackWriter) -> Result<()>) -> Result<()> {
        let pack = match &mut self.pack {
            Some(pack) => pack,
            none => none.insert(PackWriter::new(self.dir)?),
        };
        f(pack)?;
        let is_full = pack.length() >= self.pack_bytes;
        self.pending.insert(digest);
        if is_full { self.finish() } else { Ok(()) }
    }

    fn has(&mut self, digest: &Digest) -> Result<bool> {
        Ok(self.pending.contains(digest) || self.is_stored(digest)?)
    }

    /// True when the object is in a pack that is there: the index alone is only a cache.
    fn is_stored(&mut self, digest: &Digest) -> Result<bool> {
        let Some(location) = self.index.find(digest)? else { return Ok(false) };
        if let Some(is_there) = self.packs.get(&location.pack) {
            return Ok(*is_there);
        }
        let is_there = pack::path_of(self.dir, &location.pack).exists();
        self.packs.insert(location.pack, is_there);
        Ok(is_there)
    }

    /// Completes the put. What was put is durable when this returns.
    pub(super) fn complete(mut self) -> Result<()> {
        self.finish()?;
        if let Some(seen) = self.sighting.take() {
            // Only a hint for the next time; all that it is about is stored, so nothing failed.
            let _ = self.index.see(&seen);
        }
        Ok(())
    }

    /// Completes the pack under way.
    fn finish(&mut self) -> Result<()> {
        if let Some(pack) = self.pack.take() {
            self.index.add(&pack.finish()?)?;
            self.pending.clear();
        }
        Ok(())
    }
}

fn read_error(error: v2020::Error) -> Error {
    match error {
        v2020::Error::IoError(error) => {
            Error::new(Code::Unavailable, "cannot read what is to be stored").because(error)
        }
        other => {
            Error::new(Code::Unavailable, "cannot read what is to be stored").because(format!("{other:?}"))
        }
    }
}
