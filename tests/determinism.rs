//! The same pipeline over the same data gives the same model bytes, whatever the workspace and
//! however many threads.

mod testkit;

use testkit::World;

/// Every file of the registered package but the one with the run's own facts.
fn package(threads: &str) -> Vec<(String, Vec<u8>)> {
    let world = World::new();
    world.ok(&["dataset", "import", testkit::text(&testkit::penguins()), "--target", "species"]);
    world.ok(&["pipeline", "new", "penguins"]);
    world.ok(&["pipeline", "run", "penguins", "--threads", threads]);
    let folder = world.path("package");
    world.ok(&["model", "export", "penguins", "-o", testkit::text(&folder)]);
    let mut files: Vec<(String, Vec<u8>)> =
        ["model.onnx", "MLmodel", "metrics.json", "curves.json", "input_example.json"]
            .iter()
            .map(|name| ((*name).to_owned(), std::fs::read(folder.join(name)).expect("the file is there")))
            .collect();
    files.sort();
    files
}

#[test]
fn one_thread_and_two_threads_in_two_workspaces_give_identical_models() {
    let (one, two) = (package("1"), package("2"));
    for ((name, bytes), (_, other)) in one.iter().zip(&two) {
        assert!(bytes == other, "{name} differs: {} and {} bytes", bytes.len(), other.len());
    }
}
