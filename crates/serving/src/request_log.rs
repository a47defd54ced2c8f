//! The request log: what went in, what came out, for monitors to read. One thread appends to
//! `requests-<unix day>.jsonl`; a request hands its line over and never waits. What the disk
//! cannot take is dropped and counted.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::{Error, Result};
use score::{Batch, Predictions, Values};
use serde_json::Value as Json;

use crate::metrics::LogCounts;

/// A file is left for the next one at this size.
const FILE_BYTES: u64 = 64 << 20;
/// So many bytes may wait for the disk.
const QUEUE_BYTES: usize = 16 << 20;
/// Written lines reach the file at least so often.
const FLUSH: Duration = Duration::from_millis(200);
const DAY_MS: i64 = 86_400_000;

/// What is logged of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// So many of 100 answered requests. Those that failed are all logged.
    pub share_pct: u8,
    /// Columns whose values are left out.
    pub redacted: BTreeSet<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { share_pct: 100, redacted: BTreeSet::new() }
    }
}

/// Where requests hand their lines over.
#[derive(Debug, Clone)]
pub struct RequestLog {
    lines: Sender<Line>,
    waiting: Arc<AtomicUsize>,
    answered: Arc<AtomicU64>,
    policy: Arc<Policy>,
    counts: Arc<LogCounts>,
}

/// The thread that writes; it ends when every [`RequestLog`] is dropped.
#[derive(Debug)]
pub struct Writer(JoinHandle<()>);

#[derive(Debug)]
struct Line {
    t: i64,
    text: String,
}

/// What is logged of one request.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// When it was answered, in milliseconds since the epoch.
    pub t: i64,
    /// The id that the client gave or got.
    pub id: &'a str,
    /// The model's version.
    pub version: &'a str,
    /// How long it took.
    pub took: Duration,
}

impl RequestLog {
    /// Opens the log in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// If the folder cannot be made or written.
    pub fn open(folder: &Path, policy: Policy, counts: Arc<LogCounts>) -> Result<(Self, Writer)> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, &error))?;
        let now = base::Clock::system().now().as_ms();
        let first = LogFile::open(folder, now.div_euclid(DAY_MS))
            .map_err(|error| Error::io("write the request log in", folder, &error))?;
        let (lines, received) = channel();
        let log = Self {
            lines,
            waiting: Arc::default(),
            answered: Arc::default(),
            policy: Arc::new(policy),
            counts,
        };
        let (waiting, counts, folder) =
            (Arc::clone(&log.waiting), Arc::clone(&log.counts), folder.to_owned());
        let writer = std::thread::Builder::new()
            .name("request-log".to_owned())
            .spawn(move || write_all(&received, &folder, first, &waiting, &counts))
            .map_err(|error| Error::internal("cannot start the thread of the request log").because(error))?;
        Ok((log, Writer(writer)))
    }

    /// Logs a scored batch, if it is one of those that are.
    pub fn scored(&self, entry: Entry<'_>, batch: &Batch, answer: &Predictions) {
        // As with the shares of versions: exactly so many of every 100, far apart.
        let place = (self.answered.fetch_add(1, Ordering::Relaxed) % 100) * 61 % 100;
        if place >= u64::from(self.policy.share_pct) {
            return;
        }
        let redacted = &self.policy.redacted;
        self.hand_over(entry.t, || {
            let mut line = entry.open();
            line.push_str(&format!(",\"n\":{},\"in\":", batch.rows));
            push_columns(&mut line, &batch.columns, batch.rows, redacted);
            line.push_str(",\"out\":");
            push_columns(&mut line, &answer.columns, answer.rows, redacted);
            line
        });
    }

    /// Logs a request that failed.
    pub fn failed(&self, entry: Entry<'_>, status: u16, message: &str) {
        // A message may quote the value that was wrong.
        let is_secret = self.policy.redacted.iter().any(|name| message.contains(name.as_str()));
        let message = if is_secret { "the message names a column that is left out" } else { message };
        self.hand_over(entry.t, || {
            let mut line = entry.open();
            line.push_str(&format!(",\"error\":{},\"status\":{status}", Json::from(message)));
            line
        });
    }

    fn hand_over(&self, t: i64, write: impl FnOnce() -> String) {
        if self.waiting.load(Ordering::Relaxed) > QUEUE_BYTES {
            self.counts.logged(false);
            return;
        }
        let mut text = write();
        text.push_str("}\n");
        self.waiting.fetch_add(text.len(), Ordering::Relaxed);
        if self.lines.send(Line { t, text }).is_err() {
            self.counts.logged(false);
        }
    }
}

