//! A project's git repository: made, looked at, committed to. Network is not its matter.

use std::path::{Path, PathBuf};

use base::{Code, Error, Result, Timestamp};
use git2::{ErrorCode, IndexAddOption, Oid, Repository, RepositoryInitOptions, Signature, StatusOptions};

/// A project's repository.
pub struct Git {
    repository: Repository,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its full id.
    pub id: String,
    /// Its message.
    pub message: String,
    /// The author's name.
    pub author: String,
    /// When it was made.
    pub at: Timestamp,
}

impl Git {
    /// Opens the repository of a project's folder, and makes one if there is none.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the folder cannot be written or holds something git cannot read.
    pub fn open_or_create(folder: &Path) -> Result<Self> {
        let fail = |e: git2::Error| unavailable("open the git repository of", folder, &e);
        let repository = match Repository::open(folder) {
            Ok(repository) => repository,
            Err(e) if e.code() == ErrorCode::NotFound => {
                let mut options = RepositoryInitOptions::new();
                options.initial_head("main");
                Repository::init_opts(folder, &options).map_err(fail)?
            }
            Err(e) => return Err(fail(e)),
        };
        // Left alone, libgit2 does not sync what it writes, and a power cut can empty a commit.
        let mut config = repository.config().map_err(fail)?;
        if !config.get_bool("core.fsyncObjectFiles").unwrap_or(false) {
            config.set_bool("core.fsyncObjectFiles", true).map_err(fail)?;
        }
        Ok(Self { repository })
    }

    /// The branch that commits go to.
    pub fn branch(&self) -> String {
        match self
            .repository
            .find_reference("HEAD")
            .ok()
            .and_then(|head| head.symbolic_target().ok().flatten().map(str::to_owned))
        {
            Some(name) => name.trim_start_matches("refs/heads/").to_owned(),
            None => "detached".to_owned(),
        }
    }

