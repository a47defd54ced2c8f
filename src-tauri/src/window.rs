//! The one window: hidden until its pages are loaded, in the colour of the theme, and closed to
//! every address that is not ours.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tauri::plugin::TauriPlugin;
use tauri::webview::PageLoadEvent;
use tauri::window::Color;
use tauri::{
    AppHandle, Listener as _, Manager as _, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder, Wry,
};
use tauri_plugin_window_state::StateFlags;

use crate::rendering;

const LABEL: &str = "main";
/// The background tokens of `ui/src/styles`, so that no white flashes before the pages paint.
const LIGHT: Color = Color(0xf7, 0xf7, 0xf5, 0xff);
const DARK: Color = Color(0x14, 0x18, 0x1d, 0xff);
/// Pages that cannot load must still give a window that can be closed.
const SHOW_AT_THE_LATEST: Duration = Duration::from_secs(3);

/// Under `LANG=C` WebKitGTK calls the language `c`, and everything in `Intl` throws on that.
const LANGUAGE: &str = "
try { Intl.getCanonicalLocales(navigator.language) } catch {
  Object.defineProperty(navigator, 'language', { get: () => 'en' })
  Object.defineProperty(navigator, 'languages', { get: () => ['en'] })
}";
/// The second frame after loading starts when the first one is on the screen.
const PAINTED: &str = "
addEventListener('load', () => requestAnimationFrame(() => requestAnimationFrame(() =>
  window.__TAURI_INTERNALS__.invoke('plugin:event|emit', { event: 'painted' }))))";

static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Size and place are kept between starts. Whether it is visible is not: that is decided here.
pub fn remember_place() -> TauriPlugin<Wry> {
    tauri_plugin_window_state::Builder::default()
        .with_state_flags(StateFlags::all() & !StateFlags::VISIBLE)
        .build()
}

/// Opens the window. It shows itself once the pages have loaded.
pub fn open(app: &AppHandle) -> tauri::Result<()> {
    rendering::about_to_paint();
    app.once("painted", |_| {
        rendering::painted();
        // `cargo xtask bench` reads this line.
        eprintln!("fettle-desktop: painted");
    });
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Fettle")
        .inner_size(1280.0, 800.0)
        .min_inner_size(720.0, 480.0)
        .visible(false)
        .initialization_script(LANGUAGE)
        .initialization_script(PAINTED)
        .on_navigation(is_ours)
        .on_page_load(|window, load| {
            if load.event() == PageLoadEvent::Finished {
                show(&window);
            }
        })
        .build()?;
    let is_dark = window.theme().is_ok_and(|theme| theme == Theme::Dark);
    window.set_background_color(Some(if is_dark { DARK } else { LIGHT }))?;
    std::thread::spawn(move || {
        std::thread::sleep(SHOW_AT_THE_LATEST);
        show(&window);
    });
    Ok(())
}

/// Brings the window to the front, from wherever it is.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = raised {
        eprintln!("fettle-desktop: cannot raise the window: {error}");
    }
}

fn show(window: &WebviewWindow) {
    if IS_SHOWN.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Err(error) = window.show().and_then(|()| window.set_focus()) {
        eprintln!("fettle-desktop: cannot show the window: {error}");
    }
}

/// A dropped file or a link must not replace the pages: everything but our own address is refused.
fn is_ours(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => url.as_str() == "about:blank",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_be_shown() {
        let allows = |address: &str| is_ours(&Url::parse(address).expect("an address"));
        assert!(allows("tauri://localhost/"));
        assert!(allows("https://tauri.localhost/index.html"));
        assert!(!allows("file:///tmp/data.csv"));
        assert!(!allows("https://example.org/"));
        assert!(!allows("http://localhost:8080/"));
        assert!(!allows("tauri://elsewhere/"));
        assert!(!allows("data:text/html,x"));
    }
}
