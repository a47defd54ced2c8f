//! The tree core: values become at most 255 bins per feature, histograms of the bins say where
//! to split, and two growers make trees of it (leaf-wise for boosting, node by node for forests).
//!
//! Sums are whole numbers in fixed point, so neither their order nor the number of threads
//! changes a bit of the result, and a histogram minus one child's is exactly the other child's.

mod bins;
mod boosted;
mod classes;
mod forest;
mod histogram;
mod split;
mod tree;

pub use bins::Bins;
pub use boosted::{BoostedGrower, GrowLimits};
pub use forest::{ForestGrower, ForestLimits, ForestTarget, ForestTree};
pub use histogram::{FixedPoint, RowSum};
pub use tree::{Ensemble, NodeView, Tree};
