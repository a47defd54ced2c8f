//! The output of a program on its way into the step's log: as it comes, up to a limit; beyond that
//! only the end of it, with a line that says how much is left out.

use std::collections::VecDeque;
use std::io::{Read, Result, Write};

/// So much is written as it comes.
const HEAD_BYTES: usize = 8 << 20;
/// So much of the end is kept of what is more.
const TAIL_BYTES: usize = 1 << 20;
/// So much of the very end goes with an error.
const LAST_BYTES: usize = 4096;

/// How much of an output is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    head: usize,
    tail: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { head: HEAD_BYTES, tail: TAIL_BYTES }
    }
}

/// Copies an output to its end and gives back its last lines.
///
/// # Errors
/// The log cannot be written. The output is read to its end nevertheless, or its writer would hang.
pub fn copy(mut from: impl Read, to: impl Write, bounds: Bounds) -> Result<String> {
    let mut log = Log { to, bounds, written: 0, tail: VecDeque::new(), cut: 0, last: VecDeque::new() };
    let mut buffer = vec![0; 64 * 1024];
    let mut failure = Ok(());
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if failure.is_ok() {
            failure = log.add(&buffer[..read]);
        }
    }
    failure?;
    log.end()
}

struct Log<W> {
    to: W,
    bounds: Bounds,
    written: usize,
    tail: VecDeque<u8>,
    cut: usize,
    last: VecDeque<u8>,
}

impl<W: Write> Log<W> {
    fn add(&mut self, bytes: &[u8]) -> Result<()> {
        keep_end(&mut self.last, bytes, LAST_BYTES);
        let room = self.bounds.head - self.written;
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        self.to.write_all(now)?;
        self.to.flush()?;
        self.written += now.len();
        if !now.is_empty() && self.written == self.bounds.head {
            let (head, tail) = (base::bytes(self.bounds.head as u64), base::bytes(self.bounds.tail as u64));
            writeln!(self.to, "\n[fettle] that was {head}; of what follows, the last {tail} are kept")?;
        }
        self.cut += keep_end(&mut self.tail, later, self.bounds.tail);
        Ok(())
    }

    fn end(mut self) -> Result<String> {
        if self.cut > 0 {
            writeln!(self.to, "[fettle] {} are left out here", base::bytes(self.cut as u64))?;
        }
        self.to.write_all(self.tail.make_contiguous())?;
        self.to.flush()?;
        Ok(String::from_utf8_lossy(self.last.make_contiguous()).into_owned())
    }
}

/// Adds bytes, keeps the last so many, and says how many went.
fn keep_end(kept: &mut VecDeque<u8>, bytes: &[u8], limit: usize) -> usize {
    let from = bytes.len().saturating_sub(limit);
    let over = (kept.len() + bytes.len() - from).saturating_sub(limit);
    kept.drain(..over);
    kept.extend(&bytes[from..]);
    from + over
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn copied(input: &[u8], head: usize, tail: usize) -> (String, String) {
        let mut log = Vec::new();
        let last = copy(input, &mut log, Bounds { head, tail }).expect("memory takes all");
        (String::from_utf8_lossy(&log).into_owned(), last)
    }

    #[test]
    fn a_short_output_is_the_log_to_the_byte() {
        assert_eq!(copied(b"one\ntwo: 50%\rtwo: 100", 100, 10).0, "one\ntwo: 50%\rtwo: 100");
        assert_eq!(copied(b"", 100, 10).0, "");
    }

    #[test]
    fn a_long_output_keeps_both_ends_and_says_what_is_left_out() {
        let input = format!("{}{}{}", "a".repeat(20), "b".repeat(1000), "c".repeat(10));
        let (log, last) = copied(input.as_bytes(), 20, 10);
        assert!(log.starts_with(&"a".repeat(20)) && log.ends_with(&"c".repeat(10)), "{log}");
        assert!(
            log.contains("[fettle] 1,000 B are left out here") || log.contains("are left out here"),
            "{log}"
        );
        assert!(!log.contains("bb") && last.contains("bb"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_made_up_within_the_bounds(
            input in proptest::collection::vec(b'a'..=b'z', 0..400), head in 1_usize..100, tail in 1_usize..100
        ) {
            let mut log = Vec::new();
            copy(&input[..], &mut log, Bounds { head, tail }).expect("memory takes all");
            prop_assert!(log.starts_with(&input[..head.min(input.len())]));
            let rest = input.len().saturating_sub(head).min(tail);
            prop_assert!(log.ends_with(&input[input.len() - rest..]));
            let is_cut = input.len() > head + tail;
            prop_assert_eq!(String::from_utf8_lossy(&log).contains("left out"), is_cut);
        }
    }
}
