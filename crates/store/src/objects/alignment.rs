//! Which part of an earlier content a chunk of the next one was: the decision behind deltas.
//!
//! Chunks end where their bytes say so, so most ends survive an edit elsewhere. A chunk that ends
//! like an old one is what became of it; where no end is found again, the distance from the last
//! one that was says which old bytes stood there. It reads no bytes itself.

use std::ops::Range;

use super::delta::{MAX_BASE_BYTES, MAX_BASES};
use super::list::{BlobList, Chunk};
use crate::Digest;

/// How an earlier content and the next one lie beside each other, chunk by chunk.
#[derive(Debug)]
pub(super) struct Alignment {
    chunks: Vec<Chunk>,
    /// Where each old chunk begins, and where the last one ends.
    starts: Vec<u64>,
    /// Ends of old chunks, sorted, each with its chunk.
    ends: Vec<(u32, u32)>,
    /// The place in the old content that the next new byte corresponds to.
    at: u64,
}

impl Alignment {
    pub(super) fn new(old: BlobList) -> Self {
        let mut starts = vec![0];
        let mut ends = Vec::with_capacity(old.chunks.len());
        for (index, chunk) in old.chunks.iter().enumerate() {
            starts.push(starts[index] + u64::from(chunk.size));
            let index = u32::try_from(index).expect("a list has at most 2^24 chunks: 1 GiB of 40 bytes");
            // Lists of before ends were kept have none: there the distance alone decides.
            ends.extend(chunk.end.map(|end| (end, index)));
        }
        ends.sort_unstable();
        Self { chunks: old.chunks, starts, ends, at: 0 }
    }

    /// The old chunks that the next new chunk, of so many bytes and this end, came from; perhaps none.
    pub(super) fn next(&mut self, size: usize, end: u32) -> Vec<Digest> {
        let (from, expected) = (self.at, self.containing(self.at));
        let range = match self.nearest(end, expected) {
            Some(found) => {
                self.at = self.starts[found + 1];
                expected.min(found)..found + 1
            }
            None => {
                self.at = from + size as u64;
                expected..self.containing(self.at.saturating_sub(1)) + 1
            }
        };
        self.limited(range).iter().map(|chunk| chunk.digest).collect()
    }

    /// The old chunk at this place; one past the last when the place is behind all.
    fn containing(&self, at: u64) -> usize {
        self.starts.partition_point(|&start| start <= at) - 1
    }

    /// Of the old chunks with this end, the one nearest to `expected`: rows that repeat give many.
    fn nearest(&self, end: u32, expected: usize) -> Option<usize> {
        let expected = u32::try_from(expected).unwrap_or(u32::MAX);
        let from = self.ends.partition_point(|&known| known < (end, expected));
        let same = |at: usize| self.ends.get(at).filter(|known| known.0 == end).map(|known| known.1);
        let (before, after) = (from.checked_sub(1).and_then(same), same(from));
        let found = match (before, after) {
            (Some(before), Some(after)) if expected - before < after - expected => before,
            (before, after) => after.or(before)?,
        };
        Some(found as usize)
    }

    /// As much of a range as may be a base, its end rather than its beginning.
    fn limited(&self, range: Range<usize>) -> &[Chunk] {
        let end = range.end.min(self.chunks.len());
        let mut start = end;
        while start > range.start
            && end - start < MAX_BASES
            && self.starts[end] - self.starts[start - 1] <= MAX_BASE_BYTES as u64
        {
            start -= 1;
        }
        &self.chunks[start..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop, proptest};

    /// Chunks told by their size and end; the digest is that of their number.
    fn list(chunks: &[(usize, u32)]) -> BlobList {
        let mut list = BlobList::default();
        for (index, &(size, end)) in chunks.iter().enumerate() {
            list.push(Chunk { digest: digest(index), size: size as u32, end: Some(end) });
        }
        list
    }

    fn digest(index: usize) -> Digest {
        Digest::of(&index.to_le_bytes())
    }

    fn digests(range: Range<usize>) -> Vec<Digest> {
        range.map(digest).collect()
    }

    #[test]
    fn a_chunk_that_ends_like_an_old_one_came_from_it() {
        let mut alignment = Alignment::new(list(&[(100, 1), (120, 2), (90, 3)]));
        assert_eq!(alignment.next(101, 1), digests(0..1));
        assert_eq!(alignment.next(119, 2), digests(1..2));
        assert_eq!(alignment.next(90, 3), digests(2..3));
        assert_eq!(alignment.next(50, 4), [], "what is appended came from nothing");
    }

    #[test]
    fn a_chunk_that_swallowed_the_next_came_from_both_and_one_that_was_split_gives_both_halves() {
        let mut alignment = Alignment::new(list(&[(100, 1), (120, 2), (90, 3)]));
        assert_eq!(alignment.next(220, 2), digests(0..2));
        assert_eq!(alignment.next(40, 77), digests(2..3));
        assert_eq!(alignment.next(50, 3), digests(2..3));
    }

    #[test]
    fn after_rows_were_removed_the_next_known_end_leads_back() {
        let old: Vec<_> = (0..100).map(|end| (100, end)).collect();
        let mut alignment = Alignment::new(list(&old));
        assert_eq!(alignment.next(100, 0), digests(0..1));
        assert_eq!(alignment.next(100, 60).last(), Some(&digest(60)));
        assert_eq!(alignment.next(100, 1_000), digests(61..62));
    }

    #[test]
    fn of_many_like_ends_the_nearest_counts() {
        let mut alignment = Alignment::new(list(&[(100, 5), (100, 5), (100, 5), (100, 5)]));
        for index in 0..4 {
            assert_eq!(alignment.next(100, 5), digests(index..index + 1));
        }
        assert_eq!(alignment.next(100, 5), digests(3..4));
    }

    #[test]
    fn a_list_without_ends_is_aligned_by_distance() {
        let mut old = list(&[(100, 1), (120, 2), (90, 3)]);
        old.chunks.iter_mut().for_each(|chunk| chunk.end = None);
        let mut alignment = Alignment::new(old);
        assert_eq!(alignment.next(110, 1), digests(0..2));
        assert_eq!(alignment.next(100, 2), digests(1..2));
    }

    proptest! {
        #[test]
        fn bases_stay_within_their_limits(
            old in prop::collection::vec((1..300_000usize, 0..6u32), 0..40),
            new in prop::collection::vec((1..300_000usize, 0..8u32), 0..40),
        ) {
            let sizes: std::collections::HashMap<_, _> =
                old.iter().enumerate().map(|(index, &(size, _))| (digest(index), size)).collect();
            let mut alignment = Alignment::new(list(&old));
            for (size, end) in new {
                let bases = alignment.next(size, end);
                assert!(bases.len() <= MAX_BASES);
                assert!(bases.iter().map(|base| sizes[base]).sum::<usize>() <= MAX_BASE_BYTES);
            }
        }

        #[test]
        fn any_end_is_looked_up_without_harm(ends in prop::collection::vec(any::<u32>(), 0..30), end in any::<u32>()) {
            let old: Vec<_> = ends.iter().map(|&end| (10, end)).collect();
            let found = Alignment::new(list(&old)).next(10, end);
            assert_eq!(found.is_empty(), ends.is_empty());
        }
    }
}
