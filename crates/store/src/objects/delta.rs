//! A chunk as what changed in it: compressed with the chunks before it as the dictionary.
//!
//! ```text
//! payload = depth u8 | count u8 | check (8) | base digest (32) * count | zstd frame
//! ```
//! `depth` counts the deltas that must be undone, this one included, and is larger than that of
//! every base: reading ends, whatever the bytes say. `check` covers the rest of the payload, so
//! that a pack that was cut off can be read without the packs its bases are in.

use zstd::zstd_safe::{self, CCtx};

use crate::Digest;

/// A delta of a delta of a delta of a delta of a plain chunk, and no more: each costs a reading.
pub(super) const MAX_DEPTH: u8 = 4;

/// A changed chunk may have swallowed its neighbours; more than these it is compared with none.
pub(super) const MAX_BASES: usize = 8;

/// Bases together are no larger: twice the largest chunk, so that its old self is inside.
pub(super) const MAX_BASE_BYTES: usize = 512 << 10;

/// Of a table with 1% of its rows changed, level 1 makes 8.0% of what the whole table took, level
/// 3 makes 2.4%, and level 6 makes 2.2% at half the speed: level 1 skips most of a short base.
const LEVEL: i32 = 3;

/// What zstd takes for a trained dictionary when it stands first; everything else is plain bytes.
const TRAINED: [u8; 4] = [0x37, 0xA4, 0x30, 0xEC];

const FIXED: usize = 2 + 8;

/// What a chunk is told by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bases {
    pub(super) digests: Vec<Digest>,
    /// The deepest of them; 0 when all are plain.
    pub(super) depth: u8,
    /// Their bytes, one after the other.
    pub(super) bytes: Vec<u8>,
}

/// A payload taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delta<'a> {
    pub(super) depth: u8,
    pub(super) bases: Vec<Digest>,
    pub(super) frame: &'a [u8],
}

impl<'a> Delta<'a> {
    /// `None` when the bytes are not a payload that was written.
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let (&[depth, count], rest) = payload.split_first_chunk::<2>()?;
        let (check, rest) = rest.split_first_chunk::<8>()?;
        if *check != check_of(depth, count, rest) || !(1..=MAX_DEPTH).contains(&depth) {
            return None;
        }
        let (bases, frame) = rest.split_at_checked(usize::from(count) * 32)?;
        let bases = bases.as_chunks::<32>().0.iter().copied().map(Digest::from).collect();
        Some(Self { depth, bases, frame })
    }
}

/// The payload that tells `raw` by `bases`; `None` when there is none, or it would be of no use.
pub(super) fn pack(zstd: &mut CCtx<'_>, raw: &[u8], bases: &Bases) -> Option<Vec<u8>> {
    let count = u8::try_from(bases.digests.len()).ok().filter(|&count| count > 0)?;
    if bases.depth >= MAX_DEPTH || bases.bytes.starts_with(&TRAINED) {
        return None;
    }
    // A frame that does not fit into half of the chunk is no gain: it is not even finished.
    let mut frame = Vec::with_capacity(raw.len() / 2);
    zstd.compress_using_dict(&mut frame, raw, &bases.bytes, LEVEL).ok()?;
    let mut rest = Vec::with_capacity(bases.digests.len() * 32 + frame.len());
    for digest in &bases.digests {
        rest.extend_from_slice(digest.as_bytes());
    }
    rest.extend_from_slice(&frame);
    let depth = bases.depth + 1;
    let mut payload = Vec::with_capacity(FIXED + rest.len());
    payload.extend_from_slice(&[depth, count]);
    payload.extend_from_slice(&check_of(depth, count, &rest));
    payload.extend_from_slice(&rest);
    Some(payload)
}

/// A compressor for [`pack`], to be kept from one chunk to the next.
pub(super) fn compressor() -> CCtx<'static> {
    zstd_safe::CCtx::create()
}

fn check_of(depth: u8, count: u8, rest: &[u8]) -> [u8; 8] {
    let hash = blake3::Hasher::new().update(&[depth, count]).update(rest).finalize();
    *hash.as_bytes().first_chunk::<8>().expect("a hash has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};
    use zstd_safe::DCtx;

    fn bases(bytes: Vec<u8>) -> Bases {
        Bases { digests: vec![Digest::of(&bytes)], depth: 0, bytes }
    }

    proptest! {
        #[test]
        fn what_changed_gives_back_the_whole(
            base in prop::collection::vec(any::<u8>(), 200..3_000),
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut raw = base.clone();
            for (at, byte) in edits {
                let at = at.index(raw.len());
                raw[at] = byte;
            }
            let payload = pack(&mut compressor(), &raw, &bases(base.clone())).unwrap();
            let delta = Delta::parse(&payload).unwrap();
            assert_eq!((delta.depth, delta.bases), (1, vec![Digest::of(&base)]));
            let mut out = Vec::with_capacity(raw.len());
            DCtx::create().decompress_using_dict(&mut out, delta.frame, &base).unwrap();
            assert_eq!(out, raw);
        }

        #[test]
        fn no_bytes_are_too_odd_to_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            assert_eq!(Delta::parse(&bytes), None);
        }
    }

    #[test]
    fn a_flipped_bit_is_found_without_the_bases() {
        let base = vec![7; 1_000];
        let payload = pack(&mut compressor(), &[7; 1_001], &bases(base)).unwrap();
        for at in 0..payload.len() * 8 {
            let mut broken = payload.clone();
            broken[at / 8] ^= 1 << (at % 8);
            assert_eq!(Delta::parse(&broken), None, "bit {at}");
        }
    }

    #[test]
    fn bases_that_zstd_would_misread_or_that_are_too_deep_are_not_used() {
        let raw = vec![7; 1_000];
        let trained = [TRAINED.as_slice(), &raw].concat();
        assert_eq!(pack(&mut compressor(), &raw, &bases(trained)), None);
        let deep = Bases { depth: MAX_DEPTH, ..bases(raw.clone()) };
        assert_eq!(pack(&mut compressor(), &raw, &deep), None);
        assert_eq!(pack(&mut compressor(), &raw, &Bases::default()), None);
    }
}
