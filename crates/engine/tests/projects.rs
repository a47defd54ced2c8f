//! What a workspace without a project does when it is asked about its project.

use engine::Engine;
use serde_json::json;

#[test]
fn a_workspace_begins_with_one_project_however_many_ask_for_it_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::create(&folder.path().join("workspace")).expect("a workspace");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| engine.dispatch("project.home", json!({})).expect("answered"));
        }
    });
    let projects = engine.dispatch("project.list", json!({})).expect("answered");
    assert_eq!(projects.as_array().map(Vec::len), Some(1), "{projects}");
}
