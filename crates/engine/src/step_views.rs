//! Steps of runs as the screens show them: what they took and gave, their logs, their files.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use base::{Error, Result};
use flow::attempts::Try;
use serde_json::Value;
use store::runs::Run;
use store::steps::{self, StepRun, StepState as StoredStepState};

use crate::Engine;
use crate::commands::runs::{FileView, LogPage, StepRunView, StepState, TryView};
use crate::run_views::{Told, is_good};

/// A log is handed out in pieces of at most this many bytes.
const LOG_PIECE_BYTES: u64 = 256 * 1024;
/// Files of an output that are listed; more are counted only.
const FILES_SHOWN: usize = 1000;

impl Told {
    /// A step of the run.
    pub(crate) fn step_view(&self, row: &StepRun, now: i64) -> StepRunView {
        let stage: Option<base::Stage> = serde_json::from_value(row.summary["stage"].clone()).ok();
        let stage = stage.filter(|_| row.state == StoredStepState::Running);
        let started = row.started_at.map(base::Timestamp::as_ms);
        let ended = row.finished_at.map_or(now, base::Timestamp::as_ms);
        let outputs = if is_good(row.state) {
            row.outputs.as_object().map(|map| map.keys().cloned().collect())
        } else {
            None
        };
        StepRunView {
            step: row.step_id.clone(),
            kind: row.kind.clone(),
            state: step_state(row.state),
            reasons: serde_json::from_value(row.reason.clone()).unwrap_or_default(),
            progress: stage.as_ref().and_then(flow::execute::share_done),
            stage: stage.map(|stage| stage.name),
            started_at: started,
            duration_ms: started.map(|started| ended - started),
            cpu_ms: row.cpu_ms,
            max_memory_bytes: row.max_rss_bytes,
            input_bytes: self.input_bytes(&row.step_id),
            output_bytes: row.outputs.as_object().map(|all| all.values().map(bytes_of).sum()),
            tries: tries_of(row),
            metrics: self.metrics.get(&row.step_id).cloned().unwrap_or_default(),
            environment: serde_json::from_value(row.summary["environment"].clone()).unwrap_or_default(),
            error: row.error.clone().map(Into::into),
            summary: row.summary["text"].as_str().map(str::to_owned),
            outputs: outputs.unwrap_or_default(),
        }
    }

    /// Bytes of all artifacts that are wired to a step; none while one of them is not there.
    fn input_bytes(&self, step: &str) -> Option<u64> {
        let declared = self.pipeline.steps.iter().find(|one| one.id == step)?;
        let wires = declared.inputs.values().flatten();
        let bytes = wires.map(|wire| {
            let outputs = &self.row(&wire.step)?.outputs;
            outputs.get(&wire.port).map(bytes_of)
        });
        bytes.sum()
    }
}

fn bytes_of(artifact: &Value) -> u64 {
    artifact["bytes"].as_u64().unwrap_or(0)
}

fn tries_of(row: &StepRun) -> Vec<TryView> {
    let tries: Vec<Try> = serde_json::from_value(row.summary["tries"].clone()).unwrap_or_default();
    let view = |one: Try| TryView {
        number: one.number,
        error: one.error.into(),
        duration_ms: one.duration_ms,
        cpu_ms: one.usage.cpu_ms,
        max_memory_bytes: one.usage.max_memory_bytes,
    };
    tries.into_iter().map(view).collect()
}

fn step_state(state: StoredStepState) -> StepState {
    match state {
        StoredStepState::Pending | StoredStepState::Queued => StepState::Pending,
        StoredStepState::Running => StepState::Running,
        StoredStepState::Cached => StepState::Cached,
        StoredStepState::Done => StepState::Done,
        StoredStepState::Failed => StepState::Failed,
        StoredStepState::Blocked | StoredStepState::Skipped => StepState::Blocked,
        StoredStepState::Cancelled => StepState::Cancelled,
        StoredStepState::Interrupted => StepState::Interrupted,
    }
}

