//! The icon in the tray: brings the window back and ends the program.

use tauri::menu::{MenuBuilder, MenuItemBuilder};
use tauri::tray::{MouseButton, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Error};

use crate::window;

/// Shows the icon. Desktops without a tray simply do not draw it.
pub fn show(app: &AppHandle) -> tauri::Result<()> {
    let open = MenuItemBuilder::with_id("tray.open", "Open Fettle").build(app)?;
    let quit = MenuItemBuilder::with_id("tray.quit", "Quit").build(app)?;
    let menu = MenuBuilder::new(app).items(&[&open, &quit]).build()?;
    let icon = app.default_window_icon().cloned().ok_or(Error::WindowNotFound)?;
    TrayIconBuilder::with_id("main")
        .icon(icon)
        .tooltip("Fettle")
        .menu(&menu)
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| match event.id().as_ref() {
            "tray.open" => window::raise(app),
            "tray.quit" => app.exit(0),
            _ => {}
        })
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click { button: MouseButton::Left, .. } = event {
                window::raise(tray.app_handle());
            }
        })
        .build(app)?;
    Ok(())
}
