//! Exact Shapley values of trees in polynomial time: TreeSHAP with path-dependent expectations
//! (Lundberg, Erion and Lee 2018, "Consistent individualized feature attribution for tree ensembles",
//! Algorithm 2). What a feature that is not given would be is told by how many rows went each way, so
//! no other row is looked at. LightGBM's `pred_contrib` and the `shap` package compute the same.

use base::{Code, Error, Result};
use score::{FeatureRows, TreeEnsemble, TreeNode};

/// Trees with longer paths are refused: the work grows with the square of the longest one.
const MOST_DEPTH: usize = 1_000;
/// Branches may share children, which can make more paths than anybody has time for.
const MOST_PATHS: f64 = 1e8;

/// Trees ready to be explained.
#[derive(Debug, Clone)]
pub struct TreeShap {
    ensemble: TreeEnsemble,
    /// The share of rows that go to `yes`, for each branch.
    shares: Vec<f64>,
    /// The answer if nothing is known of a row, for each target.
    base: Vec<f64>,
    depth: usize,
}

/// One feature on the path from the root: the share of rows that follow the path if the feature is
/// not known (`zero`), whether the row at hand does (`one`), and the weight of the subsets that hold
/// as many features as the place in the path says.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    feature: usize,
    zero: f64,
    one: f64,
    weight: f64,
}

/// The feature that the start of a path stands for.
const NONE: usize = usize::MAX;

impl TreeShap {
    /// Trees that say themselves how many training rows came to each node; nothing if they do not.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for trees with paths beyond the limits.
    pub fn from_hits(ensemble: &TreeEnsemble) -> Result<Option<Self>> {
        let Some(hits) = &ensemble.hits else { return Ok(None) };
        let share = |node: &TreeNode| match *node {
            TreeNode::Branch { yes, no, .. } => hits[yes] / (hits[yes] + hits[no]),
            TreeNode::Leaf { .. } => 0.0,
        };
        Self::new(ensemble.clone(), ensemble.nodes.iter().map(share).collect()).map(Some)
    }

    /// Trees whose shares are counted on these rows. With the training rows it is what the trees
    /// would say themselves; a branch to which no row comes is taken to be even.
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for rows that lack features and for trees beyond the limits.
    pub fn from_rows(ensemble: &TreeEnsemble, rows: &FeatureRows) -> Result<Self> {
        check_width(ensemble, rows.width)?;
        let mut went = vec![[0.0_f64; 2]; ensemble.nodes.len()];
        for row in rows.rows() {
            for root in &ensemble.roots {
                let mut at = *root;
                while let TreeNode::Branch { yes, no, .. } = ensemble.nodes[at] {
                    let holds = ensemble.nodes[at].holds(row);
                    went[at][usize::from(!holds)] += 1.0;
                    at = if holds { yes } else { no };
                }
            }
        }
        let share = |[yes, no]: &[f64; 2]| if yes + no > 0.0 { yes / (yes + no) } else { 0.5 };
        Self::new(ensemble.clone(), went.iter().map(share).collect())
    }

    fn new(ensemble: TreeEnsemble, shares: Vec<f64>) -> Result<Self> {
        let (depth, paths) = extent(&ensemble);
        if depth > MOST_DEPTH || paths > MOST_PATHS {
            return Err(Error::invalid(format!(
                "the trees of the model are too deep to be explained: {depth} questions on a path, {paths:.0} paths"
            ))
            .hint(format!("{MOST_DEPTH} questions and {MOST_PATHS:.0} paths are the most")));
        }
        let mut shap = Self { base: ensemble.base.clone(), ensemble, shares, depth };
        for at in 0..shap.ensemble.roots.len() {
            shap.expect(shap.ensemble.roots[at], 1.0);
        }
        Ok(shap)
    }

    /// Adds the leaves under a node, each by the share of rows that comes to it.
    fn expect(&mut self, node: usize, share: f64) {
        match self.ensemble.nodes[node] {
            TreeNode::Leaf { first, count } => {
                for (target, value) in &self.ensemble.leaves[first..first + count] {
                    self.base[*target] += share * value;
                }
            }
            TreeNode::Branch { yes, no, .. } => {
                let to_yes = self.shares[node];
                self.expect(yes, share * to_yes);
                self.expect(no, share * (1.0 - to_yes));
            }
        }
    }