impl Engine {
    /// A piece of a log: of a step, or of all steps one after the other.
    pub(crate) fn run_log(&self, run: &Run, step: Option<&str>, offset: u64) -> Result<LogPage> {
        let rows = self.store().read(|db| steps::list(db, &run.id))?;
        let folder = self.store().run_dir(&run.id);
        let (piece, is_rest) = match step {
            Some(step) => {
                let row = rows.iter().find(|row| row.step_id == step);
                row.ok_or_else(|| Error::not_found(format!("run {} has no step `{step}`", run.number)))?;
                piece_of(&folder.join(format!("{step}.log")), offset)?
            }
            None => {
                let mut text = Vec::new();
                for row in &rows {
                    let log = read_log(&folder.join(format!("{}.log", row.step_id)))?;
                    let lines = String::from_utf8_lossy(&log);
                    text.extend(
                        lines.lines().flat_map(|line| format!("[{}] {line}\n", row.step_id).into_bytes()),
                    );
                }
                let from = (offset as usize).min(text.len());
                let to = from.saturating_add(LOG_PIECE_BYTES as usize).min(text.len());
                (text[from..to].to_vec(), to == text.len())
            }
        };
        let is_over = run.state.is_final() && is_rest;
        let whole = if is_over { piece.len() } else { whole_characters(&piece) };
        Ok(LogPage {
            text: String::from_utf8_lossy(&piece[..whole]).into_owned(),
            next_offset: offset + whole as u64,
            is_complete: is_over,
        })
    }
}

/// Bytes before a character of which the rest has not come yet.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(e) if e.error_len().is_none() => e.valid_up_to(),
        // Bytes that are no text at all are shown as such.
        _ => match bytes.utf8_chunks().last() {
            Some(last) if (1..4).contains(&last.invalid().len()) && is_begun(last.invalid()) => {
                bytes.len() - last.invalid().len()
            }
            _ => bytes.len(),
        },
    }
}

/// True for the first bytes of a character.
fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|e| e.valid_up_to() == 0 && e.error_len().is_none())
}

/// A piece of a file from a byte on, and whether it ends with the file. Only the piece is read.
fn piece_of(path: &Path, offset: u64) -> Result<(Vec<u8>, bool)> {
    let failed = |e: std::io::Error| Error::io("read", path, &e);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), true)),
        Err(e) => return Err(failed(e)),
    };
    let size = file.metadata().map_err(failed)?.len();
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut piece = Vec::new();
    file.take(LOG_PIECE_BYTES).read_to_end(&mut piece).map_err(failed)?;
    let is_rest = offset + piece.len() as u64 >= size;
    Ok((piece, is_rest))
}

fn read_log(path: &Path) -> Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Error::io("read", path, &e)),
    }
}

/// The files of an artifact by their path in it, in order.
pub(crate) fn files_in(folder: &Path) -> Result<Vec<FileView>> {
    let mut files = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).map_err(|e| Error::io("list", &at, &e))? {
            let entry = entry.map_err(|e| Error::io("list", &at, &e))?;
            let (path, found) = (entry.path(), entry.metadata());
            let found = found.map_err(|e| Error::io("look at", &path, &e))?;
            if found.is_dir() {
                waiting.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.push(FileView { path: name, bytes: found.len() });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files.truncate(FILES_SHOWN);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_a_log_ends_between_characters() {
        let text = "größe".as_bytes();
        let ends: Vec<usize> = (0..=text.len()).map(|to| whole_characters(&text[..to])).collect();
        assert_eq!(ends, [0, 1, 2, 2, 4, 4, 6, 7]);
        assert_eq!(whole_characters(b"abc\xff"), 4, "what is no text is not waited for");
        assert_eq!(whole_characters(b"a\xffb\xc3"), 3);
    }

    #[test]
    fn a_piece_of_a_file_is_read_from_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        assert_eq!(piece_of(&path, 0).expect("nothing yet"), (Vec::new(), true));
        std::fs::write(&path, vec![b'x'; LOG_PIECE_BYTES as usize + 5]).expect("can be written");
        let (first, is_rest) = piece_of(&path, 0).expect("readable");
        assert_eq!((first.len() as u64, is_rest), (LOG_PIECE_BYTES, false));
        let (rest, is_rest) = piece_of(&path, LOG_PIECE_BYTES).expect("readable");
        assert_eq!((rest.len(), is_rest), (5, true));
        assert_eq!(piece_of(&path, 1 << 30).expect("beyond"), (Vec::new(), true));
    }
}
