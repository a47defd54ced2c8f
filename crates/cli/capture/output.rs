//! What a command says: passed on as it comes, and kept.

use std::fs::File;
use std::io::{Read, Write as _};
use std::sync::{Mutex, PoisonError};

use base::{Error, Result};
use tempfile::NamedTempFile;

/// What is kept of it; all is passed on.
const MOST_BYTES: u64 = 64 << 20;

/// What a command said so far.
pub struct Said {
    file: NamedTempFile,
    kept: Mutex<u64>,
}

impl Said {
    /// Nothing yet.
    pub fn new() -> Result<Self> {
        let file =
            NamedTempFile::new().map_err(|e| Error::internal("cannot make a file for a log").because(e))?;
        Ok(Self { file, kept: Mutex::new(0) })
    }

    /// Passes on all that comes, to standard error or to standard output.
    pub fn pass_on(&self, from: Option<impl Read>, to_stderr: bool) {
        let Some(mut from) = from else { return };
        let mut buffer = vec![0; 64 << 10];
        // A pipe that breaks has ended.
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let bytes = &buffer[..count];
            // Who reads us may have gone away; the command goes on, and its log is kept.
            let _ = match to_stderr {
                true => std::io::stderr().write_all(bytes),
                false => std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()),
            };
            self.keep(bytes);
        }
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut file: &File = self.file.as_file();
        let left = MOST_BYTES.saturating_sub(*kept);
        if left == 0 {
            return;
        }
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        // A full disk must not stop the command: its log ends there.
        let _ = file.write_all(&bytes[..count]);
        *kept += count as u64;
        if *kept == MOST_BYTES {
            let _ = file.write_all(b"\n[the log ends here; the command said more]\n");
        }
    }

    /// The file with what was said.
    pub fn into_file(self) -> NamedTempFile {
        self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_kept_up_to_a_limit() {
        let said = Said::new().expect("a file");
        said.pass_on(Some(&b"one\n"[..]), true);
        *said.kept.lock().expect("not poisoned") = MOST_BYTES - 2;
        said.keep(b"twothree");
        said.keep(b"never");
        let text = std::fs::read_to_string(said.into_file().path()).expect("it is there");
        assert_eq!(text, "one\ntw\n[the log ends here; the command said more]\n");
    }
}
