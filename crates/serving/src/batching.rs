//! Rows of several requests scored together. Nobody waits for a batch to fill: a request steps aside
//! once, so that those which are ready too can add their rows, and then scores all that is there.
//! Alone it costs a microsecond; under load a batch grows by itself.

use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use base::{Code, Error, Result};
use score::{Batch, Package, Predictions, Values};
use tokio::sync::oneshot;

/// So many requests may wait for one version; more are told to come back.
const WAITING: usize = 2048;

/// Requests of one version that wait to be scored.
#[derive(Debug, Default)]
pub struct Queue(Mutex<VecDeque<Waiting>>);

#[derive(Debug)]
struct Waiting {
    batch: Batch,
    answer: oneshot::Sender<Result<Predictions>>,
}

impl Queue {
    /// Scores a batch, together with others that are ready, at most `most_rows` at a time.
    ///
    /// # Errors
    /// As [`Package::predict`] for these rows alone; [`Code::Unavailable`] if too many wait.
    pub async fn predict(&self, package: &Package, batch: Batch, most_rows: usize) -> Result<Predictions> {
        let (answer, mut answered) = oneshot::channel();
        {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() >= WAITING {
                return Err(
                    Error::new(Code::Unavailable, "too many requests at once").hint("try again in a second")
                );
            }
            waiting.push_back(Waiting { batch, answer });
        }
        tokio::task::yield_now().await;
        loop {
            match answered.try_recv() {
                Ok(answer) => return answer,
                Err(oneshot::error::TryRecvError::Empty) => {}
                Err(oneshot::error::TryRecvError::Closed) => {
                    return Err(Error::internal("scoring broke off"));
                }
            }
            let taken = self.take(most_rows);
            if taken.is_empty() {
                // Somebody else has taken ours and is scoring it.
                return answered.await.unwrap_or_else(|_| Err(Error::internal("scoring broke off")));
            }
            score(package, taken);
        }
    }

    /// The first of those that wait, as far as they fit together.
    fn take(&self, most_rows: usize) -> Vec<Waiting> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<Waiting> = Vec::new();
        let mut rows = 0;
        while let Some(next) = waiting.front() {
            let fits = taken.is_empty()
                || (rows + next.batch.rows <= most_rows
                    && taken.first().is_some_and(|first| alike(&first.batch, &next.batch)));
            if !fits {
                break;
            }
            rows += next.batch.rows;
            taken.extend(waiting.pop_front());
        }
        taken
    }
}

fn score(package: &Package, taken: Vec<Waiting>) {
    let together = match taken.as_slice() {
        [_] => None,
        several => {
            let parts: Vec<usize> = several.iter().map(|one| one.batch.rows).collect();
            predict(package, &joined(several)).ok().and_then(|answer| split(answer, &parts))
        }
    };
    match together {
        Some(answers) => {
            for (one, answer) in taken.into_iter().zip(answers) {
                // Whoever asked may have gone.
                let _ = one.answer.send(Ok(answer));
            }
        }
        // One request with a wrong value must not fail the others.
        None => {
            for one in taken {
                let _ = one.answer.send(predict(package, &one.batch));
            }
        }
    }
}

fn predict(package: &Package, batch: &Batch) -> Result<Predictions> {
    // A fault of ours must not take those with it who wait for other rows.
    catch_unwind(AssertUnwindSafe(|| package.predict(batch)))
        .unwrap_or_else(|_| Err(Error::internal("scoring broke off")))
}

/// True if the rows of two batches can stand below each other.
fn alike(one: &Batch, other: &Batch) -> bool {
    one.columns.len() == other.columns.len()
        && one.columns.iter().zip(&other.columns).all(|((name, values), (other_name, other_values))| {
            name == other_name
                && mem::discriminant(values) == mem::discriminant(other_values)
                && values.len() * other.rows == other_values.len() * one.rows
        })
}

