//! Work on many independent things, such as the columns of a table, on a few threads. Each result
//! has its place, so the order of work changes nothing.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use base::{Error, Result};

/// The results of `work` for 0, 1, … `count` - 1, in that order. After a failure no new work
/// starts, and the failure of the lowest number is returned.
pub(crate) fn each<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<Option<Result<T>>>> = Mutex::new((0..count).map(|_| None).collect());
    let run = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return;
            }
            let made = work(at);
            if made.is_err() {
                next.store(count, Ordering::Relaxed);
            }
            done.lock().unwrap_or_else(PoisonError::into_inner)[at] = Some(made);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(count) {
            scope.spawn(run);
        }
        run();
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What was not begun stands behind a failure, or before one that came first on another thread.
    let failed = done.iter().flatten().find_map(|made| made.as_ref().err().cloned());
    match failed {
        Some(error) => Err(error),
        None => done.into_iter().map(|made| made.unwrap_or_else(|| Err(Error::cancelled()))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_their_places_and_a_failure_ends_the_work() {
        assert_eq!(each(100, 2, Ok).expect("nothing fails"), (0..100).collect::<Vec<_>>());
        assert_eq!(each(0, 2, Ok).expect("nothing to do"), Vec::<usize>::new());
        let failed = each(1000, 2, |at| if at == 7 { Err(Error::invalid("seven")) } else { Ok(at) });
        assert_eq!(failed.expect_err("seven").message, "seven");
    }
}
