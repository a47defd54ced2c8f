//! A model file may come from anywhere: whatever its bytes, loading and running it ends with an
//! answer or an error, never with a panic, an endless loop or all of the memory.

use std::path::Path;
use std::time::{Duration, Instant};

use proptest::prelude::{ProptestConfig, any, prop, proptest};
use score::{Batch, Element, Elements, Graph, Package, Tensor, Values};

fn fixtures() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder lists").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "onnx"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a file reads")).collect()
}

/// Loads the bytes and, if that works, runs the graph on three rows.
fn survive(bytes: &[u8]) {
    let Ok(graph) = Graph::read(bytes) else { return };
    let inputs = graph.inputs().iter().map(|port| {
        let axes = port.axes.clone().unwrap_or_else(|| vec![None]);
        let shape: Vec<usize> = axes
            .iter()
            .enumerate()
            .map(|(at, axis)| axis.unwrap_or(if at == 0 { 3 } else { 4 }).min(64))
            .collect();
        let count = shape.iter().product();
        let elements = match port.element {
            Some(Element::F64) => Elements::F64(vec![0.5; count]),
            Some(Element::I64) => Elements::I64(vec![1; count]),
            Some(Element::Bool) => Elements::Bool(vec![true; count]),
            Some(Element::Text) => Elements::Text(vec!["a".to_owned(); count]),
            Some(Element::F32) | None => Elements::F32(vec![0.5; count]),
        };
        Tensor::new(shape, elements).expect("the shape fits")
    });
    let inputs = inputs.collect();
    let started = Instant::now();
    // Either is fine; that it comes back is what is tested.
    let _ = graph.run(inputs);
    assert!(started.elapsed() < Duration::from_secs(5), "a small model ran for {:?}", started.elapsed());
}

#[test]
fn every_truncation_of_a_model_is_survived() {
    for bytes in fixtures() {
        for length in (0..bytes.len()).step_by(1 + bytes.len() / 400) {
            survive(&bytes[..length]);
        }
    }
}

#[test]
fn every_single_flipped_byte_is_survived() {
    for bytes in fixtures() {
        let mut flipped = bytes.clone();
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 600) {
            for pattern in [0xff, 0x80, 0x01] {
                flipped[at] = bytes[at] ^ pattern;
                survive(&flipped);
            }
            flipped[at] = bytes[at];
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn models_with_bytes_changed_moved_and_cut_are_survived(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of((any::<prop::sample::Index>(), any::<prop::sample::Index>())),
    ) {
        let fixtures = fixtures();
        let mut bytes = which.get(&fixtures).clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((from, to)) = cut {
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
            bytes.drain(from.min(to)..from.max(to));
        }
        survive(&bytes);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&bytes);
    }
}

#[test]
fn a_tree_that_leads_back_to_itself_is_refused() {
    // One tree of two branches, each the child of the other.
    let attribute = |name: &str, field: u8, kind: u8, values: &[u8]| {
        let mut body = vec![0x0a, name.len() as u8];
        body.extend(name.as_bytes());
        for value in values {
            body.extend([field << 3, *value]);
        }
        body.extend([0xa0, 0x01, kind]);
        message(5, &body)
    };
    let modes: Vec<u8> =
        [b"BRANCH_LEQ".as_slice(), b"BRANCH_LEQ"].iter().flat_map(|mode| message(9, mode)).collect();
    let mut texts = vec![0x0a, 11];
    texts.extend(b"nodes_modes");
    texts.extend(modes);
    texts.extend([0xa0, 0x01, 8]);
    let mut values = vec![0x0a, 12];
    values.extend(b"nodes_values");
    values.extend([0x3a, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0xa0, 0x01, 6]);
    let node = [
        message(1, b"x"),
        message(2, b"y"),
        message(4, b"TreeEnsembleRegressor"),
        message(7, b"ai.onnx.ml"),
        attribute("nodes_treeids", 8, 7, &[0, 0]),
        attribute("nodes_nodeids", 8, 7, &[0, 1]),
        attribute("nodes_featureids", 8, 7, &[0, 0]),
        attribute("nodes_truenodeids", 8, 7, &[1, 0]),
        attribute("nodes_falsenodeids", 8, 7, &[1, 0]),
        message(5, &texts),
        message(5, &values),
    ];
    let graph = [message(1, &node.concat()), message(11, &message(1, b"x")), message(12, &message(1, b"y"))];
    let error = Graph::read(&message(7, &graph.concat())).expect_err("it would never end");
    assert!(error.to_string().contains("leads back"), "{error}");
}

#[test]
fn a_package_names_what_is_missing_from_a_request() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("../serving/tests/fixtures/penguins");
    let package = Package::load(&package).expect("the fixture loads");
    let batch = Batch { rows: 1, columns: vec![("island".to_owned(), Values::Text(vec![None]))] };
    let error = package.predict(&batch).expect_err("the other columns are not there");
    assert_eq!(error.message, "the column `bill_length_mm` is missing");
    assert!(error.hint.is_some_and(|hint| hint.contains("`body_mass_g`")));
}

fn message(field: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    let mut length = body.len();
    while length > 127 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend(body);
    bytes
}
