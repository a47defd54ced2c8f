//! Loads a model package and predicts: small and static, no database, no data engine.
//!
//! A package is an MLflow model directory whose model is ONNX. [`Package`] is its front door;
//! [`Graph`] runs a bare model file. The interpreter has the operators of tabular models; what it
//! does not have is refused when the model is loaded.

mod batch;
mod card;
mod golden;
mod graph;
mod inside;
mod mlmodel;
mod moment;
mod ops;
mod package;
mod proto;
mod tensor;
mod wire;

pub use batch::{Batch, Cell, Predictions, Values};
pub use card::{Card, Golden, Importance, Input, Kind, Lineage, Output, Parity, Signature, Task, Trainer};
pub use golden::GoldenCheck;
pub use graph::{Graph, Maps, Port, Value};
pub use inside::{Core, FeatureRows, Inside, Link, TreeEnsemble, TreeNode, Weights};
pub use package::{ModelInput, ModelOutput, Package, Width};
pub use tensor::{Element, Elements, Tensor};