    /// Files that differ from the last commit, in the order of names.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the repository cannot be read.
    pub fn changed(&self) -> Result<Vec<String>> {
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true);
        let statuses =
            self.repository.statuses(Some(&mut options)).map_err(|e| self.fail("read the status of", &e))?;
        let mut files: Vec<String> =
            statuses.iter().filter_map(|status| status.path().ok().map(str::to_owned)).collect();
        files.sort();
        Ok(files)
    }

    /// Commits these files as they are now (removed ones as removed), and nothing else. Without a
    /// difference there is no new commit, and the last one is given back.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the repository cannot be written.
    pub fn commit(&self, files: &[&Path], message: &str, at: Timestamp) -> Result<Commit> {
        let fail = |e: git2::Error| self.fail("commit to", &e);
        let mut index = self.repository.index().map_err(fail)?;
        let folder = self.folder();
        for file in files {
            if folder.join(file).exists() {
                index.add_path(file).map_err(fail)?;
            } else {
                index.remove_all([file], None).map_err(fail)?;
            }
        }
        self.commit_index(&mut index, message, at)
    }

    /// Commits everything that differs.
    ///
    /// # Errors
    /// As [`Git::commit`].
    pub fn commit_all(&self, message: &str, at: Timestamp) -> Result<Commit> {
        let fail = |e: git2::Error| self.fail("commit to", &e);
        let mut index = self.repository.index().map_err(fail)?;
        index.add_all(["*"], IndexAddOption::DEFAULT, None).map_err(fail)?;
        index.update_all(["*"], None).map_err(fail)?;
        self.commit_index(&mut index, message, at)
    }

    fn commit_index(&self, index: &mut git2::Index, message: &str, at: Timestamp) -> Result<Commit> {
        let fail = |e: git2::Error| self.fail("commit to", &e);
        index.write().map_err(fail)?;
        let tree_id = index.write_tree().map_err(fail)?;
        let parent = self.head()?;
        if let Some(parent) = &parent
            && parent.tree_id() == tree_id
        {
            return Ok(described(parent));
        }
        let tree = self.repository.find_tree(tree_id).map_err(fail)?;
        let who = self.signature(at)?;
        let parents: Vec<&git2::Commit> = parent.iter().collect();
        let id = self.repository.commit(Some("HEAD"), &who, &who, message, &tree, &parents).map_err(fail)?;
        Ok(described(&self.repository.find_commit(id).map_err(fail)?))
    }

    /// The last commit, if there is one.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the repository cannot be read.
    pub fn last(&self) -> Result<Option<Commit>> {
        Ok(self.head()?.as_ref().map(described))
    }

    /// The last commit that changed a file, among the newest 1,000.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the repository cannot be read.
    pub fn last_of(&self, file: &Path) -> Result<Option<Commit>> {
        Ok(self.log_of(file, 1)?.into_iter().next())
    }

    /// The text of a file in the last commit, if it is there.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the repository cannot be read.
    pub fn text_of(&self, file: &Path) -> Result<Option<String>> {
        let Some(commit) = self.head()? else { return Ok(None) };
        self.text_in(&commit, file)
    }

    /// A commit by its id, the beginning of it, or a name that git knows, such as `main~2`.
    ///
    /// # Errors
    /// [`Code::NotFound`] if there is none, or several.
    pub fn find(&self, name: &str) -> Result<Commit> {
        self.commit_named(name).map(|commit| described(&commit))
    }

    fn commit_named(&self, name: &str) -> Result<git2::Commit<'_>> {
        let found = self.repository.revparse_single(name).and_then(|object| object.peel_to_commit());
        found.map_err(|e| {
            Error::not_found(format!("there is no commit `{}`", name.escape_debug()))
                .because(e.message())
                .hint("give the first digits of a commit's id")
        })
    }

    /// The text of a file in a commit, if it is there: see [`Git::find`].
    ///
    /// # Errors
    /// [`Code::NotFound`] if there is no such commit; [`Code::Unavailable`] if the repository cannot
    /// be read.
    pub fn text_at(&self, name: &str, file: &Path) -> Result<Option<String>> {
        self.text_in(&self.commit_named(name)?, file)
    }

    /// The newest commits that changed a file, newest first: at most `limit`, among the newest 1,000.
    ///
    /// # Errors
    /// [`Code::Unavailable`] if the repository cannot be read.
    pub fn log_of(&self, file: &Path, limit: usize) -> Result<Vec<Commit>> {
        let blob = |commit: &git2::Commit| -> Option<Oid> {
            commit.tree().ok()?.get_path(file).ok().map(|entry| entry.id())
        };
        let mut found = Vec::new();
        let mut next = self.head()?;
        for _ in 0..1000 {
            let Some(commit) = next.filter(|_| found.len() < limit) else { break };
            let parent = commit.parent(0).ok();
            if blob(&commit) != parent.as_ref().and_then(blob) {
                found.push(described(&commit));
            }
            next = parent;
        }
        Ok(found)
    }

    fn text_in(&self, commit: &git2::Commit<'_>, file: &Path) -> Result<Option<String>> {
        let tree = commit.tree().map_err(|e| self.fail("read", &e))?;
        let Ok(entry) = tree.get_path(file) else { return Ok(None) };
        let blob = self.repository.find_blob(entry.id()).map_err(|e| self.fail("read", &e))?;
        Ok(Some(String::from_utf8_lossy(blob.content()).into_owned()))
    }

    fn head(&self) -> Result<Option<git2::Commit<'_>>> {
        match self.repository.head() {
            Ok(head) => head.peel_to_commit().map(Some).map_err(|e| self.fail("read", &e)),
            Err(e) if matches!(e.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => Ok(None),
            Err(e) => Err(self.fail("read", &e)),
        }
    }

    /// The identity git is set up with, or a neutral one on a machine that has none.
    fn signature(&self, at: Timestamp) -> Result<Signature<'static>> {
        let config = self.repository.config().map_err(|e| self.fail("read the settings of", &e))?;
        let name = config.get_string("user.name").unwrap_or_else(|_| "Fettle".to_owned());
        let email = config.get_string("user.email").unwrap_or_else(|_| "fettle@localhost".to_owned());
        let time = git2::Time::new(at.as_ms().div_euclid(1000), 0);
        Signature::new(&name, &email, &time).map_err(|e| {
            self.fail("sign a commit in", &e).hint("set user.name and user.email with `git config`")
        })
    }

    fn folder(&self) -> PathBuf {
        self.repository.workdir().map_or_else(PathBuf::new, Path::to_owned)
    }

    fn fail(&self, action: &str, error: &git2::Error) -> Error {
        unavailable(action, &self.folder(), error)
    }
}

