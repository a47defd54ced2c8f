//! What a longer content is made of: its chunks in order.
//!
//! ```text
//! digest (32) | total u64 | (digest (32) | size u32 | end u32)* | hash of all before (32)
//! ```
//! The top bit of `total` says that ends are kept; lists of before that have records without.

use crate::Digest;

/// One chunk of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) digest: Digest,
    /// Bytes of it.
    pub(super) size: u32,
    /// A hash of its last bytes, by which the next version of it is found.
    pub(super) end: Option<u32>,
}

/// What a longer content is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlobList {
    /// The digest of the whole content.
    pub(super) digest: Digest,
    /// Its size.
    pub(super) total: u64,
    /// Its chunks, in order.
    pub(super) chunks: Vec<Chunk>,
}

/// So many bytes tell an end. The cutting looks at up to 64; fewer survive more edits, and 32 are
/// half of a usual row.
const TELLING: usize = 32;

const WITH_ENDS: u64 = 1 << 63;

impl Default for BlobList {
    fn default() -> Self {
        Self { digest: Digest::of(&[]), total: 0, chunks: Vec::new() }
    }
}

impl BlobList {
    pub(super) fn push(&mut self, chunk: Chunk) {
        self.total += u64::from(chunk.size);
        self.chunks.push(chunk);
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let with_ends = self.chunks.iter().all(|chunk| chunk.end.is_some());
        let mut out = Vec::with_capacity(72 + self.chunks.len() * 40);
        out.extend_from_slice(self.digest.as_bytes());
        let flag = if with_ends { WITH_ENDS } else { 0 };
        out.extend_from_slice(&(self.total | flag).to_le_bytes());
        for chunk in &self.chunks {
            out.extend_from_slice(chunk.digest.as_bytes());
            out.extend_from_slice(&chunk.size.to_le_bytes());
            if let Some(end) = chunk.end.filter(|_| with_ends) {
                out.extend_from_slice(&end.to_le_bytes());
            }
        }
        // Its digest is that of the content, so the list carries a hash of itself.
        let hash = blake3::hash(&out);
        out.extend_from_slice(hash.as_bytes());
        out
    }

    /// `None` when the bytes are not a list that was written.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (body, hash) = bytes.split_last_chunk::<32>()?;
        if blake3::hash(body).as_bytes() != hash {
            return None;
        }
        let (digest, rest) = body.split_first_chunk::<32>()?;
        let (total, rest) = rest.split_first_chunk::<8>()?;
        let total = u64::from_le_bytes(*total);
        let records = rest.chunks_exact(if total & WITH_ENDS != 0 { 40 } else { 36 });
        if !records.remainder().is_empty() {
            return None;
        }
        let chunks = records.map(|record| {
            let (digest, rest) = record.split_first_chunk::<32>().expect("36 bytes or more");
            let (size, end) = rest.split_first_chunk::<4>().expect("4 bytes or more");
            Chunk {
                digest: Digest::from(*digest),
                size: u32::from_le_bytes(*size),
                end: end.first_chunk::<4>().map(|end| u32::from_le_bytes(*end)),
            }
        });
        Some(Self { digest: Digest::from(*digest), total: total & !WITH_ENDS, chunks: chunks.collect() })
    }
}

/// How a chunk ends.
pub(super) fn end_of(chunk: &[u8]) -> u32 {
    let hash = blake3::hash(&chunk[chunk.len().saturating_sub(TELLING)..]);
    u32::from_le_bytes(*hash.as_bytes().first_chunk::<4>().expect("a hash has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};

    proptest! {
        #[test]
        fn a_list_is_read_as_it_was_written(
            chunks in prop::collection::vec((any::<u64>(), 1..300_000u32, any::<u32>()), 0..50),
            with_ends in any::<bool>(),
        ) {
            let mut list = BlobList::default();
            for (seed, size, end) in chunks {
                let digest = Digest::of(&seed.to_le_bytes());
                list.push(Chunk { digest, size, end: with_ends.then_some(end) });
            }
            assert_eq!(BlobList::parse(&list.to_bytes()), Some(list));
        }

        #[test]
        fn other_bytes_are_no_list(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            assert_eq!(BlobList::parse(&bytes), None);
        }
    }

    #[test]
    fn an_end_is_told_by_its_last_bytes_only() {
        let (one, other) = ([1; 100], [2; 60]);
        let tail = [9; TELLING];
        assert_eq!(end_of(&[one.as_slice(), &tail].concat()), end_of(&[other.as_slice(), &tail].concat()));
        assert_ne!(end_of(&one), end_of(&other));
        assert_eq!(end_of(b"short"), end_of(b"short"));
    }
}
