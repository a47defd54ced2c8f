//! A promotion that the policy of the project refuses until somebody has signed for it.

use serde_json::{Value, json};

use crate::app::App;

#[test]
fn a_policy_refuses_a_promotion_until_an_approval_is_signed() {
    const GO: &str = "location.hash = '#/models/penguins/1?tab=promotion&alias=champion'";
    let app = App::start();
    app.await_daemon();
    let ask = |command: &str, request: Value| {
        app.rpc(command, request).unwrap_or_else(|error| panic!("{command}: {error}"))
    };
    app.finish("sample.open", json!({}));
    app.script(GO).expect("the page goes there");
    app.wait_for_text("promotion-state", "May be promoted");

    app.type_into("identity-person", "ann");
    app.click("identity-make");
    app.wait_for_text("approval-me", "ann");
    let key = ask("identity.show", json!({}))["key"].as_str().expect("a key").to_owned();
    let policy = format!("format = 1\n[people]\nann = \"{key}\"\n[alias.champion]\napprovals = 1\n");
    ask("policy.set", json!({ "text": policy }));

    app.wait_for_text("promotion-state", "Refused for 1 reason");
    app.wait_for_text("demand-approvals", "Nobody has approved it, 1 approval is needed.");
    let promotion = json!({ "model": "penguins", "version": "1", "alias": "champion" });
    let refused = ask("model.promote", promotion);
    assert_eq!(refused["isOpen"], false, "{refused}");
    assert!(ask("model.list", json!({}))[0]["aliases"]["champion"].is_null(), "no alias has moved");

    app.type_into("approval-note", "looked at the worst group");
    app.click("approval-approve");
    app.wait_for_text("promotion-state", "May be promoted");
    app.wait_for_text("approvals", "looked at the worst group");

    app.click("promotion-promote");
    app.find("promote-checks");
    app.click("promote-confirm");
    app.find("promote-done");
    assert_eq!(ask("model.list", json!({}))[0]["aliases"]["champion"], 1);
}