fn described(commit: &git2::Commit) -> Commit {
    Commit {
        id: commit.id().to_string(),
        message: String::from_utf8_lossy(commit.message_bytes()).trim().to_owned(),
        author: String::from_utf8_lossy(commit.author().name_bytes()).into_owned(),
        at: Timestamp(commit.time().seconds() * 1000),
    }
}

fn unavailable(action: &str, folder: &Path, error: &git2::Error) -> Error {
    let shown = format!("cannot {action} `{}`", folder.display());
    match error.code() {
        ErrorCode::Locked => Error::new(Code::Unavailable, shown)
            .hint("another git command works there: wait for it, or remove a stale `.git/index.lock`"),
        _ => Error::new(Code::Unavailable, shown),
    }
    .because(error.message())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_files_are_committed_and_only_when_they_differ() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let git = Git::open_or_create(folder.path()).expect("can be made");
        assert_eq!((git.branch(), git.last().expect("readable")), ("main".to_owned(), None));
        std::fs::write(folder.path().join("a.toml"), "a").expect("can be written");
        std::fs::write(folder.path().join("b.toml"), "b").expect("can be written");
        let first = git.commit(&["a.toml".as_ref()], "Add a", Timestamp(1_000)).expect("can commit");
        assert_eq!(git.changed().expect("readable"), ["b.toml"]);
        let again = git.commit(&["a.toml".as_ref()], "Again", Timestamp(2_000)).expect("can commit");
        assert_eq!(again, first, "nothing differs");
        std::fs::remove_file(folder.path().join("a.toml")).expect("is there");
        let second = git.commit(&["a.toml".as_ref()], "Remove a", Timestamp(3_000)).expect("can commit");
        assert_eq!(git.last_of("a.toml".as_ref()).expect("readable"), Some(second));
        assert_eq!(git.text_of("a.toml".as_ref()).expect("readable"), None);
    }

    #[test]
    fn a_file_is_found_as_it_was_in_each_commit_that_changed_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let git = Git::open_or_create(folder.path()).expect("can be made");
        for (number, file) in ["a.toml", "b.toml", "a.toml"].into_iter().enumerate() {
            std::fs::write(folder.path().join(file), number.to_string()).expect("can be written");
            git.commit(&[file.as_ref()], &format!("{number}"), Timestamp(number as i64)).expect("can commit");
        }
        let log = git.log_of("a.toml".as_ref(), 10).expect("readable");
        assert_eq!(log.iter().map(|commit| commit.message.as_str()).collect::<Vec<_>>(), ["2", "0"]);
        let at = |name: &str| git.text_at(name, "a.toml".as_ref()).map(|text| text.unwrap_or_default());
        assert_eq!((at(&log[0].id), at(&log[1].id[..10])), (Ok("2".to_owned()), Ok("0".to_owned())));
        assert_eq!(at("main~1"), Ok("0".to_owned()));
        assert_eq!(git.text_at(&log[1].id, "b.toml".as_ref()), Ok(None));
        assert_eq!(at("0123456789").map_err(|e| e.code), Err(Code::NotFound));
    }
}
