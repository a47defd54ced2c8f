//! `cargo xtask bench`: figures that can be measured again. A bench is one file in `bench` and one line
//! in the list. All of them measure the programs as they are shipped, but for the window.

mod curves;
mod data;
mod drift;
mod import;
mod no_op_run;
mod peers;
mod pipelines;
mod quality;
mod runs;
mod serve;
mod start;
mod track;
mod train;

use crate::Result;
use crate::figures::{self, Figure};
use crate::process::root;

/// Measures, and gives back its figures.
type Bench = fn() -> Result<Vec<Figure>>;

const BENCHES: [(&str, Bench); 13] = [
    ("start", start::measure),
    ("import", import::measure),
    ("train", train::measure),
    ("no-op-run", no_op_run::measure),
    ("pipelines", pipelines::measure),
    ("serve", serve::measure),
    ("peers", peers::measure),
    ("quality", quality::measure),
    ("data", data::measure),
    ("track", track::measure),
    ("runs", runs::measure),
    ("curves", curves::measure),
    ("drift", drift::measure),
];
const DOCUMENT: &str = "docs/performance.md";

pub fn bench(words: &[String]) -> Result<()> {
    let (options, names): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.starts_with("--"));
    if let Some(unknown) = options.iter().find(|option| **option != "--write") {
        return Err(format!("unknown option `{unknown}`; the only one is `--write`"));
    }
    if let Some(unknown) = names.iter().find(|name| BENCHES.iter().all(|(bench, _)| bench != **name)) {
        let all: Vec<_> = BENCHES.iter().map(|(name, _)| *name).collect();
        return Err(format!("no bench `{unknown}`; the benches are: {}", all.join(", ")));
    }
    for (name, measure) in
        BENCHES.iter().filter(|(bench, _)| names.is_empty() || names.iter().any(|name| *name == bench))
    {
        let figures = measure().map_err(|error| format!("bench `{name}`: {error}"))?;
        print!("{}", figures::as_lines(name, &figures));
        if !options.is_empty() {
            write(name, &figures)?;
        }
    }
    Ok(())
}

fn write(name: &str, figures: &[Figure]) -> Result<()> {
    let path = root().join(DOCUMENT);
    let document = std::fs::read_to_string(&path).map_err(|error| format!("`{DOCUMENT}`: {error}"))?;
    std::fs::write(&path, figures::put_into(&document, name, figures))
        .map_err(|error| format!("`{DOCUMENT}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_a_place_for_every_bench() {
        let document = std::fs::read_to_string(root().join(DOCUMENT)).expect("there is a document");
        for (name, _) in BENCHES {
            assert!(document.contains(&format!("\n<!-- bench: {name} -->\n")), "{name}");
        }
    }

    #[test]
    fn wrong_words_are_answered_with_the_right_ones() {
        let said = |word: &str| bench(&[word.to_owned()]).expect_err("wrong");
        assert!(said("speed").contains(
            "start, import, train, no-op-run, pipelines, serve, peers, quality, data, track, runs"
        ));
        assert!(said("--all").contains("`--write`"));
    }
}
