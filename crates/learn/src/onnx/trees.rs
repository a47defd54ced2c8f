//! Trees as a `TreeEnsembleRegressor`: also for classification, because its sums are what both
//! the logistic function and a vote need, without the special cases of the classifier operator.

use super::graph::{Attribute, Graph, Name};
use crate::trees::{Ensemble, NodeView};

/// Columns of the operator: one entry per node, one per leaf value.
#[derive(Default)]
struct Columns {
    trees: Vec<i64>,
    nodes: Vec<i64>,
    features: Vec<i64>,
    modes: Vec<String>,
    thresholds: Vec<f32>,
    lefts: Vec<i64>,
    rights: Vec<i64>,
    missing_left: Vec<i64>,
    hits: Vec<f32>,
    target_trees: Vec<i64>,
    target_nodes: Vec<i64>,
    targets: Vec<i64>,
    weights: Vec<f32>,
}

/// Adds the sums of the trees over `features` (`FLOAT [rows, width]`) and returns them as
/// `FLOAT [rows, outputs]`. Thresholds are 32 bit numbers already, as the features are, so a
/// value falls on the same side here as it did in training.
pub fn write(ensemble: &Ensemble, graph: &mut Graph, features: &str) -> Name {
    let mut columns = Columns::default();
    for (tree_id, (first, tree)) in ensemble.trees.iter().enumerate() {
        columns.hits.extend(tree.hits().into_iter().map(|rows| rows as f32));
        for at in 0..tree.node_count() {
            columns.trees.push(tree_id as i64);
            columns.nodes.push(at as i64);
            columns.push_node(tree_id, *first, at, tree.node(at));
        }
    }
    let attributes = [
        ("n_targets", Attribute::Int(ensemble.outputs() as i64)),
        ("base_values", Attribute::Floats(ensemble.base.clone())),
        ("nodes_treeids", Attribute::Ints(columns.trees)),
        ("nodes_nodeids", Attribute::Ints(columns.nodes)),
        ("nodes_featureids", Attribute::Ints(columns.features)),
        ("nodes_modes", Attribute::Texts(columns.modes)),
        ("nodes_values", Attribute::Floats(columns.thresholds)),
        ("nodes_truenodeids", Attribute::Ints(columns.lefts)),
        ("nodes_falsenodeids", Attribute::Ints(columns.rights)),
        ("nodes_missing_value_tracks_true", Attribute::Ints(columns.missing_left)),
        // Training rows a node: contributions are weighed by them.
        ("nodes_hitrates", Attribute::Floats(columns.hits)),
        ("target_treeids", Attribute::Ints(columns.target_trees)),
        ("target_nodeids", Attribute::Ints(columns.target_nodes)),
        ("target_ids", Attribute::Ints(columns.targets)),
        ("target_weights", Attribute::Floats(columns.weights)),
        ("aggregate_function", Attribute::Text("SUM".into())),
        ("post_transform", Attribute::Text("NONE".into())),
    ];
    graph.ml_op("TreeEnsembleRegressor", &[features], &attributes)
}

impl Columns {
    fn push_node(&mut self, tree_id: usize, first: usize, at: usize, node: NodeView<'_>) {
        let (feature, mode, threshold, left, right, missing_left) = match node {
            NodeView::Question { feature, threshold, missing_left, left, right } => {
                (feature, "BRANCH_LEQ", threshold, left, right, missing_left)
            }
            NodeView::Leaf(values) => {
                for (offset, value) in values.iter().enumerate() {
                    self.target_trees.push(tree_id as i64);
                    self.target_nodes.push(at as i64);
                    self.targets.push((first + offset) as i64);
                    self.weights.push(*value);
                }
                (0, "LEAF", 0.0, 0, 0, false)
            }
        };
        self.features.push(feature as i64);
        self.modes.push(mode.into());
        self.thresholds.push(threshold);
        self.lefts.push(left as i64);
        self.rights.push(right as i64);
        self.missing_left.push(i64::from(missing_left));
    }
}
