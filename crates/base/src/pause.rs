//! Pauses of a loop that waits for something without being told of it.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// Pauses that begin short and grow by half each time up to a longest one: what ends soon is noticed at
/// once, and what takes long is asked seldom.
#[derive(Debug, Clone)]
pub struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    /// The first pause where nothing else is said.
    const FIRST: Duration = Duration::from_micros(200);

    /// Pauses up to this one, for a look that costs next to nothing.
    pub fn up_to(longest: Duration) -> Self {
        Self::between(Self::FIRST, longest)
    }

    /// Pauses from the first to the longest.
    pub fn between(first: Duration, longest: Duration) -> Self {
        Self { next: first.min(longest), longest }
    }

    /// Waits for the length of the next pause.
    pub fn wait(&mut self) {
        std::thread::sleep(self.take());
    }

    /// Waits for the length of the next pause, or until whoever holds the other end drops it: that is a
    /// sign that what is waited for comes now, so that the pauses begin anew, once.
    pub fn wait_for(&mut self, sign: &mut Option<Receiver<()>>) {
        let pause = self.take();
        let Some(waited) = sign else { return std::thread::sleep(pause) };
        if waited.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
            *sign = None;
            self.next = Self::FIRST.min(self.longest);
        }
    }

    fn take(&mut self) -> Duration {
        let now = self.next;
        self.next = (now + now / 2).min(self.longest);
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_no_further() {
        let mut pauses = Pauses::up_to(Duration::from_millis(10));
        let taken: Vec<Duration> = (0..20).map(|_| pauses.take()).collect();
        assert_eq!(taken[..2], [Duration::from_micros(200), Duration::from_micros(300)]);
        assert!(taken.is_sorted());
        assert_eq!(taken[19], Duration::from_millis(10));
        assert_eq!(Pauses::up_to(Duration::from_micros(50)).take(), Duration::from_micros(50));
    }

    #[test]
    fn a_sign_ends_a_pause_and_is_used_up() {
        let (told, sign) = std::sync::mpsc::channel();
        let mut pauses = Pauses::between(Duration::from_secs(60), Duration::from_secs(60));
        let mut sign = Some(sign);
        drop(told);
        pauses.wait_for(&mut sign);
        assert!(sign.is_none(), "a pause of a minute would have outlasted the test");
        assert_eq!(pauses.take(), Pauses::FIRST);
    }
}
