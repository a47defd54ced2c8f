//! Why a model says what it says: contributions of features to one answer ([`Explainer`]: TreeSHAP for
//! trees, exact Shapley values for weighted sums), what a column matters on the whole (permutation
//! importance), and how the answer follows one column (partial dependence). All of it is measured on
//! the package that is served. It says what the model uses, not what causes what.

mod effect;
mod linear;
mod package;
mod permutation;
mod trees;

pub use effect::{Effect, EffectPoint, EffectSettings, effect};
pub use package::{Explainer, Explanation, RowExplanation, Scale};
pub use permutation::{
    PermutationSettings, importance_metric, package_importance, permutation_importance, shuffled,
};
pub use trees::TreeShap;
