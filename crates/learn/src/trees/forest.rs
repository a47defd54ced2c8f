//! Grows one tree of a forest: a bootstrap sample of the rows, and at each node a fresh draw of
//! features to choose from, as in Breiman's random forest.

use std::ops::Range;

use super::bins::{Bins, MISSING};
use super::classes::Classes;
use super::histogram::{FixedPoint, GROUP, RowSum, Sum, fill, total};
use super::split::{Bounds, Scan, Split, SplitRules, leaf_value};
use super::tree::{Question, Tree};
use crate::random::Stream;

/// Nodes of fewer rows are sorted instead of counted into bins: clearing and reading 255 bins
/// would cost more. Sums are whole numbers, so both ways give the same split.
const SMALL_NODE: usize = 48;

/// How far a tree may grow.
#[derive(Debug, Clone, Copy)]
pub struct ForestLimits {
    /// The most questions between the root and a leaf.
    pub depth: usize,
    /// The least rows in a leaf.
    pub least_rows: u64,
    /// The number of features drawn at each node.
    pub features_per_split: usize,
}

/// What the trees of a forest predict.
#[derive(Debug, Clone, Copy)]
pub enum ForestTarget<'a> {
    /// One number per row: a regression, or the share of the second of two classes.
    Number(&'a [f64]),
    /// One of `count` classes per row.
    Classes {
        /// The class of each row.
        codes: &'a [u32],
        /// How many classes there are.
        count: usize,
    },
}

/// Grows trees on one set of bins; shared by all threads.
pub struct ForestGrower<'a> {
    /// The features.
    pub bins: &'a Bins,
    /// What to predict.
    pub target: ForestTarget<'a>,
    /// How much each row counts, over all rows.
    pub weights: Option<&'a [f32]>,
    /// How far a tree may grow.
    pub limits: ForestLimits,
    /// Leaf values are divided by this: the number of trees.
    pub share_of: f64,
}

/// A grown tree.
pub struct ForestTree {
    /// The tree; its leaves hold the tree's share of the prediction.
    pub tree: Tree,
    /// The gain each feature gave.
    pub gains: Vec<f64>,
    /// The rows the tree did not learn from, ascending.
    pub unseen: Vec<u32>,
}

/// How the nodes of a tree are judged: by a number or by classes.
pub(super) trait Criterion {
    /// True if the rows have the same target, so that no question helps.
    fn is_pure(&self, rows: &[u32]) -> bool;
    /// The best split of these rows on up to [`GROUP`] features, with its gain as a real number.
    fn best(&mut self, bins: &Bins, features: &[usize], rows: &[u32]) -> Option<Split>;
    /// The values of a leaf of these rows.
    fn leaf(&self, rows: &[u32], out: &mut Vec<f32>);
}

impl ForestGrower<'_> {
    /// Grows the tree of this number.
    pub fn grow(&self, seed: u64, index: u64) -> ForestTree {
        let mut stream = Stream::new(seed, "forest", index);
        let all_rows = self.bins.rows();
        let (counts, rows, unseen) = self.draw(all_rows, &mut stream);
        let weight = |row: u32| {
            f64::from(counts[row as usize]) * self.weights.map_or(1.0, |all| f64::from(all[row as usize]))
        };
        match self.target {
            ForestTarget::Number(values) => {
                let mut criterion = Number::new(values, &rows, all_rows, &self.limits, weight);
                criterion.share_of = self.share_of;
                self.grow_with(criterion, rows, unseen, 1, &mut stream)
            }
            ForestTarget::Classes { codes, count } => {
                let least_rows = self.limits.least_rows.max(1);
                let criterion = Classes::new(codes, count, (least_rows, self.share_of), &rows, weight);
                self.grow_with(criterion, rows, unseen, count, &mut stream)
            }
        }
    }

    /// How often each row was drawn (with replacement, as many draws as rows), the rows drawn at
    /// least once, and the others.
    fn draw(&self, all_rows: usize, stream: &mut Stream) -> (Vec<u16>, Vec<u32>, Vec<u32>) {
        let mut counts = vec![0_u16; all_rows];
        for _ in 0..all_rows {
            counts[stream.below(all_rows)] += 1;
        }
        let (rows, unseen) = (0..all_rows as u32).partition(|row| counts[*row as usize] > 0);
        (counts, rows, unseen)
    }

    fn grow_with<C: Criterion>(
        &self,
        mut criterion: C,
        mut rows: Vec<u32>,
        unseen: Vec<u32>,
        width: usize,
        stream: &mut Stream,
    ) -> ForestTree {
        let mut tree = Tree::sapling(width);
        let mut gains = vec![0.0; self.bins.width()];
        let mut features: Vec<usize> = (0..self.bins.width()).collect();
        let mut scratch = Vec::new();
        let mut values = Vec::with_capacity(width);
        let mut open: Vec<(usize, Range<usize>, usize)> = vec![(0, 0..rows.len(), 0)];
        while let Some((node, range, depth)) = open.pop() {
            let here = &mut rows[range.clone()];
            let is_final = depth >= self.limits.depth
                || here.len() < 2 * self.limits.least_rows.max(1) as usize
                || criterion.is_pure(here);
            let split =
                if is_final { None } else { self.choose(&mut criterion, &mut features, here, stream) };
            let Some(split) = split else {
                values.clear();
                criterion.leaf(here, &mut values);
                tree.settle(node, &values, here.len());
                continue;
            };
            gains[split.feature] += split.gain;
            let question = Question {
                feature: split.feature,
                threshold: self.bins.threshold(split.feature, split.bin),
                bin: split.bin,
                missing_left: split.missing_left,
            };
            let (left, right) = tree.ask(node, question);
            let middle = range.start + partition(self.bins, here, split, &mut scratch);
            open.push((right, middle..range.end, depth + 1));
            open.push((left, range.start..middle, depth + 1));
        }
        ForestTree { tree, gains, unseen }
    }

    /// The best split over a draw of features. If none of them can split, more are drawn, as
    /// scikit-learn does, so that a node does not become a leaf for bad luck.
    fn choose<C: Criterion>(
        &self,
        criterion: &mut C,
        features: &mut [usize],
        rows: &[u32],
        stream: &mut Stream,
    ) -> Option<Split> {
        let width = features.len();
        let mut drawn = 0;
        let mut best = None;
        let mut wanted = self.limits.features_per_split.clamp(1, width);
        while drawn < wanted {
            let until = (drawn + GROUP).min(wanted);
            for at in drawn..until {
                features.swap(at, at + stream.below(width - at));
            }
            best = Split::better(best, criterion.best(self.bins, &features[drawn..until], rows));
            drawn = until;
            if drawn == wanted && best.is_none() {
                wanted = (wanted + 1).min(width);
            }
        }
        best
    }
}

