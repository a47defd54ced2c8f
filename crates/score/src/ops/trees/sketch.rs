//! Trees as the attributes of a node describe them: read, checked to be trees, and compiled. The
//! six comparisons of ONNX become two: every `<`, `>` and `>=` is a `<=` with a neighbouring
//! number or with its branches exchanged.

use std::collections::{HashMap, HashSet};

use base::{Code, Error, Result};

use super::forest::{EQUALS, FEATURE, Forest, LEAF, MISSING_YES, Node};
use crate::inside::{TreeEnsemble, TreeNode};
use crate::ops::attributes::{Attributes, Numbers};
use crate::ops::scores::Real;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    AtMost,
    Less,
    AtLeast,
    Greater,
    Equal,
    NotEqual,
    Leaf,
}

impl Mode {
    fn parse(name: &str) -> Result<Self> {
        Ok(match name {
            "BRANCH_LEQ" => Self::AtMost,
            "BRANCH_LT" => Self::Less,
            "BRANCH_GTE" => Self::AtLeast,
            "BRANCH_GT" => Self::Greater,
            "BRANCH_EQ" => Self::Equal,
            "BRANCH_NEQ" => Self::NotEqual,
            "LEAF" => Self::Leaf,
            other => return Err(Error::invalid(format!("the node mode `{other}` is not supported"))),
        })
    }
}

/// Trees as the attributes have them, checked to be trees.
pub struct Sketch {
    nodes: Vec<SketchNode>,
    values: Numbers,
    roots: Vec<u32>,
    /// The weights of each leaf, grouped by leaf.
    weight_order: Vec<u32>,
    weight_targets: Vec<u32>,
    weights: Numbers,
    features: usize,
    /// How many training rows came to each node; empty if the model does not say it.
    hits: Vec<f64>,
}

#[derive(Clone, Copy)]
struct SketchNode {
    mode: Mode,
    feature: u32,
    missing_yes: bool,
    /// For a branch the two children; for a leaf the range of its weights in `weight_order`.
    yes: u32,
    no: u32,
}

impl Sketch {
    /// More targets or classes than this are refused.
    pub const MOST_TARGETS: usize = 65_536;

    /// Reads the attributes; those of the leaves are named after `target` or `class`.
    ///
    /// # Errors
    /// [`Code::Corrupt`] if they do not describe trees, [`Code::InvalidInput`] for what is not
    /// supported.
    pub fn read(attributes: &mut Attributes, leaves: &str, targets: usize) -> Result<Self> {
        let falses = attributes.ints("nodes_falsenodeids")?.unwrap_or_default();
        let trues = attributes.ints("nodes_truenodeids")?.unwrap_or_default();
        let features = attributes.ints("nodes_featureids")?.unwrap_or_default();
        let ids = attributes.ints("nodes_nodeids")?.unwrap_or_default();
        let trees = attributes.ints("nodes_treeids")?.unwrap_or_default();
        let missing = attributes.ints("nodes_missing_value_tracks_true")?.unwrap_or_default();
        let modes = attributes.texts("nodes_modes")?.unwrap_or_default();
        let values = attributes.numbers("nodes_values")?;
        // How often a branch was taken while training: scoring does not depend on it, explaining does.
        let hits = attributes.numbers("nodes_hitrates")?.to_f64();
        let count = ids.len();
        let lengths = [falses.len(), trues.len(), features.len(), trees.len(), modes.len(), values.len()];
        if count == 0 || count > FEATURE as usize || lengths.iter().any(|length| *length != count) {
            return Err(broken("its node attributes have different lengths"));
        }
        let places = Places::new(&trees, &ids)?;
        let mut nodes = Vec::with_capacity(count);
        let mut highest = 0;
        for at in 0..count {
            let mode = Mode::parse(&modes[at])?;
            let feature = u32::try_from(features[at]).ok().filter(|feature| *feature < FEATURE);
            let missing_yes = missing.get(at) == Some(&1);
            let (feature, yes, no) = if mode == Mode::Leaf {
                (0, 0, 0)
            } else {
                let child = |id: i64| {
                    let found = places.find(trees[at], id);
                    found.ok_or_else(|| broken(&format!("node {id} of tree {} is missing", trees[at])))
                };
                let feature =
                    feature.ok_or_else(|| broken(&format!("a node reads feature {}", features[at])))?;
                highest = highest.max(feature as usize + 1);
                (feature, child(trues[at])?, child(falses[at])?)
            };
            nodes.push(SketchNode { mode, feature, missing_yes, yes, no });
        }
        // A tree starts at the first node of each run of the same tree id.
        let starts = (0..count).filter(|at| *at == 0 || trees[*at] != trees[at - 1]);
        let roots: Vec<u32> = starts.map(|at| at as u32).collect();
        refuse_cycles(&nodes, &roots)?;
        let mut sketch = Self {
            nodes,
            values,
            roots,
            weight_order: Vec::new(),
            weight_targets: Vec::new(),
            weights: Numbers::Single(Vec::new()),
            features: highest,
            hits,
        };
        sketch.read_leaves(attributes, leaves, targets, &places)?;
        Ok(sketch)
    }

