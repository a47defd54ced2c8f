//! Starting other programs, with failures that name what was started.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use crate::Result;

/// The folder of the repository: the one Cargo runs us from, since two clones may share a build folder
/// and so this very program.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let package = package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        package.ancestors().nth(2).expect("the crate lies two folders deep").to_path_buf()
    })
}

/// Where builds go, as Cargo sees it.
pub fn target() -> &'static Path {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    TARGET.get_or_init(|| {
        let metadata = output(cargo(&["metadata", "--no-deps", "--format-version", "1"]));
        let metadata: Option<serde_json::Value> =
            metadata.ok().and_then(|text| serde_json::from_str(&text).ok());
        let folder = metadata.as_ref().and_then(|metadata| metadata["target_directory"].as_str());
        folder.map_or_else(|| root().join("target"), PathBuf::from)
    })
}

/// What we make for ourselves and never commit: a Python environment, Node tools, a workspace.
pub fn private_folder() -> PathBuf {
    root().join(".fettle")
}

/// A command in the folder of the repository.
pub fn command(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root());
    command
}

/// Cargo, the same one that runs us.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), arguments);
    forget_package(&mut command);
    command
}

/// Takes away what Cargo said about our own package: a Cargo further down must not hear of it.
pub fn forget_package(command: &mut Command) {
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
}

/// npm and npx are scripts on Windows, which only the shell starts.
pub fn node_tool(name: &str, arguments: &[&str]) -> Command {
    if cfg!(windows) { command(format!("{name}.cmd"), arguments) } else { command(name, arguments) }
}

/// Runs it, showing what it prints.
pub fn run(mut command: Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("cannot start {}: {error}", words(&command)))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", words(&command))) }
}

/// Runs it, and gives back what it printed.
pub fn output(mut command: Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("cannot start {}: {error}", words(&command)))?;
    printed(&command, output)
}

/// What a program that has ended printed, or what it said about its failure.
pub fn printed(command: &Command, output: Output) -> Result<String> {
    let Output { status, stdout, stderr } = output;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    Err(format!("{} failed ({status})\n{}", words(command), String::from_utf8_lossy(&stderr).trim()))
}

/// Whether a program of this name can be started.
pub fn is_found(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| {
        folder.join(program).is_file()
            || folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)).is_file()
    })
}

/// The command as one would type it.
pub fn words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    format!("`{}`", words.join(" "))
}