/// Moves the rows that go left to the front, both sides in their old order.
fn partition(bins: &Bins, rows: &mut [u32], split: Split, scratch: &mut Vec<u32>) -> usize {
    let column = bins.column(split.feature);
    scratch.clear();
    let mut left = 0;
    for at in 0..rows.len() {
        let row = rows[at];
        let bin = column[row as usize];
        if if bin == MISSING { split.missing_left } else { bin <= split.bin } {
            rows[left] = row;
            left += 1;
        } else {
            scratch.push(row);
        }
    }
    rows[left..].copy_from_slice(scratch);
    left
}

/// The criterion for numbers: the variance that a split takes away. For two classes, as 0 and 1,
/// that is half the decrease of Gini's impurity.
struct Number<'a> {
    values: &'a [f64],
    sums: Vec<RowSum>,
    point: FixedPoint,
    rules: SplitRules,
    center: f64,
    share_of: f64,
    histogram: Vec<Sum>,
    sorted: Vec<(u8, u32)>,
}

impl<'a> Number<'a> {
    fn new(
        values: &'a [f64],
        rows: &[u32],
        all_rows: usize,
        limits: &ForestLimits,
        weight: impl Fn(u32) -> f64,
    ) -> Self {
        // Around their mean the values use the bits of the fixed point best.
        let mean = rows.iter().map(|row| values[*row as usize]).sum::<f64>() / rows.len().max(1) as f64;
        let most = |of: &dyn Fn(u32) -> f64| rows.iter().map(|row| of(*row)).fold(0.0, f64::max);
        let gradient = |row: u32| (mean - values[row as usize]) * weight(row);
        let point = FixedPoint::new(most(&|row| gradient(row).abs()), most(&weight), rows.len());
        let mut sums = vec![RowSum::default(); all_rows];
        for row in rows {
            sums[*row as usize] = point.row(gradient(*row), weight(*row));
        }
        let rules = SplitRules { least_rows: limits.least_rows.max(1), least_hessian: 1.0, l2: 0.0 };
        let (histogram, sorted) = (Vec::new(), Vec::new());
        Self { values, sums, point, rules, center: mean, share_of: 1.0, histogram, sorted }
    }

    fn best_of_few(&mut self, bins: &Bins, feature: usize, rows: &[u32], total: Sum) -> Option<Split> {
        let column = bins.column(feature);
        self.sorted.clear();
        self.sorted.extend(rows.iter().map(|row| (column[*row as usize], *row)));
        self.sorted.sort_unstable();
        self.histogram.clear();
        let mut present: Vec<(u8, Sum)> = Vec::with_capacity(self.sorted.len());
        let mut missing = Sum::default();
        for (bin, row) in &self.sorted {
            let sum = self.sums[*row as usize];
            if *bin == MISSING {
                missing.add_row(sum);
                continue;
            }
            match present.last_mut() {
                Some((last, so_far)) if last == bin => so_far.add_row(sum),
                _ => {
                    let mut first = Sum::default();
                    first.add_row(sum);
                    present.push((*bin, first));
                }
            }
        }
        let scan = Scan { feature, total, rules: &self.rules, bounds: Bounds::FREE, direction: 0 };
        scan.best_of(missing, || present.iter().copied())
    }
}

impl Criterion for Number<'_> {
    fn is_pure(&self, rows: &[u32]) -> bool {
        let first = self.values[rows[0] as usize];
        rows.iter().all(|row| self.values[*row as usize] == first)
    }

    fn best(&mut self, bins: &Bins, features: &[usize], rows: &[u32]) -> Option<Split> {
        let total = total(rows, &self.sums);
        let mut best = None;
        if rows.len() < SMALL_NODE {
            for feature in features {
                best = Split::better(best, self.best_of_few(bins, *feature, rows, total));
            }
        } else {
            self.histogram.resize(features.iter().map(|feature| bins.count(*feature)).sum(), Sum::default());
            fill(bins, features, rows, &self.sums, &mut self.histogram);
            let mut rest = self.histogram.as_slice();
            for feature in features {
                let (part, after) = rest.split_at(bins.count(*feature));
                rest = after;
                let scan =
                    Scan { feature: *feature, total, rules: &self.rules, bounds: Bounds::FREE, direction: 0 };
                best = Split::better(best, scan.best(part));
            }
        }
        best.map(|split| Split { gain: self.point.gain(split.gain), ..split })
    }

    fn leaf(&self, rows: &[u32], out: &mut Vec<f32>) {
        let value = leaf_value(total(rows, &self.sums), 0.0, Bounds::FREE) * self.point.value_unit();
        out.push(((self.center + value) / self.share_of) as f32);
    }
}
