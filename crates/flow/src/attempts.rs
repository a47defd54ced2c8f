//! Trying a step again: when that may help, how long to wait before, and what is told about it.

use std::path::Path;
use std::time::{Duration, Instant};

use base::{Cancel, Code, Error, Result};
use serde::{Deserialize, Serialize};

use crate::child::Usage;
use crate::task::note;

/// The pause before the second try; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A try that failed and was followed by another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Try {
    /// Its number, from 1.
    pub number: u32,
    /// Why it failed.
    pub error: Error,
    /// What it used.
    pub usage: Usage,
    /// How long it took, ms.
    pub duration_ms: u64,
}

/// True if a step that failed like this may end well another time. What is wrong with parameters,
/// data or checks stays wrong.
pub fn may_help(error: &Error) -> bool {
    matches!(error.code, Code::StepFailed | Code::Unavailable)
}

/// The pause after so many tries.
pub fn pause_after(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_PAUSE)
}

impl Try {
    /// Writes to the log that it failed, and waits before the next one of `all`.
    ///
    /// # Errors
    /// [`Code::Cancelled`]; the log cannot be written.
    pub fn wait(&self, all: u32, log: &Path, cancel: &Cancel) -> Result<()> {
        let pause = pause_after(self.number);
        let seconds = base::number(pause.as_secs_f64(), 3);
        let next = self.number + 1;
        note(log, &format!("try {} of {all} failed: {}", self.number, self.error))?;
        note(log, &format!("try {next} of {all} begins in {seconds} s"))?;
        let started = Instant::now();
        while started.elapsed() < pause {
            if cancel.is_cancelled() {
                return Err(Error::cancelled());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let pauses: Vec<u128> = [1, 2, 3, 7, 8, 100].map(|tries| pause_after(tries).as_millis()).to_vec();
        assert_eq!(pauses, [500, 1000, 2000, 32_000, 60_000, 60_000]);
    }

    #[test]
    fn only_what_may_end_otherwise_is_tried_again() {
        assert!(may_help(&Error::new(Code::StepFailed, "exit code 1")));
        for code in [Code::InvalidInput, Code::GateFailed, Code::Cancelled, Code::DiskFull] {
            assert!(!may_help(&Error::new(code, "x")), "{code:?}");
        }
    }

    #[test]
    fn a_cancelled_pause_ends_at_once_and_the_log_has_the_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let cancel = Cancel::default();
        cancel.cancel();
        let error = Error::new(Code::StepFailed, "it broke");
        let tried = Try { number: 30, error, usage: Usage::default(), duration_ms: 1 };
        assert_eq!(tried.wait(31, &log, &cancel).expect_err("cancelled").code, Code::Cancelled);
        let written = std::fs::read_to_string(&log).expect("a log");
        assert_eq!(written, "[fettle] try 30 of 31 failed: it broke\n[fettle] try 31 of 31 begins in 60 s\n");
    }
}
