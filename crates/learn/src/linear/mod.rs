//! Linear models: the mathematics. Columns are centred and scaled to unit variance inside, so
//! that a penalty means the same for each and the solvers see a well-shaped problem.

pub mod lbfgs;
mod logistic;
mod ridge;
mod scaled;

pub use logistic::{LogisticFit, fit_logistic};
pub use ridge::fit_ridge;
pub use scaled::Scaled;
