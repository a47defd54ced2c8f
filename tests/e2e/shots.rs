//! Pictures of every screen: light and dark, large and small.

use std::path::PathBuf;

use serde_json::json;

use crate::app::{App, Setup, picture_folder};

/// The screens, by the address behind `#` that the pages give them.
const SCREENS: [&str; 10] =
    ["welcome", "home", "data", "pipelines", "runs", "models", "deployments", "monitor", "settings", "audit"];
const THEMES: [&str; 2] = ["light", "dark"];
const SIZES: [(u32, u32); 2] = [(1280, 800), (900, 600)];

#[test]
#[ignore = "makes pictures to look at: `cargo xtask shots` runs it"]
fn every_screen() {
    let workspace = std::env::var_os("FETTLE_SHOTS_WORKSPACE").map(PathBuf::from);
    let app = App::start_with(Setup { workspace, ..Setup::default() });
    for (width, height) in SIZES {
        app.session().resize(width, height);
        for theme in THEMES {
            for screen in SCREENS {
                show(&app, screen, theme);
                app.screenshot(&picture_folder().join(format!("{screen}-{theme}-{width}x{height}.png")));
            }
        }
    }
}

fn show(app: &App, screen: &str, theme: &str) {
    const GO: &str =
        "document.documentElement.dataset.theme = arguments[1]; location.hash = '#/' + arguments[0]";
    app.session().script(GO, &[json!(screen), json!(theme)]).expect("the page goes there");
    // A screen that still waits after five seconds is a picture worth seeing too.
    const DRAWN: &str = "const done = arguments[0], late = Date.now() + 5000;
        const settled = () => document.querySelector('[aria-busy=true]') && Date.now() < late
          ? setTimeout(settled, 50)
          : requestAnimationFrame(() => requestAnimationFrame(() => done(true)));
        setTimeout(settled, 150)";
    app.session().script_async(DRAWN, &[]).expect("the screen is drawn");
}
