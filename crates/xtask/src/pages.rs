//! The pages in `ui`: installing what they need, and building them.

use std::path::Path;

use crate::Result;
use crate::process::{node_tool, root, run};

/// `npm ci`, unless exactly these packages are installed.
pub fn install() -> Result<()> {
    let lock = root().join("ui/package-lock.json");
    let installed = root().join("ui/node_modules/.package-lock.json");
    if !lock.exists() {
        return Err("`ui/package-lock.json` is missing: run `npm install` in `ui` and commit it".into());
    }
    if is_newer(&installed, &lock) { Ok(()) } else { npm(&["ci", "--no-audit", "--no-fund"]) }
}

/// Builds the pages that the window and the daemon show.
pub fn build() -> Result<()> {
    npm(&["run", "--silent", "build"])
}

/// npm in the folder of the pages.
pub fn npm(arguments: &[&str]) -> Result<()> {
    let mut npm = node_tool("npm", arguments);
    npm.current_dir(root().join("ui"));
    run(npm)
}

fn is_newer(one: &Path, other: &Path) -> bool {
    let changed = |path: &Path| path.metadata().and_then(|metadata| metadata.modified()).ok();
    matches!((changed(one), changed(other)), (Some(one), Some(other)) if one >= other)
}
