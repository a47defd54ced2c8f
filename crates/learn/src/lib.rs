//! Trainers, metrics, explanation, tests of models, the ONNX writer and figures.

pub mod explain;
pub mod figures;
mod linear;
mod math;
mod matrix;
pub mod metrics;
pub mod model_tests;
mod onnx;
pub mod package;
mod predictions;
mod prepare;
pub mod random;
pub mod recipe;
pub mod search;
mod trainers;
mod trees;

pub use matrix::{Matrix, Part, Target, Training};
pub use predictions::Predictions;
pub use prepare::{Prepared, TargetColumn, features_of, parts, prepare, truth};
pub use trainers::{
    BoostingParams, CurvePoint, FeatureDraw, Fitted, ForestParams, LinearParams, Model, TRAINERS, Trainer,
};
