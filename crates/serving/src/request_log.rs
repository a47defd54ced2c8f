//! The request log: what went in, what came out, for monitors to read. One thread appends to
//! `requests-<unix day>.jsonl`; a request hands its line over and never waits. What the disk
//! cannot take is dropped and counted.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::{Error, Result};
use score::{Batch, Predictions, Values};
use serde_json::Value as Json;

use crate::metrics::Metrics;

/// A file is left for the next one at this size.
const FILE_BYTES: u64 = 64 << 20;
/// So many bytes may wait for the disk.
const QUEUE_BYTES: usize = 16 << 20;
/// Written lines reach the file at least so often.
const FLUSH: Duration = Duration::from_millis(200);
const DAY_MS: i64 = 86_400_000;

/// Where requests hand their lines over.
#[derive(Debug, Clone)]
pub struct RequestLog {
    lines: Sender<Line>,
    waiting: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
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
    pub fn open(folder: &Path, metrics: Arc<Metrics>) -> Result<(Self, Writer)> {
        std::fs::create_dir_all(folder).map_err(|error| Error::io("make the folder", folder, &error))?;
        let now = base::Clock::system().now().as_ms();
        let first = LogFile::open(folder, now.div_euclid(DAY_MS))
            .map_err(|error| Error::io("write the request log in", folder, &error))?;
        let (lines, received) = channel();
        let log = Self { lines, waiting: Arc::default(), metrics };
        let (waiting, metrics, folder) =
            (Arc::clone(&log.waiting), Arc::clone(&log.metrics), folder.to_owned());
        let writer = std::thread::Builder::new()
            .name("request-log".to_owned())
            .spawn(move || write_all(&received, &folder, first, &waiting, &metrics))
            .map_err(|error| Error::internal("cannot start the thread of the request log").because(error))?;
        Ok((log, Writer(writer)))
    }

    /// Logs a scored batch.
    pub fn scored(&self, entry: Entry<'_>, batch: &Batch, answer: &Predictions) {
        self.hand_over(entry.t, || {
            let mut line = entry.open();
            line.push_str(&format!(",\"n\":{},\"in\":", batch.rows));
            push_columns(&mut line, &batch.columns, batch.rows);
            line.push_str(",\"out\":");
            push_columns(&mut line, &answer.columns, answer.rows);
            line
        });
    }

    /// Logs a request that failed.
    pub fn failed(&self, entry: Entry<'_>, status: u16, message: &str) {
        self.hand_over(entry.t, || {
            let mut line = entry.open();
            line.push_str(&format!(",\"error\":{},\"status\":{status}", Json::from(message)));
            line
        });
    }

    fn hand_over(&self, t: i64, write: impl FnOnce() -> String) {
        if self.waiting.load(Ordering::Relaxed) > QUEUE_BYTES {
            self.metrics.logged(false);
            return;
        }
        let mut text = write();
        text.push_str("}\n");
        self.waiting.fetch_add(text.len(), Ordering::Relaxed);
        if self.lines.send(Line { t, text }).is_err() {
            self.metrics.logged(false);
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

fn push_columns(line: &mut String, columns: &[(String, Values)], rows: usize) {
    line.push('{');
    for (at, (name, values)) in columns.iter().enumerate() {
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
    metrics: &Metrics,
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
                metrics.logged(written.is_ok());
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

fn ends_with_newline(file: &mut File) -> io::Result<bool> {
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
        let metrics = Arc::new(Metrics::default());
        let (log, writer) = RequestLog::open(folder.path(), metrics).expect("opens");
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
}
