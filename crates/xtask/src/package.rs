//! `cargo xtask package`: installers with all three programs in them.

use std::path::{Path, PathBuf};

use crate::process::{self, cargo, node_tool, output, root, run, target};
use crate::{Result, pages, setup};

/// What to build.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// Only the .deb.
    is_deb_only: bool,
    /// Only the programs that go beside the window: something else calls the bundler.
    is_programs_only: bool,
    /// For another system than this one.
    target: Option<String>,
}

pub fn package(words: &[String]) -> Result<()> {
    let options = read(words)?;
    setup::window()?;
    pages::build()?;
    build_programs(options.target.as_deref())?;
    if options.is_programs_only {
        return Ok(());
    }
    let mut build = node_tool("npx", &["--yes", "@tauri-apps/cli@2.12", "build", "--ci"]);
    build.args(["--config", "tauri.bundle.conf.json"]).current_dir(root().join("src-tauri"));
    if options.is_deb_only {
        build.args(["--bundles", "deb"]);
    }
    if let Some(target) = &options.target {
        build.args(["--target", target]);
    }
    run(build)?;
    println!("installers are in {}", release(options.target.as_deref()).join("bundle").display());
    Ok(())
}

fn read(words: &[String]) -> Result<Options> {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--deb" => options.is_deb_only = true,
            "--programs" => options.is_programs_only = true,
            "--target" => options.target = Some(words.next().ok_or("`--target` needs a system")?.clone()),
            other => {
                return Err(format!("unknown option `{other}`; there are --deb, --programs and --target"));
            }
        }
    }
    Ok(options)
}

/// The bundler takes programs from `src-tauri/bin`, under a name that ends with the system's.
fn build_programs(wanted: Option<&str>) -> Result<()> {
    let mut build = cargo(&["build", "--release", "--package", "fettle", "--package", "serving"]);
    if let Some(wanted) = wanted {
        build.args(["--target", wanted]);
    }
    run(build)?;
    let system = match wanted {
        Some(wanted) => wanted.to_owned(),
        None => this_system()?,
    };
    let folder = root().join("src-tauri/bin");
    std::fs::create_dir_all(&folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let suffix = if system.contains("windows") { ".exe" } else { "" };
    for name in ["fettle", "fettle-serve"] {
        copy(
            &release(wanted).join(format!("{name}{suffix}")),
            &folder.join(format!("{name}-{system}{suffix}")),
        )?;
    }
    Ok(())
}

fn this_system() -> Result<String> {
    let rustc = output(process::command("rustc", &["-vV"]))?;
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "`rustc -vV` names no host".into())
}

fn release(wanted: Option<&str>) -> PathBuf {
    wanted.map_or_else(|| target().to_owned(), |wanted| target().join(wanted)).join("release")
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).map(drop).map_err(|error| format!("cannot copy `{}`: {error}", from.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_wrong_ones_named() {
        let read_all =
            |words: &[&str]| read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let options = read_all(&["--programs", "--target", "x86_64-apple-darwin"]).expect("valid");
        assert_eq!(
            (options.is_programs_only, options.target.as_deref()),
            (true, Some("x86_64-apple-darwin"))
        );
        assert!(read_all(&["--rpm"]).expect_err("unknown").contains("--rpm"));
        assert!(read_all(&["--target"]).expect_err("no system").contains("needs a system"));
    }
}
