//! The menu bar of macOS. Elsewhere the pages draw their own, in the look of the rest.
//!
//! Undo and Redo are our own items: the system's would take the keys before the pages see them.

use serde_json::json;
use tauri::AppHandle;
use tauri::menu::{Menu, MenuBuilder, MenuItem, MenuItemBuilder, SubmenuBuilder};

use crate::events;

/// Title, command of the pages, keys.
type Entry = (&'static str, &'static str, &'static str);

const IMPORT: Entry = ("Import data…", "file.import", "CmdOrCtrl+O");
const SETTINGS: Entry = ("Settings…", "app.settings", "CmdOrCtrl+,");
const UNDO: Entry = ("Undo", "edit.undo", "CmdOrCtrl+Z");
const REDO: Entry = ("Redo", "edit.redo", "CmdOrCtrl+Shift+Z");
const PALETTE: Entry = ("Commands…", "view.palette", "CmdOrCtrl+K");

/// Puts the menu into the menu bar, and sends what is chosen to the pages as the event `command`.
pub fn attach(app: &AppHandle) -> tauri::Result<()> {
    if !cfg!(target_os = "macos") {
        return Ok(());
    }
    app.set_menu(build(app)?)?;
    app.on_menu_event(|app, event| {
        let id = event.id().as_ref();
        if [IMPORT, SETTINGS, UNDO, REDO, PALETTE].iter().any(|(_, command, _)| *command == id) {
            events::tell(app, "command", json!({ "id": id }));
        }
    });
    Ok(())
}

fn build(app: &AppHandle) -> tauri::Result<Menu<tauri::Wry>> {
    let program = SubmenuBuilder::new(app, "Fettle")
        .about(None)
        .separator()
        .item(&item(app, SETTINGS)?)
        .separator()
        .hide()
        .quit()
        .build()?;
    let file =
        SubmenuBuilder::new(app, "File").item(&item(app, IMPORT)?).separator().close_window().build()?;
    let edit = SubmenuBuilder::new(app, "Edit")
        .item(&item(app, UNDO)?)
        .item(&item(app, REDO)?)
        .separator()
        .cut()
        .copy()
        .paste()
        .select_all()
        .build()?;
    let view = SubmenuBuilder::new(app, "View").item(&item(app, PALETTE)?).fullscreen().build()?;
    let window = SubmenuBuilder::new(app, "Window").minimize().maximize().build()?;
    MenuBuilder::new(app).items(&[&program, &file, &edit, &view, &window]).build()
}

fn item(app: &AppHandle, (title, command, keys): Entry) -> tauri::Result<MenuItem<tauri::Wry>> {
    MenuItemBuilder::with_id(command, title).accelerator(keys).build(app)
}
