//! Files that somebody opens with Fettle, kept until the pages are there to take them.

use std::path::PathBuf;
use std::sync::Mutex;

use serde_json::{Value, json};
use tauri::{AppHandle, Manager as _};

/// The files that wait for the pages.
pub struct PendingFiles {
    inner: Mutex<Waiting>,
}

struct Waiting {
    paths: Vec<PathBuf>,
    /// The pages have asked once, so they listen to `open-files` from now on.
    is_heard: bool,
}

impl PendingFiles {
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self { inner: Mutex::new(Waiting { paths, is_heard: false }) }
    }

    /// The answer of `rpc("window.pendingFiles")`: what waits, once.
    pub fn take(&self) -> Value {
        let mut waiting = self.inner.lock().expect("nothing panics while holding this lock");
        waiting.is_heard = true;
        json!({ "paths": std::mem::take(&mut waiting.paths) })
    }

    /// Gives back the files when the pages listen already, and keeps them when not.
    fn offer(&self, paths: Vec<PathBuf>) -> Option<Vec<PathBuf>> {
        let mut waiting = self.inner.lock().expect("nothing panics while holding this lock");
        if waiting.is_heard {
            return Some(paths);
        }
        waiting.paths.extend(paths);
        None
    }
}

/// Brings files to the pages: as an `open-files` event, or kept until they ask.
pub fn hand_over(app: &AppHandle, paths: Vec<PathBuf>) {
    if paths.is_empty() {
        return;
    }
    if let Some(paths) = app.state::<PendingFiles>().offer(paths) {
        crate::events::tell(app, "open-files", json!({ "paths": paths }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_wait_until_the_pages_ask_and_are_given_once() {
        let files = PendingFiles::new(vec!["/a.csv".into()]);
        assert_eq!(files.offer(vec!["/b.csv".into()]), None);
        assert_eq!(files.take(), json!({ "paths": ["/a.csv", "/b.csv"] }));
        assert_eq!(files.take(), json!({ "paths": [] }));
    }

    #[test]
    fn files_opened_later_go_straight_to_the_pages() {
        let files = PendingFiles::new(vec![]);
        files.take();
        assert_eq!(files.offer(vec!["/c.csv".into()]), Some(vec!["/c.csv".into()]));
    }
}