impl Entry<'_> {
    fn open(&self) -> String {
        let ms = self.took.as_secs_f64() * 1e3;
        format!(
            "{{\"t\":{},\"id\":{},\"v\":{},\"ms\":{ms:.3}",
            self.t,
            Json::from(self.id),
            Json::from(self.version)
        )
    }
}

impl Writer {
    /// Waits until everything handed over is in the file.
    pub fn join(self) {
        // A panic of the writer was printed when it happened; nothing more can be saved here.
        let _ = self.0.join();
    }
}

fn push_columns(line: &mut String, columns: &[(String, Values)], rows: usize, redacted: &BTreeSet<String>) {
    line.push('{');
    for (at, (name, values)) in columns.iter().filter(|(name, _)| !redacted.contains(name)).enumerate() {
        if at > 0 {
            line.push(',');
        }
        line.push_str(&Json::from(name.as_str()).to_string());
        line.push_str(":[");
        let width = values.len() / rows.max(1);
        for row in 0..rows {
            if row > 0 {
                line.push(',');
            }
            if width == 1 {
                line.push_str(&values.json(row).to_string());
            } else {
                let items = (row * width..(row + 1) * width).map(|at| values.json(at));
                line.push_str(&Json::Array(items.collect()).to_string());
            }
        }
        line.push(']');
    }
    line.push('}');
}

