//! Every command on the pages that a newcomer reads is run as it stands there, page by page, in a
//! folder with nothing but the sample.

mod testkit;

use std::process::Command;

use testkit::World;

/// The commands of a page in their order: all of its blocks that are marked `sh`, as one script.
fn script(page: &str) -> String {
    let mut script = String::from("set -eu\n");
    let mut is_inside = false;
    for line in page.lines() {
        match line {
            "```sh" => is_inside = true,
            "```" => is_inside = false,
            line if is_inside => {
                script.push_str(line);
                script.push('\n');
            }
            _ => {}
        }
    }
    script
}

fn run(page: &str) {
    let world = World::new();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs").join(page)).expect("the page is there");
    std::fs::copy(testkit::penguins(), world.path("penguins.csv")).expect("the sample can be copied");
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_fettle")).parent().expect("it is in a folder");
    let path = std::env::join_paths(
        std::iter::once(programs.to_path_buf())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script(&text)]).current_dir(world.path(""));
    shell.env("PATH", path.expect("no folder of the PATH has a colon"));
    let done = shell.output().expect("there is a shell");
    assert!(
        done.status.success(),
        "{page}: {}\n{}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
}

#[test]
fn the_tutorial_does_what_it_says() {
    run("tutorial.md");
}

#[test]
fn who_comes_from_mlflow_is_shown_what_works() {
    run("from-mlflow.md");
}

#[test]
fn who_comes_from_dvc_is_shown_what_works() {
    run("from-dvc.md");
}

#[test]
fn who_comes_from_a_canvas_is_shown_what_works() {
    run("from-orange.md");
}

#[test]
fn only_blocks_for_a_shell_are_commands() {
    let page = "text\n```sh\none\ntwo\n```\n```\nthree\n```\n```python\nfour\n```\n";
    assert_eq!(script(page), "set -eu\none\ntwo\n");
}
