//! `fettle daemon`: the one owner of a workspace, for the window, for command lines and for
//! browsers.

use std::sync::Arc;

use base::{Code, Error, Result};
use engine::Engine;
use serde_json::json;

use crate::args::{Args, DaemonVerb};
use crate::backend::{Remote, folder};
use crate::print::Printer;

/// Starts, looks at or stops the daemon.
///
/// # Errors
/// [`Code::Locked`] if something else owns the workspace; [`Code::Unavailable`] if the port is
/// taken.
pub fn run(args: &Args, verb: &DaemonVerb, printer: &Printer) -> Result<u8> {
    let (folder, _) = folder(args)?;
    match verb {
        DaemonVerb::Start { port, leave_when_idle, screens } => {
            let engine = Arc::new(Engine::open_or_create(&folder)?);
            let options = api::Options {
                port: *port,
                screens: screens.clone().or_else(built_screens),
                stays: !leave_when_idle,
            };
            api::serve(Arc::clone(&engine), &options, |daemon| {
                engine.announce(&daemon.url, &daemon.token)?;
                engine.start_watching();
                let ready = json!({ "url": daemon.url, "pid": std::process::id(), "workspace": folder });
                printer.result(&ready, |_| format!("{} owns {}", daemon.url, folder.display()));
                printer.note(&format!(
                    "open {}/#token={} in a browser, or stop with ctrl-c",
                    daemon.url, daemon.token
                ));
                Ok(())
            })?;
        }
        DaemonVerb::Status => {
            let remote = Remote::find(&folder)?;
            let status = match &remote {
                Some(remote) => {
                    json!({ "running": true, "url": remote.url, "health": remote.get("/health")? })
                }
                None => json!({ "running": false }),
            };
            printer.result(&status, |_| match &remote {
                Some(remote) => format!("{} owns {}", remote.url, folder.display()),
                None => format!("no daemon owns {}", folder.display()),
            });
        }
        DaemonVerb::Stop => {
            let remote = Remote::find(&folder)?.ok_or_else(|| {
                Error::new(Code::NotFound, format!("no daemon owns `{}`", folder.display()))
            })?;
            let reply = remote.post("/shutdown", &json!({}))?;
            printer.result(&reply, |_| format!("{} stops", remote.url));
        }
    }
    Ok(0)
}

/// The screens beside the program, where a package puts them.
fn built_screens() -> Option<std::path::PathBuf> {
    let program = std::env::current_exe().ok()?;
    let beside = program.parent()?.join("screens");
    beside.join("index.html").is_file().then_some(beside)
}
