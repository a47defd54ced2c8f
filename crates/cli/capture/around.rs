//! What is around a command: its code in git, its packages, its user. All of it is asked of programs
//! that may not be there; what they do not say is left out.

use std::path::Path;
use std::process::Command;

use serde_json::json;

/// The largest difference that is kept.
const MOST_DIFF_BYTES: usize = 16 << 20;
/// What is asked of Python: its version and every package with its own.
const PACKAGES: &str = "import sys, platform, importlib.metadata as m\n\
    print('python==' + platform.python_version(), '#', sys.executable)\n\
    print('\\n'.join(sorted({f\"{d.metadata['Name']}=={d.version}\" for d in m.distributions()}, key=str.lower)))";

/// The code as git knows it.
#[derive(Debug, Default)]
pub struct CodeState {
    /// The commit.
    pub commit: Option<String>,
    /// The branch.
    pub branch: Option<String>,
    /// Where it comes from, without names and passwords.
    pub origin: Option<String>,
    /// What differs from the commit, if anything.
    pub diff: Option<Vec<u8>>,
    /// Files that git does not know.
    pub untracked: Vec<String>,
}

impl CodeState {
    /// As tags of a run.
    pub fn tags(&self) -> Vec<(String, String)> {
        let all = [
            ("mlflow.source.git.commit", &self.commit),
            ("mlflow.source.git.branch", &self.branch),
            ("mlflow.source.git.repoURL", &self.origin),
        ];
        all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect()
    }
}

/// The code in a folder.
pub fn code(folder: &Path) -> CodeState {
    let git = |words: &[&str]| {
        let answer = Command::new("git").arg("-C").arg(folder).args(words).output().ok()?;
        answer.status.success().then_some(answer.stdout)
    };
    let line = |words: &[&str]| {
        let text = String::from_utf8_lossy(&git(words)?).trim().to_owned();
        (!text.is_empty()).then_some(text)
    };
    let Some(commit) = line(&["rev-parse", "HEAD"]) else { return CodeState::default() };
    let untracked = line(&["ls-files", "--others", "--exclude-standard"]).unwrap_or_default();
    let diff = git(&["diff", "HEAD", "--binary", "--no-color", "--no-ext-diff"]);
    CodeState {
        commit: Some(commit),
        branch: line(&["rev-parse", "--abbrev-ref", "HEAD"]),
        origin: line(&["config", "--get", "remote.origin.url"]).map(|url| without_password(&url)),
        diff: diff.filter(|diff| !diff.is_empty() && diff.len() <= MOST_DIFF_BYTES),
        untracked: untracked.lines().take(1_000).map(str::to_owned).collect(),
    }
}

/// An address without the name and password in it.
fn without_password(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or(host);
            format!("{scheme}://{host}/{path}")
        }
        None => url.to_owned(),
    }
}

/// A command as one would type it.
pub fn command_line(words: &[String]) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    let quoted = |word: &String| match word.chars().all(plain) && !word.is_empty() {
        true => word.clone(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// What is known of a command before it starts. Of the environment only what says how Python and
/// numbers behave: the rest may hold secrets.
pub fn about(words: &[String], folder: &Path, code: &CodeState) -> Vec<u8> {
    let told =
        ["CONDA_DEFAULT_ENV", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "PYTHONHASHSEED", "VIRTUAL_ENV"];
    let environment: std::collections::BTreeMap<_, _> =
        told.iter().filter_map(|name| Some((*name, std::env::var(name).ok()?))).collect();
    let about = json!({
        "command": words,
        "folder": folder.to_string_lossy(),
        "system": format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        "fettle": env!("CARGO_PKG_VERSION"),
        "processors": std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        "environment": environment,
        "commit": code.commit,
        "isChanged": code.diff.is_some(),
        "untracked": code.untracked,
    });
    format!("{about:#}\n").into_bytes()
}

/// The packages of the Python that a command starts, if it starts one.
pub fn packages(words: &[String]) -> Option<Vec<u8>> {
    let program = words.first()?;
    let name = Path::new(program).file_stem()?.to_string_lossy().to_lowercase();
    if !name.starts_with("python") {
        return None;
    }
    let answer = Command::new(program).args(["-c", PACKAGES]).output().ok()?;
    answer.status.success().then_some(answer.stdout)
}

/// Who runs it.
pub fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_written_as_one_would_type_it() {
        let words = ["python", "train.py", "--lr=0.1", "a b", "it's", ""].map(str::to_owned);
        assert_eq!(command_line(&words), r"python train.py --lr=0.1 'a b' 'it'\''s' ''");
    }

    #[test]
    fn an_address_is_told_without_its_password() {
        for (url, told) in [
            ("https://ada:secret@host/a/b.git", "https://host/a/b.git"),
            ("git@host:a/b.git", "git@host:a/b.git"),
            ("https://host/a", "https://host/a"),
        ] {
            assert_eq!(without_password(url), told);
        }
    }
}