    fn read_leaves(
        &mut self,
        attributes: &mut Attributes,
        leaves: &str,
        targets: usize,
        places: &Places<'_>,
    ) -> Result<()> {
        let trees = attributes.ints(&format!("{leaves}_treeids"))?.unwrap_or_default();
        let ids = attributes.ints(&format!("{leaves}_nodeids"))?.unwrap_or_default();
        let of = attributes.ints(&format!("{leaves}_ids"))?.unwrap_or_default();
        self.weights = attributes.numbers(&format!("{leaves}_weights"))?;
        if [ids.len(), of.len(), self.weights.len()].iter().any(|length| *length != trees.len()) {
            return Err(broken("its leaf attributes have different lengths"));
        }
        let mut order: Vec<(u32, u32)> = Vec::with_capacity(trees.len());
        for (at, key) in trees.iter().copied().zip(ids).enumerate() {
            let node = places.find(key.0, key.1);
            let node = node.ok_or_else(|| broken(&format!("leaf {} of tree {} is missing", key.1, key.0)))?;
            let target = u32::try_from(of[at]).ok().filter(|target| (*target as usize) < targets);
            self.weight_targets
                .push(target.ok_or_else(|| broken(&format!("a leaf speaks of target {}", of[at])))?);
            // Old exporters gave weights to branches too; they count for nothing.
            if self.nodes[node as usize].mode == Mode::Leaf {
                order.push((node, at as u32));
            }
        }
        order.sort_unstable();
        for (place, (node, _)) in order.iter().enumerate() {
            let leaf = &mut self.nodes[*node as usize];
            if leaf.no == 0 {
                leaf.yes = place as u32;
            }
            leaf.no += 1;
        }
        self.weight_order = order.into_iter().map(|(_, at)| at).collect();
        Ok(())
    }

    /// True if thresholds or weights are in double precision.
    pub fn is_double(&self) -> bool {
        self.values.is_double() || self.weights.is_double()
    }

    /// How many trees there are.
    pub fn trees(&self) -> usize {
        self.roots.len()
    }

    /// The trees with all that explaining them needs.
    ///
    /// # Errors
    /// As [`Sketch::compile`].
    pub fn ensemble(&self, targets: usize, base: &[f64]) -> Result<TreeEnsemble> {
        let forest = self.compile::<f64>()?;
        let nodes: Vec<TreeNode> = forest.nodes.iter().map(|node| node.view()).collect();
        let mut base = base.to_vec();
        base.resize(targets, 0.0);
        let hits = adds_up(&nodes, &self.hits).then(|| self.hits.clone());
        Ok(TreeEnsemble {
            roots: forest.roots.iter().map(|root| *root as usize).collect(),
            leaves: forest.weights.iter().map(|(target, weight)| (*target as usize, *weight)).collect(),
            features: forest.features,
            nodes,
            targets,
            base,
            hits,
        })
    }

