//! The TypeScript side of the border is generated from the list of commands and committed.

use std::path::Path;

#[test]
fn bindings_are_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/host/bindings.ts");
    let fresh = engine::commands::typescript();
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if fresh != committed {
        std::fs::write(&path, fresh).expect("the bindings can be written");
        panic!("ui/src/host/bindings.ts was stale and has been written anew: commit it");
    }
}

#[test]
fn every_command_is_a_noun_and_a_verb_and_stands_once() {
    let mut names: Vec<&str> = engine::commands::COMMANDS.iter().map(|command| command.name).collect();
    for name in &names {
        let (noun, verb) = name.split_once('.').expect("a noun, a dot and a verb");
        assert!(!noun.is_empty() && !verb.is_empty() && !verb.contains('.'), "{name}");
    }
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
