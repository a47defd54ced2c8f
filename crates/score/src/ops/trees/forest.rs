//! Trees as flat arrays, and rows running down them. There are only two comparisons here and a
//! bit for where a missing value goes; `sketch` turns those of ONNX into them.

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

/// Marks a leaf.
pub const LEAF: u32 = 1 << 31;
/// Compares by `==` instead of `<=`.
pub const EQUALS: u32 = 1 << 30;
/// A missing value goes to `yes`.
pub const MISSING_YES: u32 = 1 << 29;
/// The part of `feature` that is the feature.
pub const FEATURE: u32 = MISSING_YES - 1;

impl<T: Real> Forest<T> {
    /// How many trees there are.
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// Adds the first weight of each leaf; for one target.
    pub fn sum_one(&self, block: &[T], columns: usize, scores: &mut [Score<T>]) {
        for root in &self.roots {
            for (row, score) in block.chunks_exact(columns).zip(&mut *scores) {
                score.value += self.leaf(*root, row).value;
                score.held = true;
            }
        }
    }

    /// Adds every weight of each leaf to its target.
    pub fn sum(&self, block: &[T], columns: usize, scores: &mut [Score<T>], width: usize) {
        for root in &self.roots {
            for (row, scores) in block.chunks_exact(columns).zip(scores.chunks_exact_mut(width)) {
                for (target, weight) in self.weights(self.leaf(*root, row)) {
                    let score = &mut scores[*target as usize];
                    score.value += *weight;
                    score.held = true;
                }
            }
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
            for (row, score) in block.chunks_exact(columns).zip(&mut *scores) {
                score.keep(self.leaf(*root, row).value, better);
            }
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
            for (row, scores) in block.chunks_exact(columns).zip(scores.chunks_exact_mut(width)) {
                for (target, weight) in self.weights(self.leaf(*root, row)) {
                    scores[*target as usize].keep(*weight, better);
                }
            }
        }
    }

    /// The leaf that a row comes to.
    pub fn leaf(&self, root: u32, row: &[T]) -> &Node<T> {
        let mut node = &self.nodes[root as usize];
        while node.feature & LEAF == 0 {
            let x = row[(node.feature & FEATURE) as usize];
            let holds = if node.feature & EQUALS == 0 { x <= node.value } else { x == node.value };
            let yes = holds || (node.feature & MISSING_YES != 0 && x.is_nan());
            node = &self.nodes[if yes { node.yes } else { node.no } as usize];
        }
        node
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