    /// How many different targets the leaves speak of.
    pub fn voted_targets(&self) -> usize {
        self.weight_targets.iter().collect::<HashSet<_>>().len()
    }

    /// True if no weight is negative.
    pub fn weights_are_all_positive(&self) -> bool {
        // A NaN is not negative either, which is also how onnxruntime counts it.
        !self.weights.to_f64().iter().any(|weight| *weight < 0.0)
    }

    /// The trees in one precision.
    ///
    /// # Errors
    /// None so far; compiling is where further limits would show.
    pub fn compile<T: Real>(&self) -> Result<Forest<T>> {
        let values = self.values.to_f64();
        let weights = self.weights.to_f64();
        let ordered = self.weight_order.iter().map(|at| *at as usize);
        let weights: Vec<(u32, T)> =
            ordered.map(|at| (self.weight_targets[at], T::from_f64(weights[at]))).collect();
        let nodes = self.nodes.iter().zip(values).map(|(node, value)| {
            let value = T::from_f64(value);
            if node.mode == Mode::Leaf {
                let first = weights.get(node.yes as usize).filter(|_| node.no > 0);
                let value = first.map_or(value, |(_, weight)| *weight);
                return Node { value, feature: LEAF, yes: node.yes, no: node.no };
            }
            branch(node, value)
        });
        let nodes = nodes.collect();
        Ok(Forest { nodes, roots: self.roots.clone(), weights, features: self.features })
    }
}

/// True if the rows of every branch are those of its children: exporters that do not know how many
/// came to a node write ones.
fn adds_up(nodes: &[TreeNode], hits: &[f64]) -> bool {
    let fits = |(at, node): (usize, &TreeNode)| match *node {
        TreeNode::Leaf { .. } => hits[at].is_finite() && hits[at] >= 0.0,
        TreeNode::Branch { yes, no, .. } => {
            let sum = hits[yes] + hits[no];
            sum > 0.0 && (hits[at] - sum).abs() <= 1e-5 * sum
        }
    };
    hits.len() == nodes.len() && nodes.iter().enumerate().all(fits)
}

/// Where each node stands, by its tree and its number in it.
struct Places<'a> {
    /// Where the nodes of a tree begin, where they stand together and in order, as exporters
    /// write them: that makes looking up a node of a large forest a sum instead of a hash.
    starts: HashMap<i64, usize>,
    trees: &'a [i64],
    ids: &'a [i64],
    /// The nodes that are elsewhere.
    others: HashMap<(i64, i64), u32>,
}

impl<'a> Places<'a> {
    fn new(trees: &'a [i64], ids: &'a [i64]) -> Result<Self> {
        let mut places = Self { starts: HashMap::new(), trees, ids, others: HashMap::new() };
        for (at, (tree, id)) in trees.iter().zip(ids).enumerate() {
            if *id == 0 {
                places.starts.entry(*tree).or_insert(at);
            }
        }
        for (at, (tree, id)) in trees.iter().zip(ids).enumerate() {
            let is_twice = match places.in_order(*tree, *id) {
                Some(found) => found as usize != at,
                None => places.others.insert((*tree, *id), at as u32).is_some(),
            };
            if is_twice {
                return Err(broken(&format!("node {id} of tree {tree} is there twice")));
            }
        }
        Ok(places)
    }

    fn find(&self, tree: i64, id: i64) -> Option<u32> {
        self.in_order(tree, id).or_else(|| self.others.get(&(tree, id)).copied())
    }

    fn in_order(&self, tree: i64, id: i64) -> Option<u32> {
        let place = self.starts.get(&tree)?.checked_add(usize::try_from(id).ok()?)?;
        let is_there = self.trees.get(place) == Some(&tree) && self.ids.get(place) == Some(&id);
        is_there.then_some(place as u32)
    }
}

