//! Open Inference Protocol v2 over REST, with Triton's extension for binary tensors.

pub mod binary;
pub mod metadata;
pub mod request;
pub mod response;

use score::Element;

/// The name of an element type in the protocol.
pub fn datatype(element: Element) -> &'static str {
    match element {
        Element::F32 => "FP32",
        Element::F64 => "FP64",
        Element::I64 => "INT64",
        Element::Bool => "BOOL",
        Element::Text => "BYTES",
    }
}
