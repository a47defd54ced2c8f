//! What is different between two states of code: a commit each, with changes that were not committed.
//! The changes are put onto the commits in memory; the repository is only read.

use std::path::Path;

use base::{Code, Error, Result};
use git2::{Diff, DiffFormat, ErrorCode, Index, Oid, Patch, Repository};

/// Code as it was when a run began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeState<'a> {
    /// The full id of the commit.
    pub commit: &'a str,
    /// What was changed since, as `git diff --binary` says it; empty for nothing.
    pub patch: &'a [u8],
}

/// The difference of two states in the form of `git diff`, without files below any of the folders
/// `except`; `None` if the repository around `folder` does not have both commits, or if there is none.
///
/// # Errors
/// [`Code::Corrupt`] if a patch does not fit its commit, [`Code::Unavailable`] if the repository cannot
/// be read.
pub fn between(folder: &Path, from: CodeState, to: CodeState, except: &[&str]) -> Result<Option<String>> {
    let fail = |e: git2::Error| {
        Error::new(Code::Unavailable, format!("cannot read the git repository of `{}`", folder.display()))
            .because(e.message())
    };
    let repository = match Repository::discover(folder) {
        Ok(repository) => repository,
        Err(e) if e.code() == ErrorCode::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    // Files with changes are objects for as long as this looks at them; none is written to the disk.
    repository.odb().and_then(|odb| odb.add_new_mempack_backend(1_000).map(drop)).map_err(fail)?;
    let (Some(old), Some(new)) = (index(&repository, from)?, index(&repository, to)?) else {
        return Ok(None);
    };
    let diff = repository.diff_index_to_index(&old, &new, None).map_err(fail)?;
    text(&diff, except).map(Some).map_err(fail)
}

/// All files of a state; `None` if its commit is not there.
fn index(repository: &Repository, state: CodeState) -> Result<Option<Index>> {
    let commit = Oid::from_str(state.commit).and_then(|id| repository.find_commit(id));
    let Ok(tree) = commit.and_then(|commit| commit.tree()) else { return Ok(None) };
    let misfit = |e: git2::Error| {
        Error::new(Code::Corrupt, format!("the changes of a run do not fit its commit `{}`", state.commit))
            .because(e.message())
    };
    if state.patch.is_empty() {
        let mut index = Index::new().map_err(misfit)?;
        index.read_tree(&tree).map_err(misfit)?;
        return Ok(Some(index));
    }
    let patch = Diff::from_buffer(state.patch).map_err(misfit)?;
    repository.apply_to_tree(&tree, &patch, None).map(Some).map_err(misfit)
}

fn text(diff: &Diff, except: &[&str]) -> std::result::Result<String, git2::Error> {
    let mut text = Vec::new();
    diff.print(DiffFormat::Patch, |delta, _, line| {
        let path = delta.new_file().path().or_else(|| delta.old_file().path());
        if path.is_some_and(|path| except.iter().any(|folder| path.starts_with(folder))) {
            return true;
        }
        if let '+' | '-' | ' ' = line.origin() {
            text.extend_from_slice(line.origin().encode_utf8(&mut [0; 4]).as_bytes());
        }
        text.extend_from_slice(line.content());
        true
    })?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The difference of two texts that both stand for the file `name`; empty if they are the same.
///
/// # Errors
/// [`Code::Internal`] when memory runs out.
pub fn of_texts(name: &str, from: &[u8], to: &[u8]) -> Result<String> {
    if from == to {
        return Ok(String::new());
    }
    let path = Path::new(name);
    let written =
        Patch::from_buffers(from, Some(path), to, Some(path), None).and_then(|mut patch| patch.to_buf());
    let written = written.map_err(|e| Error::internal("cannot compare two texts").because(e.message()))?;
    Ok(String::from_utf8_lossy(&written).into_owned())
}

#[cfg(test)]
mod tests {
    use base::Timestamp;

    use super::*;
    use crate::git::Git;

    #[test]
    fn changes_that_were_not_committed_count_and_nothing_is_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let git = Git::open_or_create(folder.path()).expect("can be made");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        let commit = || git.commit_all("more", Timestamp(0)).expect("committed").id;
        write("train.py", "depth = 3\nrate = 0.1\n");
        let first = commit();
        write("other.py", "seed = 1\n");
        let second = commit();
        let patch = b"diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1,2 +1,2 @@\n-depth = 3\n+depth = 9\n rate = 0.1\n";
        let nowhere = "0".repeat(40);
        let state = |commit, patch| CodeState { commit, patch };
        let objects = || walk(&folder.path().join(".git/objects"));
        let before = objects();
        let ask = |from, to, except: &[&str]| between(folder.path(), from, to, except).expect("compared");
        let text = ask(state(&first, &[]), state(&second, patch), &[]).expect("both are there");
        assert!(text.contains("-depth = 3\n+depth = 9\n rate = 0.1\n"), "{text}");
        assert!(text.contains("+seed = 1\n"), "{text}");
        let text = ask(state(&first, patch), state(&second, patch), &[]).expect("both are there");
        assert!(
            !text.contains("depth") && text.contains("+seed = 1\n"),
            "the same change is no difference: {text}"
        );
        assert_eq!(ask(state(&first, &[]), state(&second, &[]), &["other.py"]), Some(String::new()));
        assert_eq!(ask(state(&first, &[]), state(&nowhere, &[]), &[]), None, "a commit that is not there");
        assert_eq!(objects(), before, "the repository is as it was");
        let misfit = between(folder.path(), state(&second, b"no patch"), state(&first, &[]), &[]);
        let other = b"diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1,1 +1,1 @@\n-deep = 3\n+deep = 9\n";
        let wrong = between(folder.path(), state(&first, other), state(&second, &[]), &[]);
        assert!([misfit, wrong].iter().all(|one| one.as_ref().is_err_and(|e| e.code == Code::Corrupt)));
    }

    fn walk(folder: &Path) -> usize {
        let entries =
            std::fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable").path());
        entries.map(|path| if path.is_dir() { walk(&path) } else { 1 }).sum()
    }

    #[test]
    fn texts_differ_line_by_line() {
        let text = of_texts("a.toml", b"depth = 3\nrate = 1\n", b"depth = 4\nrate = 1\n").expect("compared");
        assert!(text.contains("-depth = 3\n+depth = 4\n rate = 1\n"), "{text}");
        assert_eq!(of_texts("a.toml", b"x", b"x"), Ok(String::new()));
    }
}
