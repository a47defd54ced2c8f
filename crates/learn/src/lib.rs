//! Trainers, metrics, explanation, the ONNX writer, figures.