    /// The answer if nothing is known of a row, for each target.
    pub fn base(&self) -> &[f64] {
        &self.base
    }

    /// The sums of a row, for each target.
    pub fn raw(&self, row: &[f64]) -> Vec<f64> {
        let mut sums = self.ensemble.base.clone();
        for root in &self.ensemble.roots {
            let mut at = *root;
            loop {
                match self.ensemble.nodes[at] {
                    TreeNode::Branch { yes, no, .. } => {
                        at = if self.ensemble.nodes[at].holds(row) { yes } else { no };
                    }
                    TreeNode::Leaf { first, count } => {
                        for (target, value) in &self.ensemble.leaves[first..first + count] {
                            sums[*target] += value;
                        }
                        break;
                    }
                }
            }
        }
        sums
    }

    /// What each feature of a row adds to the sums: a list of features for each target. Together with
    /// [`TreeShap::base`] they add up to [`TreeShap::raw`].
    ///
    /// # Errors
    /// [`Code::InvalidInput`] for a row that lacks features.
    pub fn contributions(&self, row: &[f64]) -> Result<Vec<Vec<f64>>> {
        check_width(&self.ensemble, row.len())?;
        let mut walk = Walk {
            shap: self,
            row,
            out: vec![vec![0.0; row.len()]; self.ensemble.targets],
            // A path of each length up to the longest one, one behind the other.
            parts: vec![Part::default(); (self.depth + 2) * (self.depth + 3) / 2],
        };
        for root in &self.ensemble.roots {
            let start = Part { feature: NONE, zero: 1.0, one: 1.0, weight: 0.0 };
            walk.step(*root, (0, 0), 0, start);
        }
        Ok(walk.out)
    }
}

fn check_width(ensemble: &TreeEnsemble, width: usize) -> Result<()> {
    if width >= ensemble.features {
        return Ok(());
    }
    Err(Error::new(
        Code::InvalidInput,
        format!("the trees read {} features, a row has {width}", ensemble.features),
    ))
}

/// The longest path and the number of paths, over all trees.
fn extent(ensemble: &TreeEnsemble) -> (usize, f64) {
    let mut known: Vec<Option<(usize, f64)>> = vec![None; ensemble.nodes.len()];
    let (mut depth, mut paths) = (0, 0.0);
    for root in &ensemble.roots {
        let mut stack = vec![*root];
        while let Some(at) = stack.last().copied() {
            let found = match ensemble.nodes[at] {
                TreeNode::Leaf { .. } => Some((0, 1.0)),
                TreeNode::Branch { yes, no, .. } => match (known[yes], known[no]) {
                    (Some(yes), Some(no)) => Some((yes.0.max(no.0) + 1, yes.1 + no.1)),
                    _ => {
                        stack.extend([yes, no].into_iter().filter(|child| known[*child].is_none()));
                        None
                    }
                },
            };
            if found.is_some() {
                known[at] = found;
                stack.pop();
            }
        }
        let (deepest, many) = known[*root].expect("the stack was emptied only when it was known");
        depth = depth.max(deepest);
        paths += many;
    }
    (depth, paths)
}

/// One row on its way down every path at once.
struct Walk<'a> {
    shap: &'a TreeShap,
    row: &'a [f64],
    out: Vec<Vec<f64>>,
    parts: Vec<Part>,
}

