//! How fast a model file is scored: the median time of a single row, and rows per second in one
//! batch of 10,000, both on one thread.
//!
//!     cargo run -p score --example throughput -- model.onnx

use std::process::ExitCode;
use std::time::Instant;

use score::{Element, Elements, Graph, Tensor};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: throughput MODEL.onnx");
        return ExitCode::from(2);
    };
    match measure(&path) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(path: &str) -> base::Result<String> {
    let bytes = std::fs::read(path).map_err(|error| base::Error::io("read", path.as_ref(), &error))?;
    let started = Instant::now();
    let graph = Graph::read(&bytes)?;
    let load_ms = started.elapsed().as_secs_f64() * 1e3;
    let mut singles = Vec::new();
    for row in 0..3000 {
        let inputs = inputs(&graph, 1, row)?;
        let started = Instant::now();
        graph.run(inputs)?;
        singles.push(started.elapsed().as_secs_f64() * 1e6);
    }
    singles.sort_by(f64::total_cmp);
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let inputs = inputs(&graph, 10_000, 1)?;
        let started = Instant::now();
        graph.run(inputs)?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(format!(
        "load {load_ms:.1} ms, single row {:.1} us (p99 {:.1}), batch {:.0} rows/s",
        singles[singles.len() / 2],
        singles[singles.len() * 99 / 100],
        10_000.0 / best
    ))
}

/// Numbers from -3 to 3 without a pattern that a branch predictor could learn.
fn inputs(graph: &Graph, rows: usize, seed: u64) -> base::Result<Vec<Tensor>> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f64 / f64::from(1 << 24) * 6.0 - 3.0
    };
    let tensors = graph.inputs().iter().map(|port| {
        let width = port.axes.as_ref().and_then(|axes| axes.get(1).copied().flatten());
        let is_matrix = port.axes.as_ref().is_some_and(|axes| axes.len() == 2);
        let width = width.unwrap_or(if is_matrix { 20 } else { 1 });
        let numbers = (0..rows * width).map(|_| next());
        let elements = match port.element {
            Some(Element::F64) => Elements::F64(numbers.collect()),
            Some(Element::I64) => Elements::I64(numbers.map(|number| number as i64).collect()),
            Some(Element::Bool) => Elements::Bool(numbers.map(|number| number > 0.0).collect()),
            Some(Element::Text) => Elements::Text(vec!["a".to_owned(); rows * width]),
            Some(Element::F32) | None => Elements::F32(numbers.map(|number| number as f32).collect()),
        };
        Tensor::new(if is_matrix { vec![rows, width] } else { vec![rows] }, elements)
    });
    tensors.collect()
}
