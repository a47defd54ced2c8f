//! The best place to split a node: a scan over the bins of one feature, from the left.

use super::histogram::Sum;

/// A split that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// How much better the two children are than the node, in units of the fixed point.
    pub gain: f64,
    /// The feature to look at.
    pub feature: usize,
    /// Rows in this bin and the ones before it go left.
    pub bin: u8,
    /// True if rows without a value go left.
    pub missing_left: bool,
}

impl Split {
    /// The better of two; the first of equals, so that the result does not depend on who is asked
    /// first.
    pub fn better(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(a), Some(b)) => Some(if b.gain > a.gain { b } else { a }),
            (a, b) => a.or(b),
        }
    }
}

/// What a split must keep to; second derivatives are in units of the fixed point.
#[derive(Debug, Clone, Copy)]
pub struct SplitRules {
    /// The least number of rows on each side.
    pub least_rows: u64,
    /// The least sum of second derivatives on each side.
    pub least_hessian: f64,
    /// Added to the second derivatives: shrinks leaves that stand on little.
    pub l2: f64,
}

/// The range that the value of a leaf must stay in, and the direction of the feature scanned:
/// what monotone constraints ask for. Values are in units of the fixed point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The least value allowed.
    pub low: f64,
    /// The largest value allowed.
    pub high: f64,
}

impl Bounds {
    /// No bounds at all.
    pub const FREE: Self = Self { low: f64::NEG_INFINITY, high: f64::INFINITY };

    fn is_free(self) -> bool {
        self == Self::FREE
    }
}

/// The value a leaf takes: the one that minimises the loss to second order, inside the bounds.
pub fn leaf_value(sum: Sum, l2: f64, bounds: Bounds) -> f64 {
    let hessian = sum.hessian() + l2;
    if hessian <= 0.0 {
        return 0.0_f64.clamp(bounds.low, bounds.high);
    }
    (-sum.gradient() / hessian).clamp(bounds.low, bounds.high)
}

/// The search over one feature of one node.
pub struct Scan<'a> {
    /// The feature looked at.
    pub feature: usize,
    /// The sum over all rows of the node.
    pub total: Sum,
    /// What a split must keep to.
    pub rules: &'a SplitRules,
    /// The bounds of the node.
    pub bounds: Bounds,
    /// `1` if the prediction must not fall as the feature grows, `-1` if it must not rise.
    pub direction: i8,
}

impl Scan<'_> {
    /// The best split over the bins `1..` of a histogram whose bin 0 holds the missing values.
    pub fn best(&self, histogram: &[Sum]) -> Option<Split> {
        let present = || {
            let bins = (1..=255_u8).zip(&histogram[1..]);
            bins.filter(|(_, sum)| sum.count() > 0).map(|(bin, sum)| (bin, *sum))
        };
        self.best_of(histogram[0], present)
    }

    /// The best split over the bins that hold rows, ascending, given apart from the missing ones.
    pub fn best_of<I: Iterator<Item = (u8, Sum)>>(
        &self,
        missing: Sum,
        present: impl Fn() -> I,
    ) -> Option<Split> {
        let mut best = self.scan(missing, false, present());
        if missing.count() > 0 {
            best = Split::better(best, self.scan(missing, true, present()));
        }
        best
    }

    fn scan(
        &self,
        missing: Sum,
        missing_left: bool,
        present: impl Iterator<Item = (u8, Sum)>,
    ) -> Option<Split> {
        let parent = score(self.total, self.rules.l2);
        // A gain must be more than rounding noise of the parent's own score.
        let mut most = parent.abs() * 1e-12;
        let mut best: Option<Split> = None;
        let mut left = if missing_left { missing } else { Sum::default() };
        let mut before: Option<u8> = None;
        for (bin, sum) in present {
            if let Some(before) = before {
                let right = self.total.minus(left);
                if right.count() < self.rules.least_rows {
                    break;
                }
                if let Some(gain) = self.gain(left, right, parent).filter(|gain| *gain > most) {
                    most = gain;
                    // The middle of a gap is the best guess for values not seen in it; rows
                    // without a value follow the crowd where training has none.
                    let middle = before + (bin - before - 1) / 2;
                    let follows = missing.count() == 0 && left.count() >= right.count();
                    let missing_left = missing_left || follows;
                    best = Some(Split { gain, feature: self.feature, bin: middle, missing_left });
                }
            }
            left = left.plus(sum);
            before = Some(bin);
        }
        // Rows with a value against rows without one is a split too.
        if let (Some(last), false, 0) = (before, missing_left, self.direction) {
            let gain = self.gain(left, self.total.minus(left), parent).filter(|gain| *gain > most);
            if let (Some(gain), true) = (gain, missing.count() > 0) {
                best = Some(Split { gain, feature: self.feature, bin: last, missing_left: false });
            }
        }
        best
    }

    /// What a split into these two sides gains; nothing if the rules forbid it.
    fn gain(&self, left: Sum, right: Sum, parent: f64) -> Option<f64> {
        let rules = self.rules;
        let is_allowed = left.count().min(right.count()) >= rules.least_rows
            && left.hessian().min(right.hessian()) >= rules.least_hessian;
        if !is_allowed {
            return None;
        }
        if self.direction == 0 && self.bounds.is_free() {
            return Some(score(left, rules.l2) + score(right, rules.l2) - parent);
        }
        self.bounded_gain(left, right)
    }

    /// The gain when leaf values are held inside the bounds; none if the children are in the
    /// wrong order.
    fn bounded_gain(&self, left: Sum, right: Sum) -> Option<f64> {
        let l2 = self.rules.l2;
        let (a, b) = (leaf_value(left, l2, self.bounds), leaf_value(right, l2, self.bounds));
        if f64::from(self.direction) * (b - a) < 0.0 {
            return None;
        }
        let at =
            |sum: Sum, value: f64| -(2.0 * sum.gradient() * value + (sum.hessian() + l2) * value * value);
        Some(at(left, a) + at(right, b) - at(self.total, leaf_value(self.total, l2, self.bounds)))
    }
}

fn score(sum: Sum, l2: f64) -> f64 {
    let hessian = sum.hessian() + l2;
    if hessian > 0.0 { sum.gradient() * sum.gradient() / hessian } else { 0.0 }
}
