//! Grows one tree of a boosted model: always splits the leaf that gains most (LightGBM's way),
//! counts only the smaller child and takes the larger one's histogram by subtraction.

use std::ops::Range;

use rayon::iter::{
    IndexedParallelIterator as _, IntoParallelRefIterator as _, IntoParallelRefMutIterator as _,
    ParallelIterator as _,
};

use super::bins::{Bins, MISSING};
use super::histogram::{FixedPoint, GROUP, RowSum, Sum, fill, total};
use super::split::{Bounds, Scan, Split, SplitRules, leaf_value};
use super::tree::{Question, Tree};

/// Below this many values to add up, handing work to other threads costs more than it saves.
const PARALLEL_VALUES: usize = 40_000;

/// How far a tree may grow.
#[derive(Debug, Clone, Copy)]
pub struct GrowLimits {
    /// The most leaves.
    pub leaves: usize,
    /// The most questions between the root and a leaf.
    pub depth: usize,
    /// The least rows in a leaf.
    pub least_rows: u64,
    /// The least sum of second derivatives in a leaf.
    pub least_hessian: f64,
    /// Shrinks leaves that stand on little.
    pub l2: f64,
}

/// A grown tree, and what the caller needs to go on.
pub struct BoostedTree {
    /// The tree; its leaves hold one value.
    pub tree: Tree,
    /// The rows that ended in each leaf, as a range of the row list, and the leaf's value.
    pub leaves: Vec<(Range<usize>, f32)>,
}

/// Grows trees on one set of bins.
pub struct BoostedGrower<'a> {
    bins: &'a Bins,
    limits: GrowLimits,
    directions: &'a [i8],
    spare: Vec<Histogram>,
    scratch: Vec<u32>,
}

/// The bins of all features looked at, in groups of [`GROUP`] features.
type Histogram = Vec<Vec<Sum>>;

struct Leaf {
    node: usize,
    rows: Range<usize>,
    depth: usize,
    total: Sum,
    bounds: Bounds,
    histogram: Histogram,
    best: Option<Split>,
}

/// What stays the same while one tree grows.
struct Round<'r> {
    sums: &'r [RowSum],
    rules: SplitRules,
    groups: Vec<&'r [usize]>,
}

impl<'a> BoostedGrower<'a> {
    /// A grower; `directions` says for each feature whether the prediction must not fall (1) or
    /// must not rise (-1) with it.
    pub fn new(bins: &'a Bins, limits: GrowLimits, directions: &'a [i8]) -> Self {
        Self { bins, limits, directions, spare: Vec::new(), scratch: Vec::new() }
    }

    /// Grows a tree on `rows` (which it puts into the order of the leaves) with the features
    /// given. `rate` shrinks the leaves; `gains` collects what each feature gave.
    pub fn grow(
        &mut self,
        rows: &mut [u32],
        (sums, point): (&[RowSum], FixedPoint),
        features: &[usize],
        rate: f64,
        gains: &mut [f64],
    ) -> BoostedTree {
        let rules = SplitRules {
            least_rows: self.limits.least_rows.max(1),
            least_hessian: point.to_hessian(self.limits.least_hessian),
            l2: point.to_hessian(self.limits.l2),
        };
        let round = Round { sums, rules, groups: features.chunks(GROUP).collect() };
        let mut tree = Tree::sapling(1);
        let mut leaves = vec![self.root(rows, &round)];
        while leaves.len() < self.limits.leaves {
            let Some((at, split)) = most_gain(&leaves) else { break };
            gains[split.feature] += point.gain(split.gain);
            let is_last = leaves.len() + 1 == self.limits.leaves;
            let question = Question {
                feature: split.feature,
                threshold: self.bins.threshold(split.feature, split.bin),
                bin: split.bin,
                missing_left: split.missing_left,
            };
            let children = tree.ask(leaves[at].node, question);
            let parent = leaves.swap_remove(at);
            let (left, right) = self.divide(parent, split, children, rows, &round, is_last);
            leaves.extend([left, right]);
        }
        let unit = rate * point.value_unit();
        let leaves = leaves
            .into_iter()
            .map(|leaf| {
                let value = (leaf_value(leaf.total, round.rules.l2, leaf.bounds) * unit) as f32;
                tree.settle(leaf.node, &[value], leaf.rows.len());
                if !leaf.histogram.is_empty() {
                    self.spare.push(leaf.histogram);
                }
                (leaf.rows, value)
            })
            .collect();
        BoostedTree { tree, leaves }
    }

