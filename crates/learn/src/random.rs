//! Seeded streams of random numbers: the same on every system and for any number of threads,
//! because each purpose (one tree, one shuffle) draws from a stream of its own.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng as _;

/// One stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream(Pcg64Mcg);

impl Stream {
    /// The stream of this seed for one purpose; `index` tells apart its repetitions (tree 0, 1, 2...).
    pub fn new(seed: u64, purpose: &str, index: u64) -> Self {
        // FNV-1a over the purpose; SplitMix64 then spreads neighbouring seeds far apart.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        let low = split_mix(seed ^ hash);
        let high = split_mix(low ^ split_mix(index.wrapping_add(0x5851_f42d_4c95_7f2d)));
        Self(Pcg64Mcg::new(u128::from(high) << 64 | u128::from(low)))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number in `0..end`, each equally likely (Lemire's method, with rejection).
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "a range to draw from is not empty");
        let end = end as u64;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(end);
            if (product as u64) >= end.wrapping_neg() % end {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts the items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `take` of the numbers `0..all`, ascending, each subset equally likely (selection sampling).
    pub fn sample(&mut self, all: usize, take: usize) -> Vec<u32> {
        let mut chosen = Vec::with_capacity(take.min(all));
        for at in 0..all {
            let wanted = take.min(all) - chosen.len();
            if wanted == 0 {
                break;
            }
            if self.below(all - at) < wanted {
                chosen.push(at as u32);
            }
        }
        chosen
    }
}

fn split_mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_fixed_by_seed_purpose_and_index() {
        let draw = |seed, purpose, index| {
            let mut stream = Stream::new(seed, purpose, index);
            [stream.next_u64(), stream.next_u64()]
        };
        assert_eq!(draw(7, "tree", 3), draw(7, "tree", 3));
        assert_ne!(draw(7, "tree", 3), draw(8, "tree", 3));
        assert_ne!(draw(7, "tree", 3), draw(7, "shuffle", 3));
        assert_ne!(draw(7, "tree", 3), draw(7, "tree", 4));
    }

    #[test]
    fn numbers_below_are_even_and_samples_are_ascending_subsets() {
        let mut stream = Stream::new(1, "test", 0);
        let mut seen = [0_u32; 5];
        for _ in 0..50_000 {
            seen[stream.below(5)] += 1;
        }
        assert!(seen.iter().all(|count| (9_500..10_500).contains(count)), "{seen:?}");
        let chosen = stream.sample(1_000, 200);
        assert_eq!(chosen.len(), 200);
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(stream.sample(3, 9), [0, 1, 2]);
    }
}
