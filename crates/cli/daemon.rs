//! `fettle daemon`: the one owner of a workspace, for the window, for command lines and for
//! browsers.

use std::path::Path;
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
            let options = api::Options {
                port: *port,
                tracking_token: None,
                screens: screens.clone().or_else(built_screens),
                stays: !leave_when_idle,
            };
            serve(&folder, &options, |daemon| {
                let ready = json!({ "url": daemon.url, "pid": std::process::id(), "workspace": folder });
                printer.result(&ready, |_| format!("{} owns {}", daemon.url, folder.display()));
                printer.note(&format!(
                    "open {}/#token={} in a browser, or stop with ctrl-c",
                    daemon.url, daemon.token
                ));
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

/// `fettle track serve`: the daemon, for scripts and without screens.
///
/// # Errors
/// As [`run`]; [`Code::InvalidInput`] for a token that cannot be one.
pub fn track(args: &Args, port: u16, token: Option<&String>, printer: &Printer) -> Result<u8> {
    let (folder, _) = folder(args)?;
    let token = token.cloned().or_else(|| std::env::var("FETTLE_TRACKING_TOKEN").ok());
    let options = api::Options { port, tracking_token: token, screens: None, stays: true };
    serve(&folder, &options, |daemon| {
        let ready = json!({ "url": daemon.url, "pid": std::process::id(), "workspace": folder });
        printer.result(&ready, |_| format!("{} takes what scripts log", daemon.url));
        printer.note("`fettle track url` prints what to set for them; stop with ctrl-c");
    })?;
    Ok(0)
}

/// Owns the workspace in a folder and answers until it is stopped.
fn serve(folder: &Path, options: &api::Options, ready: impl FnOnce(&api::Daemon)) -> Result<()> {
    let engine = Arc::new(Engine::open_or_create(folder)?);
    api::serve(Arc::clone(&engine), options, |daemon| {
        engine.announce(&daemon.url, &daemon.token)?;
        engine.start_watching();
        ready(daemon);
        Ok(())
    })
}

/// The screens beside the program, where a package puts them.
fn built_screens() -> Option<std::path::PathBuf> {
    let program = std::env::current_exe().ok()?;
    let beside = program.parent()?.join("screens");
    beside.join("index.html").is_file().then_some(beside)
}