    fn root(&mut self, rows: &[u32], round: &Round<'_>) -> Leaf {
        let mut leaf = Leaf {
            node: 0,
            rows: 0..rows.len(),
            depth: 0,
            total: total(rows, round.sums),
            bounds: Bounds::FREE,
            histogram: self.histogram(round),
            best: None,
        };
        if !self.may_split(&leaf, round) {
            return leaf;
        }
        let (bins, total, directions) = (self.bins, leaf.total, self.directions);
        let search = |(features, histogram): (&&[usize], &mut Vec<Sum>)| {
            fill(bins, features, rows, round.sums, histogram);
            best_of_group(bins, features, histogram, (total, Bounds::FREE), round, directions)
        };
        let found: Vec<Option<Split>> =
            round.groups.par_iter().zip(leaf.histogram.par_iter_mut()).map(search).collect();
        leaf.best = found.into_iter().fold(None, Split::better);
        leaf
    }

    /// Splits the rows of a leaf between its children and finds the best split of each.
    fn divide(
        &mut self,
        parent: Leaf,
        split: Split,
        nodes: (usize, usize),
        rows: &mut [u32],
        round: &Round<'_>,
        is_last: bool,
    ) -> (Leaf, Leaf) {
        let middle = parent.rows.start + self.partition(&mut rows[parent.rows.clone()], split);
        let (left_rows, right_rows) = (parent.rows.start..middle, middle..parent.rows.end);
        let is_left_small = left_rows.len() <= right_rows.len();
        let small_rows = if is_left_small { left_rows.clone() } else { right_rows.clone() };
        let small_total = total(&rows[small_rows.clone()], round.sums);
        let large_total = parent.total.minus(small_total);
        let (left_total, right_total) =
            if is_left_small { (small_total, large_total) } else { (large_total, small_total) };
        let (left_bounds, right_bounds) = self.child_bounds(&parent, split, left_total, right_total, round);
        let depth = parent.depth + 1;
        let child = |node, rows, total, bounds| Leaf {
            node,
            rows,
            depth,
            total,
            bounds,
            histogram: Vec::new(),
            best: None,
        };
        let mut left = child(nodes.0, left_rows, left_total, left_bounds);
        let mut right = child(nodes.1, right_rows, right_total, right_bounds);
        let (small, large) = if is_left_small { (&mut left, &mut right) } else { (&mut right, &mut left) };
        // The parent's histogram becomes the larger child's.
        large.histogram = parent.histogram;
        if !is_last && (self.may_split(small, round) || self.may_split(large, round)) {
            small.histogram = self.histogram(round);
            self.search(small, large, &rows[small_rows], round);
        }
        (left, right)
    }

