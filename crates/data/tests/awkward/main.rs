//! Awkward files, each with the exact table or the exact error that it has to give. A case is a
//! name, bytes made here, and what is expected; the laws that hold for every file are checked on
//! each of them.

mod case;
mod columns;
mod cutting;
mod databases;
mod documents;
mod encodings;
mod headers;
mod laws;
mod packs;
mod refused;
mod rejected;
mod values;
mod workbooks;
mod zips;

use case::{Case, check};

fn all() -> Vec<Case> {
    [
        encodings::cases(),
        cutting::cases(),
        values::cases(),
        headers::cases(),
        rejected::cases(),
        refused::cases(),
        packs::cases(),
        documents::cases(),
        columns::cases(),
        workbooks::cases(),
        databases::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_awkward_file_gives_what_it_has_to() {
    let wrong: Vec<String> = all().iter().filter_map(check).collect();
    assert!(wrong.is_empty(), "{} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_set_is_large_and_no_case_stands_in_it_twice() {
    let mut names: Vec<&str> = Vec::new();
    let all = all();
    names.extend(all.iter().map(|case| case.name));
    let count = names.len();
    assert!(count >= 150, "{count} cases");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "two cases have one name");
}
