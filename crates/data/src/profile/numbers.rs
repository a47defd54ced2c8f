//! Statistics of numbers: collected, sorted once, and read off the sorted values.

use super::count::{Sketch, mixed, top_of};
use super::{ColumnProfile, Granularity, Histogram, Quantiles, ValueCount};
use crate::schema::Kind;

/// Bins of a histogram.
const BINS: usize = 20;
/// Integers with more different values than this have no list of values.
const MAX_LISTED: usize = 50;

/// A value of a numeric column: sorted as itself, so that long integers stay apart.
pub(super) trait Value: Copy + PartialEq + ToString {
    fn number(self) -> f64;
    fn bits(self) -> u64;
    fn sort(values: &mut [Self]);
}

impl Value for f64 {
    fn number(self) -> f64 {
        self
    }
    fn bits(self) -> u64 {
        // Both zeros are one value.
        if self == 0.0 { 0 } else { self.to_bits() }
    }
    fn sort(values: &mut [Self]) {
        values.sort_unstable_by(f64::total_cmp);
    }
}

impl Value for i64 {
    fn number(self) -> f64 {
        self as f64
    }
    fn bits(self) -> u64 {
        self as u64
    }
    fn sort(values: &mut [Self]) {
        values.sort_unstable();
    }
}

/// Takes the values of a column one by one.
pub(super) struct NumberCollector<T> {
    // Every stride-th value is kept; 1 unless the column is longer than the limit.
    stride: u64,
    seen: u64,
    missing: u64,
    infinite: u64,
    zeros: u64,
    negatives: u64,
    kept: Vec<T>,
    extremes: Option<(f64, f64)>,
    // Only fed when values are left out.
    sketch: Sketch,
}

impl<T: Value> NumberCollector<T> {
    pub(super) fn new(rows: u64, limit: usize) -> Self {
        let stride = rows.div_ceil(limit.max(1) as u64).max(1);
        Self {
            stride,
            seen: 0,
            missing: 0,
            infinite: 0,
            zeros: 0,
            negatives: 0,
            kept: Vec::new(),
            extremes: None,
            sketch: Sketch::default(),
        }
    }

    pub(super) fn add(&mut self, value: Option<T>) {
        let at = self.seen;
        self.seen += 1;
        // A missing value is never NaN on disk, but a NaN that came in anyway is missing too.
        let Some(value) = value.filter(|value| !value.number().is_nan()) else {
            self.missing += 1;
            return;
        };
        let number = value.number();
        self.zeros += u64::from(number == 0.0);
        self.negatives += u64::from(number < 0.0);
        if !value.number().is_finite() {
            self.infinite += 1;
            return;
        }
        if self.stride == 1 {
            self.kept.push(value);
            return;
        }
        let (min, max) = self.extremes.unwrap_or((number, number));
        self.extremes = Some((min.min(number), max.max(number)));
        self.sketch.add(mixed(value.bits()));
        if at.is_multiple_of(self.stride) {
            self.kept.push(value);
        }
    }

    /// Numbers outside the range of another profile, of all by the share of those that were kept.
    fn outside(&self, like: &ColumnProfile, kept: &[f64]) -> u64 {
        let (Some(min), Some(max)) = (like.min, like.max) else { return 0 };
        let outside = kept.iter().filter(|number| **number < min || **number > max).count() as f64;
        let finite = self.seen - self.missing - self.infinite;
        let infinite = if like.infinite == 0 { self.infinite } else { 0 };
        (outside / kept.len().max(1) as f64 * finite as f64).round() as u64 + infinite
    }

    pub(super) fn finish(mut self, name: &str, kind: Kind, like: Option<&ColumnProfile>) -> ColumnProfile {
        T::sort(&mut self.kept);
        let is_exact = self.stride == 1;
        let count = self.seen - self.missing;
        let finite = count - self.infinite;
        let numbers: Vec<f64> = self.kept.iter().map(|value| value.number()).collect();
        let (distinct, listed) = runs(&self.kept);
        let distinct = if is_exact { distinct } else { self.sketch.estimate().min(finite) };
        let mean = mean(&numbers);
        let bins =
            like.and_then(|profile| profile.histogram.as_ref()).map(|histogram| histogram.edges.clone());
        let edges = bins.or_else(|| edges(&numbers, kind));
        let mut histogram = edges.map(|edges| fill(edges, &numbers));
        if let Some(histogram) = histogram.as_mut().filter(|_| !is_exact) {
            scale(histogram, finite);
        }
        let is_listed = kind == Kind::Integer && is_exact;
        let wanted = like.filter(|_| is_listed).map(|profile| profile.top.as_slice()).unwrap_or_default();
        let top = if is_listed { top_of(listed, wanted) } else { Vec::new() };
        let other =
            if top.is_empty() { 0 } else { finite - top.iter().map(|entry| entry.count).sum::<u64>() };
        let extremes = self.extremes.or_else(|| Some((*numbers.first()?, *numbers.last()?)));
        ColumnProfile {
            name: name.to_owned(),
            kind,
            count,
            missing: self.missing,
            infinite: self.infinite,
            // Each infinity is a value too.
            distinct: distinct + u64::from(self.infinite > 0),
            distinct_is_exact: is_exact,
            min: extremes.map(|(min, _)| min),
            max: extremes.map(|(_, max)| max),
            mean,
            std: mean.and_then(|mean| std(&numbers, mean)),
            quantiles: quantiles(&numbers),
            histogram,
            top,
            other,
            true_share: None,
            outside: like.map_or(0, |like| self.outside(like, &numbers)),
            zeros: if kind == Kind::Time { 0 } else { self.zeros },
            negatives: if kind == Kind::Time { 0 } else { self.negatives },
            lengths: None,
            granularity: if kind == Kind::Time { granularity(&numbers) } else { None },
            meaning: None,
        }
    }
}

