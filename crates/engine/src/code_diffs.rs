//! What is different in the code of two runs: the pipelines as they ran, and the files of their
//! commits with what was changed since.

use std::path::PathBuf;

use base::{Code, Error, Result};
use flow::code_states::{self, CodeState};
use store::runs::Run;
use store::tracking::script_runs;

use crate::Engine;
use crate::commands::comparing::CodeDiff;
use crate::runs_beside::{CHANGES, COMMIT_TAG};

/// Bytes of a difference that are shown: nobody reads more.
const MOST_BYTES: usize = 1 << 20;
/// Pipelines are compared as they ran, not as they were committed.
const PIPELINES: &str = "pipelines";

/// The code of a run, as far as it was written down.
struct CodeOf {
    /// The pipeline's file as it ran; empty for a script.
    pipeline: Vec<u8>,
    commit: Option<String>,
    /// What was changed since the commit.
    patch: Vec<u8>,
    /// Where its repository was.
    folder: Option<PathBuf>,
}

impl CodeOf {
    fn state(&self) -> Option<CodeState<'_>> {
        self.commit.as_deref().map(|commit| CodeState { commit, patch: &self.patch })
    }
}

impl Engine {
    /// What is different in the code of two runs.
    pub(crate) fn code_between(&self, from: &Run, to: &Run) -> Result<CodeDiff> {
        let (old, new) = (self.code_of(from)?, self.code_of(to)?);
        let name = if to.pipeline.is_empty() { &from.pipeline } else { &to.pipeline };
        let mut text =
            code_states::of_texts(&format!("{PIPELINES}/{name}.toml"), &old.pipeline, &new.pipeline)?;
        let mut notes = Vec::new();
        for (run, code) in [(from, &old), (to, &new)] {
            if code.commit.is_none() {
                notes.push(format!("Run {} wrote no commit down.", run.number));
            }
        }
        if let (Some(one), Some(other)) = (old.state(), new.state()) {
            match between([&new, &old], one, other)? {
                Ok(found) => text.push_str(&found),
                Err(note) => {
                    notes.push(note);
                    text.push_str(&code_states::of_texts(CHANGES, &old.patch, &new.patch)?);
                }
            }
        }
        let is_cut = text.len() > MOST_BYTES;
        text.truncate(text.floor_char_boundary(MOST_BYTES));
        Ok(CodeDiff { text, is_cut, notes })
    }

    fn code_of(&self, run: &Run) -> Result<CodeOf> {
        if !run.pipeline.is_empty() {
            let project = self.store().read(|db| store::projects::get(db, &run.project_id))?;
            let text = run.pipeline_digest.as_ref().map(|digest| self.store().objects().read(digest));
            return Ok(CodeOf {
                pipeline: text.transpose()?.unwrap_or_default(),
                commit: run.git_commit.clone(),
                patch: Vec::new(),
                folder: Some(self.store().project_dir(&project.slug)),
            });
        }
        let about = self.command_of(run)?.unwrap_or_default();
        Ok(CodeOf {
            pipeline: Vec::new(),
            commit: self.store().read(|db| script_runs::tag(db, &run.id, COMMIT_TAG))?,
            patch: self.text_of(run, CHANGES)?.unwrap_or_default(),
            folder: about["folder"].as_str().map(PathBuf::from),
        })
    }
}

/// The difference of two states in a repository that has both; else why there is none.
fn between(
    codes: [&CodeOf; 2],
    from: CodeState,
    to: CodeState,
) -> Result<std::result::Result<String, String>> {
    if from == to {
        return Ok(Ok(String::new()));
    }
    for folder in codes.iter().filter_map(|code| code.folder.as_deref()) {
        match code_states::between(folder, from, to, &[PIPELINES]) {
            Ok(Some(text)) => return Ok(Ok(text)),
            Ok(None) => {}
            Err(error) if matches!(error.code, Code::Corrupt | Code::Unavailable) => {
                return Ok(Err(sentence(&error)));
            }
            Err(error) => return Err(error),
        }
    }
    let short = |commit: &str| commit.chars().take(8).collect::<String>();
    let (one, other) = (short(from.commit), short(to.commit));
    Ok(Err(match one == other {
        true => format!(
            "Commit {one} is in no repository that is on this disk: compared is only what was changed since."
        ),
        false => format!(
            "Commits {one} and {other} are not in one repository on this disk: compared is only what was changed since."
        ),
    }))
}

fn sentence(error: &Error) -> String {
    let mut letters = error.message.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