/// A comparison as `<=` or `==`, with the branches exchanged where the opposite is asked.
fn branch<T: Real>(node: &SketchNode, value: T) -> Node<T> {
    // A missing value compares as unequal to everything, and follows its bit otherwise.
    let missing_true = node.missing_yes || node.mode == Mode::NotEqual;
    // `x < v` is `x <= w` for the next number `w` below. Nothing is below the lowest, and nothing
    // compares with NaN: for both `w` is NaN, which no `x` is at most.
    let below = value.next_down();
    let below = if below < value { below } else { T::from(f32::NAN) };
    let (value, exchanged) = match node.mode {
        Mode::AtMost | Mode::Equal | Mode::Leaf => (value, false),
        Mode::Less => (below, false),
        Mode::Greater => (value, !value.is_nan()),
        Mode::AtLeast => (below, !value.is_nan()),
        Mode::NotEqual => (value, true),
    };
    let kind = if matches!(node.mode, Mode::Equal | Mode::NotEqual) { EQUALS } else { 0 };
    let (yes, no) = if exchanged { (node.no, node.yes) } else { (node.yes, node.no) };
    let missing = if missing_true != exchanged { MISSING_YES } else { 0 };
    Node { value, feature: node.feature | kind | missing, yes, no }
}

/// Walks every tree once: a branch that leads back to a node above it would never end.
fn refuse_cycles(nodes: &[SketchNode], roots: &[u32]) -> Result<()> {
    const OPEN: u8 = 1;
    const DONE: u8 = 2;
    let mut state = vec![0_u8; nodes.len()];
    let mut stack = Vec::new();
    for root in roots {
        stack.push((*root, false));
        while let Some((at, leaving)) = stack.pop() {
            let seen = &mut state[at as usize];
            if leaving {
                *seen = DONE;
                continue;
            }
            match *seen {
                // Exporters of LightGBM let several branches share a child: that is no cycle.
                DONE => continue,
                OPEN => return Err(broken("a branch of a tree leads back to itself")),
                _ => *seen = OPEN,
            }
            stack.push((at, true));
            let node = &nodes[at as usize];
            if node.mode != Mode::Leaf {
                stack.push((node.no, false));
                stack.push((node.yes, false));
            }
        }
    }
    Ok(())
}

fn broken(why: &str) -> Error {
    Error::new(Code::Corrupt, format!("the trees are broken: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::trees::forest::Score;

    fn goes(mode: Mode, missing_yes: bool, value: f32, x: f32) -> bool {
        let node = SketchNode { mode, feature: 0, missing_yes, yes: 1, no: 2 };
        let leaf = |value| Node { value, feature: LEAF, yes: 0, no: 0 };
        let nodes = vec![branch(&node, value), leaf(1.0), leaf(0.0)];
        let forest = Forest { nodes, roots: vec![0], weights: Vec::new(), features: 1 };
        let mut alone = [Score::default()];
        forest.sum_one(&[x], 1, &mut alone);
        alone[0].value == 1.0
    }

    #[test]
    fn every_comparison_branches_as_it_is_written() {
        let inf = f32::INFINITY;
        let values = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1.0 + f32::EPSILON,
            f32::MIN,
            f32::MAX,
            inf,
            -inf,
            f32::NAN,
            1e-45,
            -1e-45,
        ];
        for value in values {
            for x in values {
                for missing in [false, true] {
                    let sent = missing && x.is_nan();
                    assert_eq!(goes(Mode::AtMost, missing, value, x), x <= value || sent, "{x} <= {value}");
                    assert_eq!(goes(Mode::Less, missing, value, x), x < value || sent, "{x} < {value}");
                    assert_eq!(goes(Mode::AtLeast, missing, value, x), x >= value || sent, "{x} >= {value}");
                    assert_eq!(goes(Mode::Greater, missing, value, x), x > value || sent, "{x} > {value}");
                    assert_eq!(goes(Mode::Equal, missing, value, x), x == value || sent, "{x} == {value}");
                    assert_eq!(goes(Mode::NotEqual, missing, value, x), x != value || sent, "{x} != {value}");
                }
            }
        }
    }
}
