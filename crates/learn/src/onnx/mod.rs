//! Models as ONNX files, written by hand: no code generator, no other crate, the same bytes for
//! the same model.

pub mod graph;
pub mod trees;
mod wire;
