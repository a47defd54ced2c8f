//! A pipeline as a script, for those who run it from a shell, from Make or from Python. The scripts
//! call `fettle` step by step; what a step does stays in the pipeline's own text, which is beside
//! them, so nothing is said twice.

use std::fmt::Write as _;

use base::Result;

use crate::file::Pipeline;
use crate::graph::{Graph, Node, Problem};

/// What a pipeline can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A script for `sh`.
    Shell,
    /// A Makefile.
    Make,
    /// A Python script.
    Python,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
    /// True if it is to be run.
    pub is_program: bool,
}

/// The pipeline's text and a script that runs it.
///
/// # Errors
/// The graph cannot run.
pub fn export(pipeline: &Pipeline, format: Format) -> Result<Vec<Exported>> {
    let graph = Graph::build(pipeline).map_err(|problems| Problem::to_error(&problems))?;
    let name = &pipeline.name;
    let (file, text) = match format {
        Format::Shell => (format!("{name}.sh"), shell(name, &graph)),
        Format::Make => ("Makefile".to_owned(), make(name, &graph)),
        Format::Python => (format!("{name}.py"), python(name, &graph)),
    };
    let own = Exported { name: format!("{name}.toml"), text: pipeline.to_text(), is_program: false };
    Ok(vec![own, Exported { name: file, text, is_program: format != Format::Make }])
}

const NEEDS: &str = "It needs `fettle`, and a workspace with the datasets that it reads.";

fn title(node: &Node) -> String {
    format!("{}: {}", node.declaration.title, node.declaration.summary)
}

fn shell(name: &str, graph: &Graph) -> String {
    let mut text = format!("#!/bin/sh\n# The pipeline `{name}`, step by step. {NEEDS}\nset -eu\n");
    text.push_str("cd \"$(dirname \"$0\")\"\nfettle=${FETTLE:-fettle}\n");
    for node in graph.nodes() {
        // Writing into a text cannot fail.
        let _ = write!(text, "\n# {}\n", title(node));
        let _ = writeln!(text, "\"$fettle\" pipeline run {name}.toml --to {}", node.step.id);
    }
    text
}

/// Ids of steps are plain words, so they need no quoting; `step-` keeps them apart from other targets.
fn make(name: &str, graph: &Graph) -> String {
    let mut text = format!("# The pipeline `{name}`, step by step. {NEEDS}\nFETTLE ?= fettle\n\n");
    let target = |step: &str| format!("step-{step}");
    let is_last = |node: &&Node| {
        !graph.nodes().iter().any(|other| other.wires().any(|(_, wire)| wire.step == node.step.id))
    };
    let last: Vec<String> = graph.nodes().iter().filter(is_last).map(|node| target(&node.step.id)).collect();
    let all: Vec<String> = graph.nodes().iter().map(|node| target(&node.step.id)).collect();
    let _ = write!(text, ".PHONY: all {}\n\nall: {}\n", all.join(" "), last.join(" "));
    for node in graph.nodes() {
        let mut before: Vec<String> = node.wires().map(|(_, wire)| target(&wire.step)).collect();
        before.sort();
        before.dedup();
        let step = &node.step.id;
        let _ = write!(text, "\n# {}\n{}: {name}.toml", title(node), target(step));
        before.iter().for_each(|one| {
            let _ = write!(text, " {one}");
        });
        let _ = write!(text, "\n\t$(FETTLE) pipeline run {name}.toml --to {step}\n");
    }
    text
}

fn python(name: &str, graph: &Graph) -> String {
    let mut text =
        format!("#!/usr/bin/env python3\n\"\"\"The pipeline `{name}`, step by step. {NEEDS}\"\"\"\n");
    text.push_str(
        "import json\nimport os\nimport pathlib\nimport subprocess\n\n\
         FETTLE = os.environ.get(\"FETTLE\", \"fettle\")\n",
    );
    let _ = write!(text, "PIPELINE = pathlib.Path(__file__).resolve().parent / \"{name}.toml\"\nSTEPS = [\n");
    for node in graph.nodes() {
        let _ = writeln!(text, "    \"{}\",  # {}", node.step.id, title(node));
    }
    text.push_str(
        "]\n\n\n\
         def run(step):\n    \
             \"\"\"Runs what a step needs and the step itself; gives what `fettle run show` tells of it.\"\"\"\n    \
             command = [FETTLE, \"--json\", \"pipeline\", \"run\", str(PIPELINE), \"--to\", step]\n    \
             return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)\n\n\n\
         if __name__ == \"__main__\":\n    \
             for step in STEPS:\n        \
                 shown = next(one for one in run(step)[\"steps\"] if one[\"step\"] == step)\n        \
                 print(step, shown[\"state\"], shown[\"summary\"] or \"\")\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPELINE: &str = r#"format = 1
name = "t"
step = [{ id = "d", kind = "dataset", params = { dataset = "x" } },
        { id = "u", kind = "union", inputs = { tables = ["a.table", "d.table"] } },
        { id = "a", kind = "sort", inputs = { table = "d.table" } }]"#;

    fn exported(format: Format) -> Vec<Exported> {
        export(&Pipeline::parse(PIPELINE).expect("good"), format).expect("it can run")
    }

    #[test]
    fn a_script_runs_the_steps_in_an_order_that_works_and_has_the_pipeline_beside_it() {
        let files = exported(Format::Shell);
        assert_eq!(Pipeline::parse(&files[0].text).expect("it reads back").name, "t");
        let order: Vec<&str> = files[1].text.lines().filter_map(|line| line.split("--to ").nth(1)).collect();
        assert_eq!(order, ["d", "a", "u"]);
        assert!(files[1].is_program);
    }

    #[test]
    fn make_knows_what_each_step_needs() {
        let text = &exported(Format::Make)[1].text;
        assert!(text.contains("\nall: step-u\n"), "{text}");
        assert!(
            text.contains("\nstep-u: t.toml step-a step-d\n\t$(FETTLE) pipeline run t.toml --to u\n"),
            "{text}"
        );
    }

    #[test]
    fn python_lists_the_steps() {
        let text = &exported(Format::Python)[1].text;
        assert!(text.contains("STEPS = [\n    \"d\",  # Dataset"), "{text}");
    }
}