/// The longest unit that divides all moments, which are whole milliseconds.
fn granularity(moments: &[f64]) -> Option<Granularity> {
    let units = [
        (Granularity::Day, 86_400_000),
        (Granularity::Hour, 3_600_000),
        (Granularity::Minute, 60_000),
        (Granularity::Second, 1000),
        (Granularity::Millisecond, 1),
    ];
    let divides = |unit: i64| moments.iter().all(|moment| *moment as i64 % unit == 0);
    let longest = units.into_iter().find(|(_, unit)| divides(*unit));
    longest.filter(|_| !moments.is_empty()).map(|(granularity, _)| granularity)
}

/// How many different values a sorted slice holds, and each of them if they are few.
fn runs<T: Value>(sorted: &[T]) -> (u64, Vec<ValueCount>) {
    let mut distinct = 0;
    let mut listed = Vec::new();
    for run in sorted.chunk_by(|a, b| a == b) {
        distinct += 1;
        if distinct <= MAX_LISTED as u64 {
            listed.push(ValueCount { value: run[0].to_string(), count: run.len() as u64 });
        }
    }
    if distinct > MAX_LISTED as u64 {
        listed.clear();
    }
    (distinct, listed)
}

fn mean(values: &[f64]) -> Option<f64> {
    let mean = sum(values.iter().copied()) / values.len() as f64;
    mean.is_finite().then_some(mean)
}

fn std(values: &[f64], mean: f64) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let squares = sum(values.iter().map(|value| (value - mean) * (value - mean)));
    Some((squares / (values.len() - 1) as f64).sqrt()).filter(|std| std.is_finite())
}

/// The sum with the rounding errors carried along (Neumaier).
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut carried) = (0.0_f64, 0.0_f64);
    for value in values {
        let next = sum + value;
        carried += if sum.abs() >= value.abs() { (sum - next) + value } else { (value - next) + sum };
        sum = next;
    }
    sum + carried
}

fn quantiles(sorted: &[f64]) -> Option<Quantiles> {
    let q = |share| quantile(sorted, share);
    Some(Quantiles {
        p01: q(0.01)?,
        p05: q(0.05)?,
        p25: q(0.25)?,
        p50: q(0.5)?,
        p75: q(0.75)?,
        p95: q(0.95)?,
        p99: q(0.99)?,
    })
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let low = place.floor() as usize;
    let (a, b) = (sorted[low], sorted[(low + 1).min(last)]);
    Some(a + (b - a) * (place - low as f64)).filter(|value| value.is_finite()).or(Some(a))
}

/// The edges of the bins for sorted values.
fn edges(sorted: &[f64], kind: Kind) -> Option<Vec<f64>> {
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    if kind == Kind::Integer && max - min < BINS as f64 {
        let bins = (max - min) as usize + 1;
        return Some((0..=bins).map(|at| min - 0.5 + at as f64).collect());
    }
    let (mut low, mut high) = (quantile(sorted, 0.01)?, quantile(sorted, 0.99)?);
    if low >= high {
        (low, high) = (min, max);
    }
    let width = (high - low) / BINS as f64;
    let is_degenerate = low >= high || !width.is_finite() || low + width <= low;
    if is_degenerate {
        // One value: half a unit on both sides, or as much as its size needs to make a difference.
        let half = (low.abs() * 1e-6).max(0.5);
        return Some(vec![low - half, low + half]).filter(|edges| edges.iter().all(|e| e.is_finite()));
    }
    let inner = (0..BINS).map(|at| low + width * at as f64);
    Some(inner.chain([high]).collect())
}

fn fill(edges: Vec<f64>, sorted: &[f64]) -> Histogram {
    let before = |edge: f64| sorted.partition_point(|value| *value < edge) as u64;
    let upto = |edge: f64| sorted.partition_point(|value| *value <= edge) as u64;
    let total = sorted.len() as u64;
    // The last bin has its upper edge too.
    let inner = edges.iter().take(edges.len().saturating_sub(1)).skip(1).map(|edge| before(*edge));
    let ends = inner.chain((edges.len() > 1).then_some(total));
    let mut from = 0;
    let counts = ends.map(|to| to.saturating_sub(std::mem::replace(&mut from, to))).collect();
    let below = edges.first().map_or(0, |edge| before(*edge));
    let above = edges.last().map_or(0, |edge| total - upto(*edge));
    Histogram { edges, counts, below, above }
}

/// Brings the counts of a sample to the size of the whole, keeping the sum exact.
fn scale(histogram: &mut Histogram, total: u64) {
    let sampled: u64 = histogram.counts.iter().sum();
    if sampled == 0 {
        return;
    }
    let part = |count: u64| (u128::from(count) * u128::from(total) / u128::from(sampled)) as u64;
    let (mut from, mut seen) = (0, 0);
    for count in &mut histogram.counts {
        seen += *count;
        let to = part(seen);
        *count = to - from;
        from = to;
    }
    let last = histogram.counts.len() - 1;
    histogram.below = part(histogram.below).min(histogram.counts[0]);
    histogram.above = part(histogram.above).min(histogram.counts[last]);
}
