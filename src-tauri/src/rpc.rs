//! The one command of the window: carry a call to the daemon and its answer back.

use std::sync::Arc;

use base::{Error, Result};
use serde_json::{Value, json};
use tauri::ipc::{InvokeResponseBody, Response};
use tauri::{AppHandle, Manager as _};

use crate::daemon::Daemon;
use crate::endpoint::Answer;
use crate::files::PendingFiles;

/// Calls `name` with `payload`. Names that start with `window.` are about the window itself.
#[tauri::command]
pub async fn rpc(app: AppHandle, name: String, payload: Value) -> Result<Response> {
    // Waiting for the daemon must hold up neither the window nor other calls.
    let answer = tauri::async_runtime::spawn_blocking(move || answer(&app, &name, &payload)).await;
    let answer = answer.map_err(|error| Error::internal("a call to the daemon broke off").because(error))?;
    Ok(Response::new(match answer? {
        Answer::Json(text) => InvokeResponseBody::Json(text),
        Answer::Bytes(bytes) => InvokeResponseBody::Raw(bytes),
    }))
}

fn answer(app: &AppHandle, name: &str, payload: &Value) -> Result<Answer> {
    if !is_command_name(name) {
        return Err(Error::invalid(format!("`{name}` is no command")));
    }
    let daemon = app.state::<Arc<Daemon>>();
    match name {
        "window.pendingFiles" => Ok(Answer::Json(app.state::<PendingFiles>().take().to_string())),
        "window.state" => {
            let state = json!({
                "daemon": daemon.state().to_json(),
                "workspace": daemon.workspace(),
                "version": env!("CARGO_PKG_VERSION"),
            });
            Ok(Answer::Json(state.to_string()))
        }
        _ => daemon.endpoint()?.call(name, payload),
    }
}

/// The name becomes part of an address, so nothing but `noun.verb` may pass.
fn is_command_name(name: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    name.split_once('.').is_some_and(|(noun, verb)| is_word(noun) && is_word(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_noun_and_verb_pass_as_a_name() {
        assert!(is_command_name("dataset.import"));
        assert!(is_command_name("model_version.show"));
        for wrong in
            ["", "dataset", "../events", "dataset.import?x=1", "a.b.c", "a./b", "dataset.", ".import"]
        {
            assert!(!is_command_name(wrong), "{wrong}");
        }
    }
}
