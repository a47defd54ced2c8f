//! Where the steps of a graph stand: columns by depth, rows ordered so that wires cross little.
//! The same graph always gets the same layout.
//!
//! Layering by longest path and ordering by barycentre, after Sugiyama, Tagawa and Toda,
//! "Methods for visual understanding of hierarchical system structures", 1981.

use std::collections::BTreeMap;

use crate::file::Pipeline;

/// Pixels from one column to the next; a node is 200 wide.
const COLUMN: f64 = 260.0;
/// Pixels from one row to the next; a node is about 80 high.
const ROW: f64 = 120.0;
/// Sweeps over the columns; orders settle after a few.
const SWEEPS: usize = 8;

/// Positions by step id, in pixels, the top left at (40, 40). Wires of a cycle are left out of
/// account, so that a graph that cannot run can still be tidied.
pub fn layout(pipeline: &Pipeline) -> BTreeMap<String, [f64; 2]> {
    let index: BTreeMap<&str, usize> =
        pipeline.steps.iter().enumerate().map(|(at, step)| (step.id.as_str(), at)).collect();
    let before: Vec<Vec<usize>> = pipeline
        .steps
        .iter()
        .map(|step| {
            step.inputs.values().flatten().filter_map(|wire| index.get(wire.step.as_str()).copied()).collect()
        })
        .collect();
    let depth = depths(&before);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); depth.iter().max().map_or(0, |deepest| deepest + 1)];
    for (node, depth) in depth.iter().enumerate() {
        columns[*depth].push(node);
    }
    let mut after = vec![Vec::new(); before.len()];
    for (node, sources) in before.iter().enumerate() {
        for source in sources {
            after[*source].push(node);
        }
    }
    let mut row = vec![0.0; before.len()];
    for column in &columns {
        place(column, &mut row);
    }
    for sweep in 0..SWEEPS {
        let (neighbours, forward) = if sweep % 2 == 0 { (&before, true) } else { (&after, false) };
        let order: Vec<usize> =
            if forward { (0..columns.len()).collect() } else { (0..columns.len()).rev().collect() };
        for at in order {
            sort_by_neighbours(&mut columns[at], neighbours, &mut row);
        }
    }
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0) as f64;
    let mut positions = BTreeMap::new();
    for (at, column) in columns.iter().enumerate() {
        let top = 40.0 + (tallest - column.len() as f64) * ROW / 2.0;
        for (place, node) in column.iter().enumerate() {
            positions.insert(
                pipeline.steps[*node].id.clone(),
                [40.0 + at as f64 * COLUMN, top + place as f64 * ROW],
            );
        }
    }
    positions
}

/// Longest path from a start, by relaxation; a cycle stops after as many rounds as there are nodes.
fn depths(before: &[Vec<usize>]) -> Vec<usize> {
    let mut depth = vec![0; before.len()];
    for _ in 0..before.len() {
        let mut has_changed = false;
        for (node, sources) in before.iter().enumerate() {
            let least =
                sources.iter().filter(|source| **source != node).map(|source| depth[*source] + 1).max();
            if let Some(least) = least.filter(|least| *least > depth[node] && *least < before.len()) {
                depth[node] = least;
                has_changed = true;
            }
        }
        if !has_changed {
            break;
        }
    }
    depth
}

fn sort_by_neighbours(column: &mut [usize], neighbours: &[Vec<usize>], row: &mut [f64]) {
    let mut keyed: Vec<(f64, usize)> = column
        .iter()
        .map(|node| {
            let near = &neighbours[*node];
            let mean = near.iter().map(|other| row[*other]).sum::<f64>() / near.len() as f64;
            (if near.is_empty() { row[*node] } else { mean }, *node)
        })
        .collect();
    // The sort is stable, so equal means keep the order that was there.
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (slot, (_, node)) in column.iter_mut().zip(keyed) {
        *slot = node;
    }
    place(column, row);
}

/// Rows are counted from the middle of the column, so that columns of unlike length compare.
fn place(column: &[usize], row: &mut [f64]) {
    for (at, node) in column.iter().enumerate() {
        row[*node] = at as f64 - (column.len() as f64 - 1.0) / 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(wires: &[(&str, &[&str])]) -> BTreeMap<String, [f64; 2]> {
        let steps: Vec<String> = wires
            .iter()
            .map(|(id, from)| {
                let from: Vec<String> = from.iter().map(|step| format!("\"{step}.x\"")).collect();
                format!("[[step]]\nid = \"{id}\"\nkind = \"k\"\ninputs = {{ x = [{}] }}", from.join(", "))
            })
            .collect();
        layout(&Pipeline::parse(&format!("format = 1\nname = \"t\"\n{}", steps.join("\n"))).expect("good"))
    }

    #[test]
    fn every_step_stands_right_of_what_it_needs_and_none_on_another() {
        let found = positions(&[
            ("data", &[]),
            ("split", &["data"]),
            ("a", &["split"]),
            ("b", &["split"]),
            ("best", &["a", "b", "data"]),
        ]);
        assert!(found["split"][0] > found["data"][0] && found["best"][0] > found["b"][0]);
        let mut places: Vec<_> = found.values().map(|[x, y]| (*x as i64, *y as i64)).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 5);
    }

    #[test]
    fn crossing_wires_are_untangled() {
        let found = positions(&[("a", &[]), ("b", &[]), ("under_b", &["b"]), ("under_a", &["a"])]);
        assert!((found["a"][1] < found["b"][1]) == (found["under_a"][1] < found["under_b"][1]));
    }

    #[test]
    fn a_cycle_does_not_hang() {
        assert_eq!(positions(&[("a", &["b"]), ("b", &["a"])]).len(), 2);
    }
}
