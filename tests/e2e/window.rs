//! The window by itself: that it opens, what it hands to the pages, and what it refuses.

use std::io::Write as _;
use std::net::TcpListener;

use serde_json::json;

use crate::app::{App, Setup};

/// Keeps what the window says, as `ui/src/host/tauri.ts` does.
const LISTEN: &str = "window.heard = [];
    const host = window.__TAURI_INTERNALS__;
    for (const event of ['tauri://drag-drop', 'open-files', 'daemon'])
      host.invoke('plugin:event|listen', {
        event, target: { kind: 'Any' },
        handler: host.transformCallback(message => window.heard.push([message.event, message.payload])),
      });";

#[test]
fn the_window_opens_on_its_own_pages() {
    let app = App::start();
    app.wait_until("the title is `Fettle`", || {
        Some(app.session().title()).filter(|title| title.starts_with("Fettle"))
    });
    assert!(app.session().url().starts_with("tauri://localhost"), "{}", app.session().url());
}

#[test]
fn dropped_files_arrive_with_their_whole_paths() {
    let app = App::start();
    let files = ["first file.csv", "second.csv"].map(|name| app.scratch().join(name));
    for file in &files {
        std::fs::write(file, "a,b\n1,2\n").expect("written");
    }
    app.script(LISTEN).expect("listening");
    app.drop_files(&[&files[0], &files[1]], (410, 310));
    let paths = app.wait_until("the drop is heard", || {
        let heard = app.script("return window.heard").expect("read");
        heard
            .as_array()?
            .iter()
            .find(|message| message[0] == "tauri://drag-drop")
            .map(|message| message[1]["paths"].clone())
    });
    assert_eq!(paths, json!(files));
    assert_eq!(app.pointer_actions(), 1);
}

#[test]
fn a_file_of_the_command_line_waits_for_the_pages() {
    let arguments = vec!["/data/opened.csv".to_owned()];
    let app = App::start_with(Setup { arguments, ..Setup::default() });
    // The pages may have asked already: then they have it, and nothing may wait any more.
    let first = app.rpc("window.pendingFiles", json!({})).expect("answered");
    assert!([json!(["/data/opened.csv"]), json!([])].contains(&first["paths"]), "{first}");
    assert_eq!(app.rpc("window.pendingFiles", json!({})).expect("answered")["paths"], json!([]));
}

#[test]
fn the_window_tells_its_workspace_and_the_state_of_the_daemon() {
    let app = App::start();
    let state = app.rpc("window.state", json!({})).expect("answered");
    assert_eq!(state["workspace"], json!(app.workspace()));
    assert!(
        ["starting", "ready", "lost"].contains(&state["daemon"]["state"].as_str().unwrap_or_default()),
        "{state}"
    );
}

#[test]
fn a_killed_daemon_is_started_again() {
    let app = App::start();
    let first = app.await_daemon();
    app.script(LISTEN).expect("listening");
    app.kill_daemon();
    let second =
        app.wait_until("another daemon is ready", || Some(app.await_daemon()).filter(|pid| *pid != first));
    let heard = app.wait_until("the window tells of every state", || {
        let heard = app.script("return window.heard.map(([, message]) => message.state)").expect("read");
        Some(heard)
            .filter(|heard| heard.as_array().is_some_and(|states| states.last() == Some(&json!("ready"))))
    });
    assert_eq!(heard, json!(["lost", "starting", "ready"]), "after {first} came {second}");
}

/// The other page is on this computer, so that only the refusal can keep it from being shown.
#[test]
fn a_foreign_address_does_not_replace_the_pages() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}/", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            (&stream).write_all(b"HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\n<h1>foreign</h1>").ok();
        }
    });
    let app = App::start();
    // The call ends with an error when the page goes away under it, which the next line sees.
    let leave = "const done = arguments[1]; location.href = arguments[0]; setTimeout(done, 500)";
    app.session().script_async(leave, &[json!(address)]).ok();
    assert!(app.session().url().starts_with("tauri://localhost"), "{}", app.session().url());
    app.rpc("window.state", json!({})).expect("the pages still reach their host");
}

#[test]
fn a_bad_language_of_the_system_does_not_break_the_pages() {
    let app = App::start();
    let language =
        app.script("return new Intl.NumberFormat(navigator.language).format(1.5)").expect("no exception");
    assert!(["1.5", "1,5"].contains(&language.as_str().unwrap_or_default()), "{language}");
}

#[test]
fn the_palette_leads_to_a_screen_by_pointer_and_keys() {
    const ENTER: &str = "\u{E007}";
    let app = App::start();
    app.click("open-palette");
    app.type_into("palette-input", "settings");
    app.wait_for_text("palette", "Settings");
    app.press(&[ENTER]);
    app.wait_until("Settings are open", || app.session().url().ends_with("#/settings").then_some(()));
    assert!(!app.is_there("palette"), "the palette closes behind the choice");
    assert_eq!(app.pointer_actions(), 1);
}

/// The canvas moves its steps this way; HTML5 dragging would not get through here.
#[test]
fn a_drag_moves_what_follows_the_pointer() {
    const BOX: &str = "const box = document.createElement('div');
        box.style.cssText = 'position:fixed;left:50px;top:100px;width:80px;height:40px;z-index:999';
        let grip = null;
        box.onpointerdown = e => { grip = [e.clientX - box.offsetLeft, e.clientY - box.offsetTop]; box.setPointerCapture(e.pointerId) };
        box.onpointermove = e => { if (grip) { box.style.left = e.clientX - grip[0] + 'px'; box.style.top = e.clientY - grip[1] + 'px' } };
        box.onpointerup = () => { grip = null };
        document.body.append(window.box = box)";
    let app = App::start();
    app.script(BOX).expect("a box");
    app.drag((90, 120), (500, 450));
    let place = app.script("return [window.box.style.left, window.box.style.top]").expect("read");
    assert_eq!(place, json!(["460px", "430px"]));
}