fn joined(several: &[Waiting]) -> Batch {
    let mut all = several[0].batch.clone();
    for one in &several[1..] {
        all.rows += one.batch.rows;
        for ((_, values), (_, more)) in all.columns.iter_mut().zip(&one.batch.columns) {
            match (values, more) {
                (Values::F64(values), Values::F64(more)) => values.extend_from_slice(more),
                (Values::F32(values), Values::F32(more)) => values.extend_from_slice(more),
                (Values::I64(values), Values::I64(more)) => values.extend_from_slice(more),
                (Values::Bool(values), Values::Bool(more)) => values.extend_from_slice(more),
                (Values::Text(values), Values::Text(more)) => values.extend_from_slice(more),
                // `alike` let only the same kinds come together.
                (Values::F64(_) | Values::F32(_) | Values::I64(_) | Values::Bool(_) | Values::Text(_), _) => {
                }
            }
        }
    }
    all
}

/// Gives each part its rows; none if the answer has not as many rows as was asked.
fn split(answer: Predictions, parts: &[usize]) -> Option<Vec<Predictions>> {
    if answer.rows != parts.iter().sum::<usize>() {
        return None;
    }
    let mut from = 0;
    let part = |rows: &usize| {
        let columns = answer.columns.iter().map(|(name, values)| {
            let width = values.len() / answer.rows.max(1);
            (name.clone(), cut(values, from * width, (from + rows) * width))
        });
        let columns = columns.collect();
        from += rows;
        Predictions { rows: *rows, columns }
    };
    Some(parts.iter().map(part).collect())
}

fn cut(values: &Values, from: usize, to: usize) -> Values {
    match values {
        Values::F64(values) => Values::F64(values[from..to].to_vec()),
        Values::F32(values) => Values::F32(values[from..to].to_vec()),
        Values::I64(values) => Values::I64(values[from..to].to_vec()),
        Values::Bool(values) => Values::Bool(values[from..to].to_vec()),
        Values::Text(values) => Values::Text(values[from..to].to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;

    fn package() -> Package {
        Package::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/penguins")).expect("loads")
    }

    fn row(length: f64, island: &str) -> Batch {
        let numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"];
        let numbers = numbers.into_iter().map(|name| (name.to_owned(), Values::F64(vec![length])));
        let text = ("island".to_owned(), Values::Text(vec![Some(island.to_owned())]));
        Batch { rows: 1, columns: numbers.chain([text]).collect() }
    }

    #[tokio::test]
    async fn rows_scored_together_get_the_answers_they_get_alone_and_a_wrong_one_fails_alone() {
        let (package, queue) = (Arc::new(package()), Arc::new(Queue::default()));
        let mut batches: Vec<Batch> = (0..200).map(|at| row(f64::from(at), "Dream")).collect();
        batches[17].columns.remove(0);
        batches[99].columns[1].1 = Values::Text(vec![Some("no number".to_owned())]);
        let tasks: Vec<_> = batches
            .iter()
            .cloned()
            .map(|batch| {
                let (package, queue) = (Arc::clone(&package), Arc::clone(&queue));
                tokio::spawn(async move { queue.predict(&package, batch, 64).await })
            })
            .collect();
        for (task, batch) in tasks.into_iter().zip(&batches) {
            assert_eq!(task.await.expect("ends"), package.predict(batch));
        }
        assert!(queue.0.lock().expect("free").is_empty());
    }

    #[test]
    fn a_batch_takes_no_more_rows_than_it_may_and_only_alike_ones() {
        let queue = Queue::default();
        let wait = |batch: Batch| {
            let (answer, _) = oneshot::channel();
            queue.0.lock().expect("free").push_back(Waiting { batch, answer });
        };
        (0..5).for_each(|at| wait(row(f64::from(at), "Dream")));
        let mut other = row(1.0, "Dream");
        other.columns.swap(0, 1);
        wait(other);
        wait(row(1.0, "Dream"));
        let sizes = [(); 5].map(|()| queue.take(3).len());
        assert_eq!(sizes, [3, 2, 1, 1, 0]);
    }
}
