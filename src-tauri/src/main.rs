//! The window of Fettle: frame, menu, dialogs, tray, file drop, the daemon beside it, and one
//! command, `rpc`, that carries every call of the pages to that daemon. There is no engine in
//! here, and nothing that a browser or the command line could not do as well.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod daemon;
mod endpoint;
mod events;
mod files;
mod menu;
mod rendering;
mod rpc;
mod tray;
mod window;

use std::process::ExitCode;
use std::sync::Arc;

use tauri::{AppHandle, Manager as _};

use crate::args::Args;
use crate::daemon::Daemon;
use crate::files::PendingFiles;

fn main() -> ExitCode {
    let args = match args::parse(std::env::args_os().skip(1)) {
        Ok(args) => args,
        Err(error) => return fail(&error),
    };
    rendering::prepare(args.safe_rendering);
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&base::Error::internal(format!("cannot open the window: {error}"))),
    }
}

fn fail(error: &base::Error) -> ExitCode {
    eprintln!("fettle-desktop: {error}");
    ExitCode::from(error.code.exit_code())
}

fn run(args: Args) -> tauri::Result<()> {
    let own_workspace = args.workspace.is_some();
    let mut builder = tauri::Builder::default();
    // A second launch hands its files to the window that is open. Somebody who names a workspace
    // wants a window of that workspace, though one of another may be open.
    if !own_workspace {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, argv, _| second_launch(app, argv)));
    }
    builder
        .plugin(window::remember_place())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .invoke_handler(tauri::generate_handler![rpc::rpc])
        .setup(move |app| Ok(set_up(app.handle(), args)?))
        .build(tauri::generate_context!())?
        .run(|app, event| on_event(app, &event));
    Ok(())
}

/// The first frame does not wait for the daemon: it is started beside the window, not before it.
fn set_up(app: &AppHandle, args: Args) -> tauri::Result<()> {
    let workspace = match args.workspace {
        Some(folder) => folder,
        None => app.path().local_data_dir()?.join("fettle"),
    };
    let daemon = Arc::new(Daemon::new(workspace));
    app.manage(Arc::clone(&daemon));
    app.manage(PendingFiles::new(args.files));
    window::open(app)?;
    menu::attach(app)?;
    if let Err(error) = tray::show(app) {
        eprintln!("fettle-desktop: no icon in the tray: {error}");
    }
    events::follow(app.clone(), daemon);
    Ok(())
}

fn second_launch(app: &AppHandle, argv: Vec<String>) {
    match args::parse(argv.into_iter().skip(1).map(Into::into)) {
        Ok(args) => files::hand_over(app, args.files),
        Err(error) => eprintln!("fettle-desktop: {error}"),
    }
    window::raise(app);
}

/// macOS hands files over as an event, at the start and later, and never as arguments.
#[cfg(target_os = "macos")]
fn on_event(app: &AppHandle, event: &tauri::RunEvent) {
    if let tauri::RunEvent::Opened { urls } = event {
        files::hand_over(app, urls.iter().filter_map(|url| url.to_file_path().ok()).collect());
    }
}

#[cfg(not(target_os = "macos"))]
fn on_event(_: &AppHandle, _: &tauri::RunEvent) {}