impl Walk<'_> {
    /// Goes down from `node`. `(start, length)` is the path of the parent, to which `part` is added.
    fn step(&mut self, node: usize, (start, length): (usize, usize), depth: usize, part: Part) {
        let own = start + length;
        self.parts.copy_within(start..start + length, own);
        extend(&mut self.parts[own..=own + depth], part);
        let (yes, no, feature) = match self.shap.ensemble.nodes[node] {
            TreeNode::Leaf { first, count } => return self.leaf((own, depth), first, count),
            TreeNode::Branch { yes, no, feature, .. } => (yes, no, feature),
        };
        let to_yes = self.shap.shares[node];
        let children = if self.shap.ensemble.nodes[node].holds(self.row) {
            [(yes, to_yes, 1.0), (no, 1.0 - to_yes, 0.0)]
        } else {
            [(no, 1.0 - to_yes, 1.0), (yes, to_yes, 0.0)]
        };
        // A feature that was asked about before is taken out of the path and put in again, narrowed.
        let (mut before, mut depth) = (Part { zero: 1.0, one: 1.0, ..Part::default() }, depth);
        let known = self.parts[own..=own + depth].iter().position(|part| part.feature == feature);
        if let Some(at) = known {
            before = self.parts[own + at];
            unwind(&mut self.parts[own..=own + depth], at);
            depth -= 1;
        }
        for (child, share, follows) in children {
            let part = Part { feature, zero: before.zero * share, one: before.one * follows, weight: 0.0 };
            // Nobody comes here, whether the feature is known or not.
            if part.zero > 0.0 || part.one > 0.0 {
                self.step(child, (own, depth + 1), depth + 1, part);
            }
        }
    }

    fn leaf(&mut self, (own, depth): (usize, usize), first: usize, count: usize) {
        for at in 1..=depth {
            let path = &self.parts[own..=own + depth];
            let part = path[at];
            let weight = unwound_sum(path, at) * (part.one - part.zero);
            for (target, value) in &self.shap.ensemble.leaves[first..first + count] {
                self.out[*target][part.feature] += weight * value;
            }
        }
    }
}

/// EXTEND of the paper: the last place of the path becomes `part`, and every weight is shared out to
/// the subsets with and without it.
fn extend(path: &mut [Part], part: Part) {
    let last = path.len() - 1;
    path[last] = Part { weight: if last == 0 { 1.0 } else { 0.0 }, ..part };
    let size = (last + 1) as f64;
    for at in (0..last).rev() {
        path[at + 1].weight += part.one * path[at].weight * (at + 1) as f64 / size;
        path[at].weight = part.zero * path[at].weight * (last - at) as f64 / size;
    }
}

/// UNWIND of the paper: the path without the part at a place; the last place is then free.
fn unwind(path: &mut [Part], out: usize) {
    let last = path.len() - 1;
    let Part { zero, one, .. } = path[out];
    let size = (last + 1) as f64;
    let mut next = path[last].weight;
    for at in (0..last).rev() {
        if one != 0.0 {
            let held = path[at].weight;
            path[at].weight = next * size / ((at + 1) as f64 * one);
            next = held - path[at].weight * zero * (last - at) as f64 / size;
        } else {
            path[at].weight = path[at].weight * size / (zero * (last - at) as f64);
        }
    }
    for at in out..last {
        let weight = path[at].weight;
        path[at] = Part { weight, ..path[at + 1] };
    }
}

