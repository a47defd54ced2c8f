//! The arguments of `fettle-desktop`: a workspace, files to open, and a way out of a blank window.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base::{Error, Result};

/// What the window was started with.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// The folder of the workspace, when one was named.
    pub workspace: Option<PathBuf>,
    /// Draw without the graphics card.
    pub safe_rendering: bool,
    /// Files handed over by the file manager or the command line, as absolute paths.
    pub files: Vec<PathBuf>,
}

/// Reads the arguments; `FETTLE_WORKSPACE` stands in for `--workspace`.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Args> {
    let mut args = read(arguments)?;
    if args.workspace.is_none() {
        args.workspace = std::env::var_os("FETTLE_WORKSPACE")
            .filter(|value| !value.is_empty())
            .map(|value| absolute(&value.into()));
    }
    Ok(args)
}

fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Args> {
    let mut args = Args::default();
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--workspace") => {
                let folder = arguments.next().ok_or_else(|| {
                    Error::invalid("`--workspace` needs a folder").hint("write `--workspace FOLDER`")
                })?;
                args.workspace = Some(absolute(&folder.into()));
            }
            Some("--safe-rendering") => args.safe_rendering = true,
            // macOS passes a process serial number to programs started from the Finder.
            Some(text) if text.starts_with("-psn_") => {}
            Some(text) if text.starts_with("--") => {
                return Err(Error::invalid(format!("unknown argument `{text}`"))
                    .hint("the arguments are `--workspace FOLDER`, `--safe-rendering` and files"));
            }
            _ => args.files.push(file(&argument)),
        }
    }
    Ok(args)
}

/// Some file managers pass a `file:` address where a path is expected.
fn file(argument: &OsString) -> PathBuf {
    let address = argument.to_str().and_then(|text| tauri::Url::parse(text).ok());
    match address.filter(|url| url.scheme() == "file").and_then(|url| url.to_file_path().ok()) {
        Some(path) => path,
        None => absolute(&PathBuf::from(argument)),
    }
}

/// A relative path is meant from where the program was started, which only this process knows.
fn absolute(path: &PathBuf) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| Path::new(path).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(words: &[&str]) -> Result<Args> {
        read(words.iter().map(OsString::from))
    }

    #[test]
    fn a_workspace_and_files_are_told_apart() {
        let args = read_all(&["--workspace", "/data/w", "/tmp/a b.csv", "--safe-rendering"]).expect("valid");
        assert_eq!(args.workspace.as_deref(), Some(Path::new("/data/w")));
        assert_eq!(args.files, [PathBuf::from("/tmp/a b.csv")]);
        assert!(args.safe_rendering);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_address_becomes_a_path() {
        assert_eq!(
            read_all(&["file:///tmp/a%20b.csv"]).expect("valid").files,
            [PathBuf::from("/tmp/a b.csv")]
        );
    }

    #[test]
    fn a_relative_file_becomes_absolute() {
        assert!(read_all(&["penguins.csv"]).expect("valid").files[0].is_absolute());
    }

    #[test]
    fn a_wrong_argument_is_named() {
        let error = read_all(&["--wrokspace", "x"]).expect_err("unknown");
        assert!(error.message.contains("--wrokspace"), "{error}");
        assert!(read_all(&["--workspace"]).expect_err("no folder").message.contains("needs a folder"));
    }
}
