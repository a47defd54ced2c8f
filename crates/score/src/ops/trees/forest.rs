//! Trees as flat arrays, and rows running down them. There are only two comparisons here and a
//! bit for where a missing value goes; `sketch` turns those of ONNX into them.

use crate::inside::TreeNode;
use crate::ops::scores::Real;

/// One sum, and whether anything was added to it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Score<T> {
    /// The sum or extreme so far.
    pub value: T,
    /// True once a leaf had something to say.
    pub held: bool,
}

/// Trees ready to run.
pub struct Forest<T> {
    /// All nodes of all trees.
    pub nodes: Vec<Node<T>>,
    /// Where each tree starts.
    pub roots: Vec<u32>,
    /// What the leaves with not exactly one weight add, by target.
    pub weights: Vec<(u32, T)>,
    /// One more than the highest feature that is read.
    pub features: usize,
}

/// A branch: `x <= value` goes to `yes`, else to `no`. A leaf: `yes` is the first of its weights
/// and `no` how many there are, `value` the first weight itself.
#[derive(Clone, Copy)]
pub struct Node<T> {
    /// What is compared with.
    pub value: T,
    /// The feature, and above it what kind of node this is.
    pub feature: u32,
    /// Where to go if it holds.
    pub yes: u32,
    /// Where to go if not.
    pub no: u32,
}

/// Rows that run down a tree side by side. Each step of a row waits for the node and the feature it
/// needs; meanwhile the others go on.
const LANES: usize = 8;

/// Marks a leaf.
pub const LEAF: u32 = 1 << 31;
/// Compares by `==` instead of `<=`.
pub const EQUALS: u32 = 1 << 30;
/// A missing value goes to `yes`.
pub const MISSING_YES: u32 = 1 << 29;
/// The part of `feature` that is the feature.
pub const FEATURE: u32 = MISSING_YES - 1;

impl Node<f64> {
    /// The node as explanations read it.
    pub fn view(&self) -> TreeNode {
        if self.feature & LEAF != 0 {
            return TreeNode::Leaf { first: self.yes as usize, count: self.no as usize };
        }
        TreeNode::Branch {
            feature: (self.feature & FEATURE) as usize,
            value: self.value,
            is_equal: self.feature & EQUALS != 0,
            missing_yes: self.feature & MISSING_YES != 0,
            yes: self.yes as usize,
            no: self.no as usize,
        }
    }
}

impl<T: Real> Forest<T> {
    /// How many trees there are.
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// Adds the first weight of each leaf; for one target.
    pub fn sum_one(&self, block: &[T], columns: usize, scores: &mut [Score<T>]) {
        for root in &self.roots {
            self.each_leaf(*root, block, columns, |row, leaf| {
                scores[row].value += leaf.value;
                scores[row].held = true;
            });
        }
    }

    /// Adds every weight of each leaf to its target.
    pub fn sum(&self, block: &[T], columns: usize, scores: &mut [Score<T>], width: usize) {
        for root in &self.roots {
            self.each_leaf(*root, block, columns, |row, leaf| {
                for (target, weight) in self.weights(leaf) {
                    let score = &mut scores[row * width + *target as usize];
                    score.value += *weight;
                    score.held = true;
                }
            });
        }
    }

    /// Keeps the first weight that is better; for one target.
    pub fn extreme_one(
        &self,
        block: &[T],
        columns: usize,
        scores: &mut [Score<T>],
        better: fn(T, T) -> bool,
    ) {
        for root in &self.roots {
            self.each_leaf(*root, block, columns, |row, leaf| scores[row].keep(leaf.value, better));
        }
    }

    /// Keeps the better of the weights for each target.
    pub fn extreme(
        &self,
        block: &[T],
        columns: usize,
        scores: &mut [Score<T>],
        width: usize,
        better: fn(T, T) -> bool,
    ) {
        for root in &self.roots {
            self.each_leaf(*root, block, columns, |row, leaf| {
                for (target, weight) in self.weights(leaf) {
                    scores[row * width + *target as usize].keep(*weight, better);
                }
            });
        }
    }

    /// Hands over the leaf of each row of the block.
    fn each_leaf(&self, root: u32, block: &[T], columns: usize, mut take: impl FnMut(usize, &Node<T>)) {
        let row = |at: usize| &block[at * columns..(at + 1) * columns];
        let rows = block.len() / columns.max(1);
        let mut first = 0;
        while first + LANES <= rows {
            let leaves = self.run_down(root, std::array::from_fn::<_, LANES, _>(|lane| row(first + lane)));
            for (lane, leaf) in leaves.into_iter().enumerate() {
                take(first + lane, &self.nodes[leaf as usize]);
            }
            first += LANES;
        }
        for at in first..rows {
            let [leaf] = self.run_down(root, [row(at)]);
            take(at, &self.nodes[leaf as usize]);
        }
    }

    /// The leaves that the rows come to.
    fn run_down<const ROWS: usize>(&self, root: u32, rows: [&[T]; ROWS]) -> [u32; ROWS] {
        let mut at = [root; ROWS];
        loop {
            let mut is_done = true;
            for (at, row) in at.iter_mut().zip(rows) {
                let node = &self.nodes[*at as usize];
                if node.feature & LEAF == 0 {
                    let x = row[(node.feature & FEATURE) as usize];
                    let holds = if node.feature & EQUALS == 0 { x <= node.value } else { x == node.value };
                    let yes = holds | ((node.feature & MISSING_YES != 0) & x.is_nan());
                    *at = if yes { node.yes } else { node.no };
                    is_done = false;
                }
            }
            if is_done {
                return at;
            }
        }
    }

    fn weights(&self, leaf: &Node<T>) -> &[(u32, T)] {
        &self.weights[leaf.yes as usize..][..leaf.no as usize]
    }
}

impl<T: Real> Score<T> {
    /// The value as onnxruntime writes it: one that no leaf spoke of is zero, even where a base
    /// value was added to it.
    pub fn written(&self) -> T {
        if self.held { self.value } else { T::default() }
    }

    fn keep(&mut self, value: T, better: fn(T, T) -> bool) {
        if !self.held || better(value, self.value) {
            self.value = value;
        }
        self.held = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree that asks feature 0, then 1, then 0 again: some rows come to a leaf earlier than others.
    fn crooked() -> Forest<f32> {
        let branch = |feature, value, yes, no| Node { value, feature, yes, no };
        let leaf = |value| Node { value, feature: LEAF, yes: 0, no: 0 };
        let nodes = vec![
            branch(0, 0.5, 1, 2),
            leaf(1.0),
            branch(1 | MISSING_YES, 0.25, 3, 4),
            leaf(10.0),
            branch(0, 0.75, 5, 6),
            leaf(100.0),
            leaf(1000.0),
        ];
        Forest { nodes, roots: vec![0, 2], weights: Vec::new(), features: 2 }
    }

    #[test]
    fn rows_side_by_side_come_to_the_leaves_they_come_to_alone() {
        let forest = crooked();
        for rows in [1, 7, 8, 9, 16, 29] {
            let value =
                |at: usize| if at.is_multiple_of(11) { f32::NAN } else { (at * 37 % 100) as f32 / 100.0 };
            let block: Vec<f32> = (0..rows * 2).map(value).collect();
            let mut together = vec![Score::default(); rows];
            forest.sum_one(&block, 2, &mut together);
            for (row, together) in block.chunks_exact(2).zip(together) {
                let mut alone = [Score::default()];
                forest.sum_one(row, 2, &mut alone);
                assert_eq!(alone[0].value, together.value, "{row:?} of {rows}");
            }
        }
    }
}
