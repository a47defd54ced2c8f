//! Counting values: exactly up to a limit, beyond it by a sketch of fixed size (HyperLogLog,
//! Flajolet et al. 2007, with 2^14 registers: a standard error of 0.8 in 100).

use std::collections::HashMap;

use super::{ColumnProfile, Lengths, Limits, ValueCount};
use crate::schema::Kind;

/// Values that a profile lists.
const MAX_TOP: usize = 50;
/// A longer value is cut in the list.
const MAX_VALUE_CHARS: usize = 200;

/// Counts texts.
pub(super) struct TextCounter {
    limits: Limits,
    counts: HashMap<Box<str>, u64>,
    bytes: usize,
    present: u64,
    missing: u64,
    chars: Option<(u64, u64)>,
    all_chars: u64,
    // Made when the limit is reached: from then on no new text is kept.
    sketch: Option<Sketch>,
}

impl TextCounter {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            counts: HashMap::new(),
            bytes: 0,
            present: 0,
            missing: 0,
            chars: None,
            all_chars: 0,
            sketch: None,
        }
    }

    pub(super) fn add(&mut self, value: Option<&str>) {
        let Some(value) = value else {
            self.missing += 1;
            return;
        };
        self.present += 1;
        let chars = value.chars().count() as u64;
        let (min, max) = self.chars.unwrap_or((chars, chars));
        self.chars = Some((min.min(chars), max.max(chars)));
        self.all_chars += chars;
        if let Some(sketch) = &mut self.sketch {
            sketch.add(hash(value.as_bytes()));
        }
        if let Some(count) = self.counts.get_mut(value) {
            *count += 1;
            return;
        }
        if self.sketch.is_some() {
            return;
        }
        let is_full =
            self.counts.len() >= self.limits.texts || self.bytes + value.len() > self.limits.text_bytes;
        if is_full {
            let mut sketch = Sketch::default();
            self.counts.keys().for_each(|text| sketch.add(hash(text.as_bytes())));
            sketch.add(hash(value.as_bytes()));
            self.sketch = Some(sketch);
            return;
        }
        self.bytes += value.len();
        self.counts.insert(value.into(), 1);
    }

    pub(super) fn finish(self, name: &str, like: Option<&ColumnProfile>) -> ColumnProfile {
        let distinct = match &self.sketch {
            Some(sketch) => sketch.estimate().clamp(self.counts.len() as u64, self.present),
            None => self.counts.len() as u64,
        };
        let wanted = like.map(|profile| profile.top.as_slice()).unwrap_or_default();
        let counted = self.counts.into_iter().map(|(value, count)| ValueCount { value: cut(&value), count });
        let top = top_of(counted.collect(), wanted);
        let other = self.present - top.iter().map(|entry| entry.count).sum::<u64>();
        let mean = self.all_chars as f64 / self.present as f64;
        ColumnProfile {
            distinct_is_exact: self.sketch.is_none(),
            lengths: self.chars.map(|(min, max)| Lengths { min, mean, max }),
            ..plain(
                name,
                Kind::Text,
                Counts { present: self.present, missing: self.missing, distinct },
                top,
                other,
            )
        }
    }
}

/// Counts truth values.
#[derive(Default)]
pub(super) struct TruthCounter {
    yes: u64,
    no: u64,
    missing: u64,
}

impl TruthCounter {
    pub(super) fn add(&mut self, value: Option<bool>) {
        match value {
            Some(true) => self.yes += 1,
            Some(false) => self.no += 1,
            None => self.missing += 1,
        }
    }

    pub(super) fn finish(self, name: &str) -> ColumnProfile {
        let Self { yes, no, missing } = self;
        let present = yes + no;
        let listed = [("true", yes), ("false", no)].into_iter().filter(|(_, count)| *count > 0);
        let listed: Vec<_> =
            listed.map(|(value, count)| ValueCount { value: value.to_owned(), count }).collect();
        let counts = Counts { present, missing, distinct: listed.len() as u64 };
        ColumnProfile {
            true_share: (present > 0).then(|| yes as f64 / present as f64),
            ..plain(name, Kind::Boolean, counts, top_of(listed, &[]), 0)
        }
    }
}

struct Counts {
    present: u64,
    missing: u64,
    distinct: u64,
}

/// A profile without statistics of numbers.
fn plain(name: &str, kind: Kind, counts: Counts, top: Vec<ValueCount>, other: u64) -> ColumnProfile {
    ColumnProfile {
        name: name.to_owned(),
        kind,
        count: counts.present,
        missing: counts.missing,
        infinite: 0,
        distinct: counts.distinct,
        distinct_is_exact: true,
        min: None,
        max: None,
        mean: None,
        std: None,
        quantiles: None,
        histogram: None,
        top,
        other,
        true_share: None,
        zeros: 0,
        outside: 0,
        negatives: 0,
        lengths: None,
        granularity: None,
        meaning: None,
    }
}

/// The most frequent values, the wanted ones first; equally frequent ones by their text.
pub(super) fn top_of(mut counted: Vec<ValueCount>, wanted: &[ValueCount]) -> Vec<ValueCount> {
    counted.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    let rank = |entry: &ValueCount| wanted.iter().position(|w| w.value == entry.value).unwrap_or(usize::MAX);
    if !wanted.is_empty() {
        // Looking a value up is linear, but only a handful of values is wanted.
        counted.sort_by_cached_key(rank);
    }
    counted.truncate(MAX_TOP.max(wanted.len()));
    counted
}

fn cut(value: &str) -> String {
    value.chars().take(MAX_VALUE_CHARS).collect()
}

/// Estimates how many different values it has seen.
pub(super) struct Sketch {
    registers: Vec<u8>,
}

impl Default for Sketch {
    fn default() -> Self {
        Self { registers: vec![0; 1 << Self::BITS] }
    }
}

impl Sketch {
    const BITS: u32 = 14;

    /// Adds a value by its hash.
    pub(super) fn add(&mut self, hash: u64) {
        let at = (hash >> (64 - Self::BITS)) as usize;
        let rank = (hash << Self::BITS | 1 << (Self::BITS - 1)).leading_zeros() as u8 + 1;
        self.registers[at] = self.registers[at].max(rank);
    }

    pub(super) fn estimate(&self) -> u64 {
        let m = self.registers.len() as f64;
        let sum: f64 = self.registers.iter().map(|rank| (0.5_f64).powi(i32::from(*rank))).sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().filter(|rank| **rank == 0).count();
        // Few values leave many registers empty, and counting those is more exact.
        let estimate = if raw <= 2.5 * m && empty > 0 { m * libm::log(m / empty as f64) } else { raw };
        estimate.round() as u64
    }
}

/// FNV-1a, mixed: the same on every machine, unlike the standard library's hash.
fn hash(bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    });
    mixed(fnv)
}

/// The last step of SplitMix64: every bit of the result depends on every bit of the value.
pub(crate) fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}