/// The sum of all weights of the path without the part at a place.
fn unwound_sum(path: &[Part], out: usize) -> f64 {
    let last = path.len() - 1;
    let Part { zero, one, .. } = path[out];
    let size = (last + 1) as f64;
    let mut next = path[last].weight;
    let mut total = 0.0;
    for at in (0..last).rev() {
        let rest = (last - at) as f64 / size;
        if one != 0.0 {
            let weight = next * size / ((at + 1) as f64 * one);
            total += weight;
            next = path[at].weight - weight * zero * rest;
        } else if zero != 0.0 {
            total += path[at].weight / (zero * rest);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A tree of up to `depth` questions over `features`, drawn from numbers.
    fn grow(ensemble: &mut TreeEnsemble, depth: usize, draw: &mut impl FnMut() -> u32) -> usize {
        let at = ensemble.nodes.len();
        ensemble.nodes.push(TreeNode::Leaf { first: 0, count: 0 });
        if depth == 0 || draw().is_multiple_of(5) {
            let first = ensemble.leaves.len();
            for target in 0..ensemble.targets {
                ensemble.leaves.push((target, f64::from(draw() % 200) / 10.0 - 10.0));
            }
            ensemble.nodes[at] = TreeNode::Leaf { first, count: ensemble.targets };
            return at;
        }
        let feature = draw() as usize % ensemble.features;
        let (value, missing_yes) = (f64::from(draw() % 10), draw().is_multiple_of(2));
        let yes = grow(ensemble, depth - 1, draw);
        let no = grow(ensemble, depth - 1, draw);
        ensemble.nodes[at] =
            TreeNode::Branch { feature, value, is_equal: draw().is_multiple_of(4), missing_yes, yes, no };
        at
    }

    fn ensemble(seed: u64, trees: usize, targets: usize) -> TreeEnsemble {
        let mut stream = crate::random::Stream::new(seed, "trees", 0);
        let mut draw = || stream.next_u64() as u32;
        let mut made = TreeEnsemble {
            nodes: Vec::new(),
            roots: Vec::new(),
            leaves: Vec::new(),
            targets,
            base: vec![0.5; targets],
            features: 4,
            hits: None,
        };
        for _ in 0..trees {
            let root = grow(&mut made, 5, &mut draw);
            made.roots.push(root);
        }
        made
    }

    fn rows(seed: u64, count: usize) -> FeatureRows {
        let mut stream = crate::random::Stream::new(seed, "rows", 0);
        let mut value = || match stream.next_u64() % 12 {
            11 => f64::NAN,
            other => other as f64,
        };
        FeatureRows { width: 4, values: (0..count * 4).map(|_| value()).collect() }
    }

    /// The expected answer if only the features in `known` (a bit each) are known.
    fn expected(shap: &TreeShap, node: usize, row: &[f64], known: u32, share: f64, out: &mut [f64]) {
        match shap.ensemble.nodes[node] {
            TreeNode::Leaf { first, count } => {
                for (target, value) in &shap.ensemble.leaves[first..first + count] {
                    out[*target] += share * value;
                }
            }
            TreeNode::Branch { feature, yes, no, .. } => {
                let to_yes = match known >> feature & 1 {
                    1 => f64::from(u8::from(shap.ensemble.nodes[node].holds(row))),
                    _ => shap.shares[node],
                };
                expected(shap, yes, row, known, share * to_yes, out);
                expected(shap, no, row, known, share * (1.0 - to_yes), out);
            }
        }
    }

    /// Shapley values by their definition: over all subsets of the features.
    fn by_definition(shap: &TreeShap, row: &[f64]) -> Vec<Vec<f64>> {
        let width = row.len();
        let answer = |known: u32| {
            let mut sums = shap.ensemble.base.clone();
            for root in &shap.ensemble.roots {
                expected(shap, *root, row, known, 1.0, &mut sums);
            }
            sums
        };
        let factorial = |n: usize| (1..=n).product::<usize>() as f64;
        let mut out = vec![vec![0.0; width]; shap.ensemble.targets];
        for feature in 0..width {
            for subset in (0..1_u32 << width).filter(|subset| subset >> feature & 1 == 0) {
                let size = subset.count_ones() as usize;
                let weight = factorial(size) * factorial(width - size - 1) / factorial(width);
                let (with, without) = (answer(subset | 1 << feature), answer(subset));
                for (target, line) in out.iter_mut().enumerate() {
                    line[feature] += weight * (with[target] - without[target]);
                }
            }
        }
        out
    }

    proptest! {
        #[test]
        fn contributions_are_the_shapley_values_and_add_up(seed in 0_u64..10_000, targets in 1_usize..4) {
            let shap = TreeShap::from_rows(&ensemble(seed, 3, targets), &rows(seed, 60)).expect("small trees");
            for row in rows(seed + 1, 5).rows() {
                let found = shap.contributions(row).expect("enough features");
                let raw = shap.raw(row);
                for (target, line) in by_definition(&shap, row).iter().enumerate() {
                    for (feature, value) in line.iter().enumerate() {
                        prop_assert!((found[target][feature] - value).abs() < 1e-9, "{found:?}");
                    }
                    let sum: f64 = shap.base()[target] + found[target].iter().sum::<f64>();
                    prop_assert!((sum - raw[target]).abs() < 1e-9, "{sum} is not {}", raw[target]);
                }
            }
        }
    }

    #[test]
    fn a_tree_that_is_too_deep_or_a_row_that_is_too_short_is_refused() {
        let mut deep = ensemble(1, 1, 1);
        deep.nodes.clear();
        for at in 0..2_000 {
            let (yes, no) = (2_000, at + 1);
            deep.nodes.push(TreeNode::Branch {
                feature: 0,
                value: at as f64,
                is_equal: true,
                missing_yes: false,
                yes,
                no,
            });
        }
        deep.nodes.push(TreeNode::Leaf { first: 0, count: 1 });
        deep.roots = vec![0];
        let error = TreeShap::from_rows(&deep, &rows(1, 2)).expect_err("2,000 questions");
        assert!(error.message.contains("too deep"), "{error}");
        let shap = TreeShap::from_rows(&ensemble(1, 1, 1), &rows(1, 9)).expect("a small tree");
        assert!(shap.contributions(&[1.0]).is_err());
    }
}