fn write_all(
    lines: &Receiver<Line>,
    folder: &Path,
    first: LogFile,
    waiting: &AtomicUsize,
    counts: &LogCounts,
) {
    let mut file = Some(first);
    let mut flushed = Instant::now();
    loop {
        match lines.recv_timeout(FLUSH.saturating_sub(flushed.elapsed())) {
            Ok(line) => {
                waiting.fetch_sub(line.text.len(), Ordering::Relaxed);
                let written = append(&mut file, folder, &line);
                if written.is_err() {
                    // Opened anew with the next line: the disk may have room again by then.
                    file = None;
                }
                counts.logged(written.is_ok());
                if flushed.elapsed() < FLUSH {
                    continue;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if file.as_mut().is_some_and(|file| file.to.flush().is_err()) {
            file = None;
        }
        flushed = Instant::now();
    }
    if let Some(mut file) = file {
        // The last lines: whether they arrive is all that can be done for them.
        let _ = file.to.flush();
    }
}

fn append(file: &mut Option<LogFile>, folder: &Path, line: &Line) -> io::Result<()> {
    let day = line.t.div_euclid(DAY_MS);
    if file.as_ref().is_none_or(|file| file.day != day || file.size >= FILE_BYTES) {
        if let Some(mut old) = file.take() {
            old.to.flush()?;
        }
        *file = Some(LogFile::open(folder, day)?);
    }
    let Some(file) = file else { return Ok(()) };
    file.to.write_all(line.text.as_bytes())?;
    file.size += line.text.len() as u64;
    Ok(())
}

#[derive(Debug)]
struct LogFile {
    day: i64,
    size: u64,
    to: BufWriter<File>,
}

impl LogFile {
    /// The newest file of a day that has room, or a new one.
    fn open(folder: &Path, day: i64) -> io::Result<Self> {
        for part in 0_u32.. {
            let path = Self::path(folder, day, part);
            // Nothing after this part: it is the newest.
            let is_newest = !Self::path(folder, day, part + 1).try_exists()?;
            if !is_newest {
                continue;
            }
            let mut file = OpenOptions::new().create(true).read(true).append(true).open(&path)?;
            let size = file.metadata()?.len();
            if size >= FILE_BYTES {
                OpenOptions::new().create(true).append(true).open(Self::path(folder, day, part + 1))?;
                continue;
            }
            let mut to = BufWriter::new(file.try_clone()?);
            if size > 0 && !ends_with_newline(&mut file)? {
                // A killed process left half a line: what follows must not become part of it.
                to.write_all(b"\n")?;
            }
            return Ok(Self { day, size, to });
        }
        Err(io::Error::other("the request log has too many parts"))
    }

    fn path(folder: &Path, day: i64, part: u32) -> PathBuf {
        folder.join(if part == 0 {
            format!("requests-{day}.jsonl")
        } else {
            format!("requests-{day}.{part}.jsonl")
        })
    }
}

/// True if the last byte of a file that has some is the end of a line.
pub fn ends_with_newline(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_line_of_a_killed_process_stays_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = LogFile::path(folder.path(), 7, 0);
        std::fs::write(&path, "{\"t\":1}\n{\"t\":2,\"i").expect("writes");
        let mut file = LogFile::open(folder.path(), 7).expect("opens");
        file.to.write_all(b"{\"t\":3}\n").expect("writes");
        file.to.flush().expect("flushes");
        assert_eq!(std::fs::read_to_string(path).expect("reads"), "{\"t\":1}\n{\"t\":2,\"i\n{\"t\":3}\n");
    }

    #[test]
    fn a_full_file_is_left_for_the_next_part() {
        let folder = tempfile::tempdir().expect("a folder");
        let full = File::create(LogFile::path(folder.path(), 7, 0)).expect("creates");
        full.set_len(FILE_BYTES).expect("grows");
        LogFile::open(folder.path(), 7).expect("opens");
        assert!(LogFile::path(folder.path(), 7, 1).exists());
        LogFile::open(folder.path(), 7).expect("opens");
        assert!(!LogFile::path(folder.path(), 7, 2).exists());
    }

    #[test]
    fn lines_are_in_the_file_once_the_log_is_joined() {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, writer) =
            RequestLog::open(folder.path(), Policy::default(), Arc::default()).expect("opens");
        let entry = Entry { t: 7 * DAY_MS, id: "a\"b", version: "3", took: Duration::from_micros(1500) };
        let batch = Batch { rows: 2, columns: vec![("x".to_owned(), Values::F64(vec![1.0, f64::NAN]))] };
        let answer =
            Predictions { rows: 2, columns: vec![("p".to_owned(), Values::F32(vec![0.1, 0.2, 0.3, 0.4]))] };
        log.scored(entry, &batch, &answer);
        drop(log);
        writer.join();
        let text = std::fs::read_to_string(LogFile::path(folder.path(), 7, 0)).expect("reads");
        assert_eq!(
            text,
            "{\"t\":604800000,\"id\":\"a\\\"b\",\"v\":\"3\",\"ms\":1.500,\"n\":2,\"in\":{\"x\":[1.0,null]},\
             \"out\":{\"p\":[[0.1,0.2],[0.3,0.4]]}}\n"
        );
    }

    #[test]
    fn only_the_share_is_logged_and_a_redacted_column_is_nowhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let policy = Policy { share_pct: 10, redacted: BTreeSet::from(["name".to_owned()]) };
        let (log, writer) = RequestLog::open(folder.path(), policy, Arc::default()).expect("opens");
        let entry = Entry { t: 0, id: "a", version: "3", took: Duration::ZERO };
        let column = |name: &str, text: &str| (name.to_owned(), Values::Text(vec![Some(text.to_owned())]));
        let batch = Batch { rows: 1, columns: vec![column("name", "Ada"), column("town", "London")] };
        for _ in 0..200 {
            log.scored(entry, &batch, &Predictions::default());
        }
        log.failed(entry, 400, "the column `name`, row 1: `Ada` is no number");
        log.failed(entry, 400, "the column `town` is missing");
        drop(log);
        writer.join();
        let text = std::fs::read_to_string(LogFile::path(folder.path(), 0, 0)).expect("reads");
        assert_eq!(text.matches("London").count(), 20);
        assert!(!text.contains("Ada"), "{text}");
        assert!(text.contains("`town` is missing"));
    }
}