    fn search(&self, small: &mut Leaf, large: &mut Leaf, rows: &[u32], round: &Round<'_>) {
        let (bins, directions) = (self.bins, self.directions);
        let (small_node, large_node) = ((small.total, small.bounds), (large.total, large.bounds));
        let splits = (self.may_split(small, round), self.may_split(large, round));
        let search = |((features, small), large): ((&&[usize], &mut Vec<Sum>), &mut Vec<Sum>)| {
            fill(bins, features, rows, round.sums, small);
            for (large, small) in large.iter_mut().zip(small.iter()) {
                *large = large.minus(*small);
            }
            let best =
                |histogram: &[Sum], node| best_of_group(bins, features, histogram, node, round, directions);
            let of_small = if splits.0 { best(small, small_node) } else { None };
            let of_large = if splits.1 { best(large, large_node) } else { None };
            (of_small, of_large)
        };
        let (first, second) = (&mut small.histogram, &mut large.histogram);
        let found: Vec<(Option<Split>, Option<Split>)> =
            if rows.len() * round.groups.len() * GROUP >= PARALLEL_VALUES {
                let groups = round.groups.par_iter();
                groups.zip(first.par_iter_mut()).zip(second.par_iter_mut()).map(search).collect()
            } else {
                round.groups.iter().zip(first.iter_mut()).zip(second.iter_mut()).map(search).collect()
            };
        for (of_small, of_large) in found {
            small.best = Split::better(small.best, of_small);
            large.best = Split::better(large.best, of_large);
        }
    }

    /// Moves the rows that go left to the front, both sides in their old order.
    fn partition(&mut self, rows: &mut [u32], split: Split) -> usize {
        let column = self.bins.column(split.feature);
        self.scratch.clear();
        self.scratch.resize(rows.len(), 0);
        let (mut left, mut right) = (0, 0);
        for at in 0..rows.len() {
            let row = rows[at];
            let bin = column[row as usize];
            let goes_left = if bin == MISSING { split.missing_left } else { bin <= split.bin };
            // Both are written and one counted: a branch here would be guessed wrong half the time.
            rows[left] = row;
            self.scratch[right] = row;
            left += usize::from(goes_left);
            right += usize::from(!goes_left);
        }
        rows[left..].copy_from_slice(&self.scratch[..right]);
        left
    }

    /// The bounds of both children: on a constrained feature, the middle between their values
    /// separates whatever grows below them.
    fn child_bounds(
        &self,
        parent: &Leaf,
        split: Split,
        left: Sum,
        right: Sum,
        round: &Round<'_>,
    ) -> (Bounds, Bounds) {
        let bounds = parent.bounds;
        let l2 = round.rules.l2;
        let middle = (leaf_value(left, l2, bounds) + leaf_value(right, l2, bounds)) / 2.0;
        let (below, above) = (Bounds { high: middle, ..bounds }, Bounds { low: middle, ..bounds });
        match self.directions[split.feature] {
            0 => (bounds, bounds),
            1.. => (below, above),
            _ => (above, below),
        }
    }

    fn may_split(&self, leaf: &Leaf, round: &Round<'_>) -> bool {
        leaf.depth < self.limits.depth && leaf.total.count() >= 2 * round.rules.least_rows
    }

    fn histogram(&mut self, round: &Round<'_>) -> Histogram {
        let size = |features: &[usize]| features.iter().map(|feature| self.bins.count(*feature)).sum();
        let sizes: Vec<usize> = round.groups.iter().map(|features| size(features)).collect();
        let mut histogram = self.spare.pop().unwrap_or_default();
        histogram.resize(sizes.len(), Vec::new());
        for (group, size) in histogram.iter_mut().zip(sizes) {
            group.resize(size, Sum::default());
        }
        histogram
    }
}

fn most_gain(leaves: &[Leaf]) -> Option<(usize, Split)> {
    let mut best: Option<(usize, Split)> = None;
    for (at, leaf) in leaves.iter().enumerate() {
        if let Some(split) = leaf.best
            && best.is_none_or(|(_, most)| split.gain > most.gain)
        {
            best = Some((at, split));
        }
    }
    best
}

fn best_of_group(
    bins: &Bins,
    features: &[usize],
    histogram: &[Sum],
    (total, bounds): (Sum, Bounds),
    round: &Round<'_>,
    directions: &[i8],
) -> Option<Split> {
    let mut rest = histogram;
    let mut best = None;
    for feature in features {
        let (part, after) = rest.split_at(bins.count(*feature));
        rest = after;
        let direction = directions[*feature];
        let scan = Scan { feature: *feature, total, rules: &round.rules, bounds, direction };
        best = Split::better(best, scan.best(part));
    }
    best
}
