//! What WebKitGTK must be told before it starts, so that the window is not blank or slow.
//!
//! The drivers and packagings that draw nothing are known and can be seen before the toolkit
//! starts; WebKit leaves it to the program to look. What the user set stays as it is. The process
//! starts itself anew with the variables, because a running one may not change its environment
//! safely, and children of ours never inherit them.

use std::ffi::OsString;
use std::path::PathBuf;

/// Names the variables that we added, separated by commas, and that children must not see.
const ADDED: &str = "FETTLE_RENDERING";
const NO_DMABUF: (&str, &str) = ("WEBKIT_DISABLE_DMABUF_RENDERER", "1");
const NO_COMPOSITING: (&str, &str) = ("WEBKIT_DISABLE_COMPOSITING_MODE", "1");
const NO_EXPLICIT_SYNC: (&str, &str) = ("__NV_DISABLE_EXPLICIT_SYNC", "1");

/// What matters about this computer.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    has_render_node: bool,
    is_nvidia: bool,
    is_wayland: bool,
    is_appimage: bool,
    /// The user asked for it, or the last start never painted.
    is_safe: bool,
}

/// Decides, and starts this program anew when something has to be set. Returns when nothing has.
pub fn prepare(is_safe: bool) {
    if !cfg!(target_os = "linux") || std::env::var_os(ADDED).is_some() {
        return;
    }
    let wanted: Vec<_> =
        decide(look(is_safe)).into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if !wanted.is_empty() {
        start_anew(&wanted);
    }
}

/// Every variable of ours that a child process must not inherit.
pub fn private_variables() -> Vec<OsString> {
    let added = std::env::var(ADDED).unwrap_or_default();
    let own = [ADDED, "TAURI_WEBVIEW_AUTOMATION"];
    added.split(',').filter(|name| !name.is_empty()).chain(own).map(OsString::from).collect()
}

/// Says that a window is about to be drawn. Until [`painted`] is called, the next start is a safe one.
pub fn about_to_paint() {
    if let Some(mark) = mark() {
        let made = mark.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = made.and_then(|()| std::fs::write(&mark, "")) {
            eprintln!("fettle-desktop: cannot write `{}`: {error}", mark.display());
        }
    }
}

/// Says that the first frame is on the screen.
pub fn painted() {
    if let Some(mark) = mark() {
        // A mark that stays costs one slower start and nothing else.
        drop(std::fs::remove_file(mark));
    }
}

fn mark() -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))?;
    Some(cache.join("dev.fettle.app").join("not-painted"))
}

fn look(is_safe: bool) -> Facts {
    Facts {
        has_render_node: entries("/dev/dri").iter().any(|name| name.starts_with("renderD")),
        is_nvidia: entries("/sys/class/drm").iter().any(|card| {
            std::fs::read_to_string(format!("/sys/class/drm/{card}/device/vendor"))
                .is_ok_and(|vendor| vendor.trim() == "0x10de")
        }),
        is_wayland: std::env::var_os("WAYLAND_DISPLAY").is_some(),
        is_appimage: std::env::var_os("APPIMAGE").is_some(),
        is_safe: is_safe || mark().is_some_and(|mark| mark.exists()),
    }
}

fn entries(folder: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// Without a graphics card a frame of a pan costs 116 ms of processor with the DMA-BUF renderer and
/// 20 ms without it (measured under Xvfb), so it is not only about blank windows.
fn decide(facts: Facts) -> Vec<(&'static str, &'static str)> {
    if facts.is_safe {
        return vec![NO_DMABUF, NO_COMPOSITING];
    }
    if facts.is_appimage || !facts.has_render_node {
        return vec![NO_DMABUF];
    }
    match (facts.is_nvidia, facts.is_wayland) {
        // Explicit sync is what breaks here; without it the fast path works.
        (true, true) => vec![NO_EXPLICIT_SYNC],
        (true, false) => vec![NO_DMABUF],
        (false, _) => vec![],
    }
}

#[cfg(target_os = "linux")]
fn start_anew(variables: &[(&str, &str)]) {
    use std::os::unix::process::CommandExt as _;

    let Ok(program) = std::env::current_exe() else { return };
    let names: Vec<_> = variables.iter().map(|(name, _)| *name).collect();
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .envs(variables.iter().copied())
        .env(ADDED, names.join(","))
        .exec();
    // The call returns only when it failed. A window that may draw badly is better than none.
    eprintln!("fettle-desktop: cannot start anew with {}: {error}", names.join(", "));
}

#[cfg(not(target_os = "linux"))]
fn start_anew(_: &[(&str, &str)]) {}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: Facts = Facts {
        has_render_node: true,
        is_nvidia: false,
        is_wayland: true,
        is_appimage: false,
        is_safe: false,
    };

    #[test]
    fn a_common_card_keeps_the_fast_path() {
        assert_eq!(decide(CARD), []);
    }

    #[test]
    fn no_card_and_an_appimage_do_without_dmabuf() {
        assert_eq!(decide(Facts { has_render_node: false, ..CARD }), [NO_DMABUF]);
        assert_eq!(decide(Facts { is_appimage: true, ..CARD }), [NO_DMABUF]);
    }

    #[test]
    fn nvidia_keeps_the_fast_path_on_wayland_only() {
        let nvidia = Facts { is_nvidia: true, ..CARD };
        assert_eq!(decide(nvidia), [NO_EXPLICIT_SYNC]);
        assert_eq!(decide(Facts { is_wayland: false, ..nvidia }), [NO_DMABUF]);
    }

    #[test]
    fn safe_rendering_leaves_the_card_alone() {
        assert_eq!(decide(Facts { is_safe: true, ..CARD }), [NO_DMABUF, NO_COMPOSITING]);
    }

    #[test]
    fn children_never_see_that_a_test_drives_the_window() {
        assert!(private_variables().contains(&OsString::from("TAURI_WEBVIEW_AUTOMATION")));
    }
}
