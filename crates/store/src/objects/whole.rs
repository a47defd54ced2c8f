//! The hash of a content in a form that can be kept in the middle of it. BLAKE3 hashes a tree: what is
//! before a place is known by the hashes of the largest whole subtrees before it (section 5.1.2 of its
//! paper), of which there is one for each bit that is set in the number of segments.

use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root};

use crate::Digest;

/// The smallest subtree that is told of: large enough to be hashed fast.
pub(super) const SEGMENT: u64 = 1 << 20;

/// The hash of a content that is being read.
pub(super) struct Whole {
    // Whole subtrees, the largest first.
    subtrees: Vec<ChainingValue>,
    segments: u64,
    // The segment under way. It ends only when more comes: the last one is hashed in another way.
    hasher: Hasher,
    in_segment: u64,
}

impl Whole {
    pub(super) fn new() -> Self {
        Self { subtrees: Vec::new(), segments: 0, hasher: Hasher::new(), in_segment: 0 }
    }

    /// Goes on with what was kept: reading has to begin again at [`Self::start`]. `None` for what
    /// cannot be.
    pub(super) fn go_on(subtrees: Vec<ChainingValue>, total: u64) -> Option<Self> {
        let segments = segments_before(total);
        let mut whole = Self { subtrees, segments, hasher: Hasher::new(), in_segment: 0 };
        whole.hasher.set_input_offset(segments * SEGMENT);
        (whole.subtrees.len() == segments.count_ones() as usize).then_some(whole)
    }

    /// Where the segment begins that lies before `total`.
    pub(super) fn start(total: u64) -> u64 {
        segments_before(total) * SEGMENT
    }

    /// What is to be kept.
    pub(super) fn subtrees(&self) -> &[ChainingValue] {
        &self.subtrees
    }

    pub(super) fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.in_segment == SEGMENT {
                self.end_segment();
            }
            let (now, later) = bytes.split_at(bytes.len().min((SEGMENT - self.in_segment) as usize));
            self.hasher.update(now);
            self.in_segment += now.len() as u64;
            bytes = later;
        }
    }

    fn end_segment(&mut self) {
        let mut subtree = self.hasher.finalize_non_root();
        self.segments += 1;
        for _ in 0..self.segments.trailing_zeros() {
            let left = self.subtrees.pop().expect("one for each bit that was set");
            subtree = merge_subtrees_non_root(&left, &subtree, Mode::Hash);
        }
        self.subtrees.push(subtree);
        self.hasher = Hasher::new();
        self.hasher.set_input_offset(self.segments * SEGMENT);
        self.in_segment = 0;
    }

    pub(super) fn finish(mut self) -> Digest {
        let Some(first) = (!self.subtrees.is_empty()).then(|| self.subtrees.remove(0)) else {
            return self.hasher.finalize().into();
        };
        let last = self.hasher.finalize_non_root();
        let right =
            self.subtrees.iter().rfold(last, |right, left| merge_subtrees_non_root(left, &right, Mode::Hash));
        merge_subtrees_root(&first, &right, Mode::Hash).into()
    }
}

/// Segments that end before the last byte of so many.
fn segments_before(total: u64) -> u64 {
    total.saturating_sub(1) / SEGMENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::tests::noise;

    #[test]
    fn it_is_the_hash_of_the_whole_wherever_it_is_kept() {
        let content = noise(5, 9 * SEGMENT as usize + 12345);
        let segment = SEGMENT as usize;
        for size in [
            0,
            1,
            segment - 1,
            segment,
            segment + 1,
            2 * segment,
            3 * segment,
            7 * segment + 5,
            content.len(),
        ] {
            let content = &content[..size];
            for kept in [0, 1, 1000, segment, segment + 1, 4 * segment, 5 * segment + 777] {
                let Some((before, after)) = content.split_at_checked(kept) else { continue };
                let mut whole = Whole::new();
                before.chunks(70_001).for_each(|piece| whole.update(piece));
                let start = Whole::start(kept as u64) as usize;
                let mut again = Whole::go_on(whole.subtrees().to_vec(), kept as u64).expect("as it was kept");
                again.update(&before[start..]);
                for whole in [&mut whole, &mut again] {
                    after.chunks(300_000).for_each(|piece| whole.update(piece));
                }
                assert_eq!(
                    [whole, again].map(Whole::finish),
                    [Digest::of(content); 2],
                    "{size} kept at {kept}"
                );
            }
        }
        assert!(Whole::go_on(vec![[0; 32]], 10).is_none());
    }
}
