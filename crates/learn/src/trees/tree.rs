//! Grown trees: how they predict, and what each feature gave.

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::bins::{Bins, MISSING};
use crate::matrix::Matrix;

/// Marks a node that is a leaf.
const LEAF: u32 = u32::MAX;
/// The highest bit of a node's feature says where rows without a value go.
const MISSING_LEFT: u32 = 1 << 31;
/// Rows that one task predicts: their features stay in the first level cache.
const BLOCK: usize = 512;

/// One node: either a question about a feature, with two children side by side, or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Node {
    /// Feature and direction of missing values, or [`LEAF`].
    feature: u32,
    threshold: f32,
    /// The left child, or the number of the leaf.
    left: u32,
    bin: u8,
}

/// What a node of a tree is, for those who write trees down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NodeView<'a> {
    /// Rows with a value up to the threshold go left.
    Question {
        /// The feature looked at.
        feature: usize,
        /// The largest value that goes left.
        threshold: f32,
        /// True if rows without a value go left.
        missing_left: bool,
        /// The left child.
        left: usize,
        /// The right child.
        right: usize,
    },
    /// What is added to the outputs.
    Leaf(&'a [f32]),
}

/// A question put to a leaf while the tree grows.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The feature looked at.
    pub feature: usize,
    /// The largest value that goes left.
    pub threshold: f32,
    /// The last bin that goes left.
    pub bin: u8,
    /// True if rows without a value go left.
    pub missing_left: bool,
}

/// One tree. Each leaf holds `width` values.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    values: Vec<f32>,
    /// The training rows in each leaf.
    rows: Vec<u32>,
    width: usize,
}

impl Tree {
    /// A tree of one node that is not yet anything; leaves will hold `width` values.
    pub fn sapling(width: usize) -> Self {
        Self {
            nodes: vec![Node { feature: LEAF, threshold: 0.0, left: 0, bin: 0 }],
            values: Vec::new(),
            rows: Vec::new(),
            width,
        }
    }

    /// Makes a node ask this question, and returns its two new children.
    pub fn ask(&mut self, node: usize, question: Question) -> (usize, usize) {
        let left = self.nodes.len();
        let flag = if question.missing_left { MISSING_LEFT } else { 0 };
        self.nodes[node] = Node {
            feature: question.feature as u32 | flag,
            threshold: question.threshold,
            left: left as u32,
            bin: question.bin,
        };
        let leaf = Node { feature: LEAF, threshold: 0.0, left: 0, bin: 0 };
        self.nodes.extend([leaf, leaf]);
        (left, left + 1)
    }

    /// Makes a node a leaf with these values, which stand on so many training rows.
    pub fn settle(&mut self, node: usize, values: &[f32], rows: usize) {
        assert_eq!(values.len(), self.width, "a leaf has a value for each output of the tree");
        self.nodes[node].left = (self.values.len() / self.width) as u32;
        self.values.extend(values);
        self.rows.push(rows as u32);
    }

    /// The training rows that came to each node.
    pub fn hits(&self) -> Vec<u64> {
        let mut hits = vec![0; self.nodes.len()];
        // Children stand behind their parent.
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let left = node.left as usize;
            hits[at] =
                if node.feature == LEAF { u64::from(self.rows[left]) } else { hits[left] + hits[left + 1] };
        }
        hits
    }

    /// The number of nodes, leaves included.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// One node.
    pub fn node(&self, at: usize) -> NodeView<'_> {
        let node = self.nodes[at];
        if node.feature == LEAF {
            return NodeView::Leaf(self.leaf(node));
        }
        NodeView::Question {
            feature: (node.feature & !MISSING_LEFT) as usize,
            threshold: node.threshold,
            missing_left: node.feature & MISSING_LEFT != 0,
            left: node.left as usize,
            right: node.left as usize + 1,
        }
    }

    /// The values of the leaf that a row of features ends in.
    pub fn find(&self, row: &[f32]) -> &[f32] {
        let mut node = self.nodes[0];
        while node.feature != LEAF {
            let value = row[(node.feature & !MISSING_LEFT) as usize];
            let goes_left =
                if value.is_nan() { node.feature & MISSING_LEFT != 0 } else { value <= node.threshold };
            node = self.nodes[node.left as usize + usize::from(!goes_left)];
        }
        self.leaf(node)
    }

    /// The values of the leaf that a binned row ends in.
    pub fn find_binned(&self, bins: &Bins, row: usize) -> &[f32] {
        let mut node = self.nodes[0];
        while node.feature != LEAF {
            let bin = bins.column((node.feature & !MISSING_LEFT) as usize)[row];
            let goes_left = if bin == MISSING { node.feature & MISSING_LEFT != 0 } else { bin <= node.bin };
            node = self.nodes[node.left as usize + usize::from(!goes_left)];
        }
        self.leaf(node)
    }

    fn leaf(&self, node: Node) -> &[f32] {
        &self.values[node.left as usize * self.width..][..self.width]
    }
}

/// Trees whose leaves are added up.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// What the sums start from, one number per output.
    pub base: Vec<f32>,
    /// The trees, each with the first output that its leaves add to.
    pub trees: Vec<(usize, Tree)>,
    /// The gain that each feature gave, over all trees.
    pub gains: Vec<f64>,
}

impl Ensemble {
    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.base.len()
    }

    /// The sums of each row, one row after the other.
    pub fn predict(&self, matrix: &Matrix) -> Vec<f64> {
        let outputs = self.outputs();
        let starts: Vec<usize> = (0..matrix.rows()).step_by(BLOCK).collect();
        let blocks: Vec<Vec<f64>> = starts
            .into_par_iter()
            .map(|start| {
                let end = (start + BLOCK).min(matrix.rows());
                let features = matrix.row_major(start..end);
                let mut sums: Vec<f64> = self.base.iter().map(|base| f64::from(*base)).collect();
                sums = sums.repeat(end - start);
                for (first, tree) in &self.trees {
                    for (row, sums) in
                        features.chunks_exact(matrix.width()).zip(sums.chunks_exact_mut(outputs))
                    {
                        for (sum, value) in sums[*first..].iter_mut().zip(tree.find(row)) {
                            *sum += f64::from(*value);
                        }
                    }
                }
                sums
            })
            .collect();
        blocks.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_goes_where_its_value_or_its_missing_value_belongs() {
        let mut tree = Tree::sapling(1);
        let question = Question { feature: 0, threshold: 2.0, bin: 1, missing_left: true };
        let (left, right) = tree.ask(0, question);
        tree.settle(right, &[5.0], 3);
        tree.settle(left, &[-5.0], 4);
        let found = [2.0, 2.1, f32::NAN, f32::NEG_INFINITY].map(|value| tree.find(&[value])[0]);
        assert_eq!(found, [-5.0, 5.0, -5.0, -5.0]);
        assert_eq!(tree.node(1), NodeView::Leaf(&[-5.0]));
        assert_eq!(tree.hits(), [7, 4, 3]);
    }
}
