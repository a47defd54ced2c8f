//! The daemon's events, sent on to the pages under the same names, and the state of the daemon.

use std::io::BufRead;
use std::sync::Arc;

use serde_json::Value;
use tauri::{AppHandle, Emitter as _};

use crate::daemon::Daemon;

/// What the daemon may say to the pages. Names of the window itself cannot be faked from there.
const NAMES: [&str; 3] = ["changed", "job", "points"];

/// Keeps a daemon, and passes its events on, from a thread that ends with the process.
pub fn follow(app: AppHandle, daemon: Arc<Daemon>) {
    std::thread::spawn(move || {
        daemon.keep(
            |state| tell(&app, "daemon", state.to_json()),
            |endpoint| match endpoint.events() {
                Ok(stream) => read(stream, |name, data| tell(&app, name, data)),
                Err(error) => eprintln!("fettle-desktop: {error}"),
            },
        );
    });
}

/// Sends an event to the pages.
pub fn tell(app: &AppHandle, name: &str, data: Value) {
    // It only fails when the window is closing, and then nobody listens.
    if let Err(error) = app.emit(name, data) {
        eprintln!("fettle-desktop: the event `{name}` did not reach the pages: {error}");
    }
}

/// Reads server-sent events until the stream ends.
fn read(stream: impl BufRead, mut on_event: impl FnMut(&str, Value)) {
    let (mut name, mut data) = (String::new(), String::new());
    // A broken stream ends like a finished one: the caller looks whether the daemon still lives.
    for line in stream.lines().map_while(Result::ok) {
        if let Some(value) = field(&line, "event") {
            value.clone_into(&mut name);
        } else if let Some(value) = field(&line, "data") {
            data.push_str(value);
        } else if line.is_empty() {
            if NAMES.contains(&name.as_str())
                && let Ok(value) = serde_json::from_str(&data)
            {
                on_event(&name, value);
            }
            name.clear();
            data.clear();
        }
    }
}

fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = line.strip_prefix(name)?.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn events_of(stream: &str) -> Vec<(String, Value)> {
        let mut events = Vec::new();
        read(stream.as_bytes(), |name, data| events.push((name.to_owned(), data)));
        events
    }

    #[test]
    fn events_come_out_in_order_and_comments_do_not() {
        let stream = ": keep-alive\n\nevent: changed\ndata: {\"topics\":[\"runs\"]}\n\nid: 4\nevent:job\ndata:{\"id\":\ndata: 1}\n\n";
        let expected =
            [("changed".to_owned(), json!({ "topics": ["runs"] })), ("job".to_owned(), json!({ "id": 1 }))];
        assert_eq!(events_of(stream), expected);
    }

    #[test]
    fn names_of_the_window_cannot_be_faked() {
        assert_eq!(events_of("event: open-files\ndata: {\"paths\":[\"/etc/passwd\"]}\n\n"), []);
    }

    #[test]
    fn an_event_cut_off_by_the_end_is_not_told() {
        assert_eq!(events_of("event: changed\ndata: {}\n"), []);
    }
}
