//! What files looked like when they were stored, so that a folder that did not change is walked
//! but not read again. Only a hint: kept in the index, lost with it, and forgotten as a whole
//! whenever something is taken out of the packs.
//!
//! ```text
//! place (32) | whole u8 | digest of the whole (32) if `whole` is 1 | file* | hash of all before (32)
//! file = path length u32 | path | size u64 | modified i64 | changed i64 | inode u64 | device u64 | digest (32)
//! ```

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Digest;

/// A file that changed so short a time before it was read may change again without another time
/// on it: clocks of file systems are coarse, the worst (FAT) to two seconds. As in git, where this
/// is the "racy" entry.
const SETTLED: Duration = Duration::from_secs(2);

/// How a file looks from outside. Whoever writes it and sets the old time back still moves
/// `changed_ns`, which nobody can set; systems without it tell by the rest alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    size: u64,
    modified_ns: i64,
    changed_ns: i64,
    inode: u64,
    device: u64,
}

impl Stamp {
    /// `None` where the system does not tell when a file was modified.
    pub fn of(metadata: &Metadata) -> Option<Self> {
        let modified_ns = nanoseconds(metadata.modified().ok()?)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            let changed_ns =
                metadata.ctime().checked_mul(1_000_000_000)?.checked_add(metadata.ctime_nsec())?;
            let (inode, device) = (metadata.ino(), metadata.dev());
            Some(Self { size: metadata.len(), modified_ns, changed_ns, inode, device })
        }
        #[cfg(not(unix))]
        Some(Self { size: metadata.len(), modified_ns, changed_ns: modified_ns, inode: 0, device: 0 })
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// All of it in one: two files that look the same have the same.
    pub fn to_digest(&self) -> Digest {
        let mut bytes = Vec::with_capacity(40);
        self.write(&mut bytes);
        Digest::of(&bytes)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let Self { size, modified_ns, changed_ns, inode, device } = self;
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(&modified_ns.to_le_bytes());
        out.extend_from_slice(&changed_ns.to_le_bytes());
        out.extend_from_slice(&inode.to_le_bytes());
        out.extend_from_slice(&device.to_le_bytes());
    }

    /// True when any later change of the file will show.
    pub fn is_settled(&self, now: SystemTime) -> bool {
        let Some(limit) = now.checked_sub(SETTLED).and_then(nanoseconds) else { return false };
        self.modified_ns.max(self.changed_ns) <= limit
    }
}

fn nanoseconds(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_nanos()).ok()
}

/// A file or a folder as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// Where, by [`key_of`].
    pub(super) place: Digest,
    /// The digest of the whole, when `files` are all there is of it.
    pub(super) whole: Option<Digest>,
    /// The files that can be told again by how they look, by path; a file alone has the empty one.
    pub(super) files: HashMap<String, (Stamp, Digest)>,
}

impl Seen {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_unstable_by_key(|(path, _)| path.as_str());
        let mut out = self.place.as_bytes().to_vec();
        out.push(u8::from(self.whole.is_some()));
        out.extend(self.whole.iter().flat_map(Digest::as_bytes));
        for (path, (stamp, digest)) in files {
            let length = u32::try_from(path.len()).expect("no system has paths of 4 GB");
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(path.as_bytes());
            stamp.write(&mut out);
            out.extend_from_slice(digest.as_bytes());
        }
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    /// `None` when the bytes are not what was written.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, hash) = bytes.split_last_chunk::<32>()?;
        if blake3::hash(body).as_bytes() != hash {
            return None;
        }
        let (place, rest) = body.split_first_chunk::<32>()?;
        let (&is_whole, mut rest) = rest.split_first()?;
        let mut whole = None;
        if is_whole == 1 {
            let (digest, after) = rest.split_first_chunk::<32>()?;
            (whole, rest) = (Some(Digest::from(*digest)), after);
        }
        let mut files = HashMap::new();
        while !rest.is_empty() {
            let (length, after) = rest.split_first_chunk::<4>()?;
            let (path, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            let (stamp, after) = after.split_first_chunk::<40>()?;
            let (digest, after) = after.split_first_chunk::<32>()?;
            let path = str::from_utf8(path).ok()?.to_owned();
            files.insert(path, (read_stamp(stamp), Digest::from(*digest)));
            rest = after;
        }
        Some(Self { place: Digest::from(*place), whole, files })
    }
}

fn read_stamp(bytes: &[u8; 40]) -> Stamp {
    let number = |at: usize| {
        let bytes = bytes[at..].first_chunk::<8>().expect("five numbers of eight bytes");
        u64::from_le_bytes(*bytes)
    };
    Stamp {
        size: number(0),
        modified_ns: number(8).cast_signed(),
        changed_ns: number(16).cast_signed(),
        inode: number(24),
        device: number(32),
    }
}

/// What a place on this machine is remembered by: nothing in a workspace holds an absolute path.
/// `None` when it has none.
pub fn key_of(path: &Path) -> Option<Digest> {
    let path = std::fs::canonicalize(path).ok()?;
    Some(blake3::derive_key("fettle store seen 1", path.as_os_str().as_encoded_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};

    proptest! {
        #[test]
        fn what_was_seen_is_read_as_it_was_written(
            files in prop::collection::hash_map(".{0,20}", any::<(u64, i64, i64, u64, u64)>(), 0..20),
            is_whole in any::<bool>(),
        ) {
            let files = files.into_iter().map(|(path, (size, modified_ns, changed_ns, inode, device))| {
                let digest = Digest::of(path.as_bytes());
                (path, (Stamp { size, modified_ns, changed_ns, inode, device }, digest))
            });
            let whole = is_whole.then(|| Digest::of(b"all"));
            let seen = Seen { place: Digest::of(b"here"), whole, files: files.collect() };
            assert_eq!(Seen::parse(&seen.to_bytes()), Some(seen));
        }

        #[test]
        fn other_bytes_are_not_believed(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            assert_eq!(Seen::parse(&bytes), None);
        }
    }

    #[test]
    fn a_file_that_changed_a_moment_ago_or_in_the_future_is_not_settled() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(seconds);
        let stamp = |modified: u64, changed: u64| Stamp {
            size: 1,
            modified_ns: nanoseconds(at(modified)).unwrap(),
            changed_ns: nanoseconds(at(changed)).unwrap(),
            inode: 1,
            device: 1,
        };
        assert!(stamp(98, 98).is_settled(at(100)));
        assert!(!stamp(98, 99).is_settled(at(100)), "its time was set back just now");
        assert!(!stamp(99, 98).is_settled(at(100)));
        assert!(!stamp(200, 98).is_settled(at(100)));
        assert!(!stamp(0, 0).is_settled(at(1)), "before the clock began");
    }
}
