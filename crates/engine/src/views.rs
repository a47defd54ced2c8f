//! What is expensive to find and cheap to show: tables filtered and sorted for the eye, and the
//! differences of two versions. The last few are kept, so that the next page of one costs nothing.

use std::sync::{Arc, Mutex, PoisonError};

use base::{Progress, Result};
use data::diff::{Diff, Options};
use data::view::{Order, View};
use store::datasets::DatasetVersion;

use crate::Engine;

/// How many of each kind are kept.
const KEPT: usize = 4;

/// What a table looks like through a condition and an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Look {
    /// The version's id.
    pub(crate) version: String,
    /// Rows for which this is true.
    pub(crate) condition: Option<String>,
    /// The columns to sort by.
    pub(crate) order: Vec<Order>,
}

/// Which versions were compared, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    /// The older version's id.
    pub(crate) from: String,
    /// The newer version's id.
    pub(crate) to: String,
    /// The columns that name a row.
    pub(crate) key: Vec<String>,
}

/// The last few results for a kind of question, the newest last.
#[derive(Debug)]
pub(crate) struct Recent<K, V>(Mutex<Vec<(K, Arc<V>)>>);

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    /// What was found before, or what `find` finds now. Nobody waits for the finding of another.
    pub(crate) fn get(&self, key: K, find: impl FnOnce(&K) -> Result<V>) -> Result<Arc<V>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().iter().find(|(own, _)| *own == key).map(|(_, found)| found.clone());
        if let Some(found) = known {
            return Ok(found);
        }
        let found = Arc::new(find(&key)?);
        let mut kept = lock();
        kept.retain(|(own, _)| *own != key);
        kept.push((key, found.clone()));
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
        Ok(found)
    }
}

impl Engine {
    /// A version through a condition and an order.
    pub(crate) fn view(
        &self,
        version: &DatasetVersion,
        condition: Option<&str>,
        order: &[Order],
    ) -> Result<Arc<View>> {
        let look = Look {
            version: version.id.to_string(),
            condition: condition.map(str::to_owned),
            order: order.to_vec(),
        };
        self.recent_views().get(look, |look| {
            let progress = Progress::silent();
            View::new(&self.table(version, &progress)?, look.condition.as_deref(), &look.order, &progress)
        })
    }

    /// What changed from one version to another.
    pub(crate) fn diff(
        &self,
        from: &DatasetVersion,
        to: &DatasetVersion,
        key: &[String],
        progress: &Progress,
    ) -> Result<Arc<Diff>> {
        let compared = Compared { from: from.id.to_string(), to: to.id.to_string(), key: key.to_vec() };
        self.recent_diffs().get(compared, |compared| {
            let (old, new) = (self.table(from, progress)?, self.table(to, progress)?);
            data::diff::diff(&old, &new, &Options { key: compared.key.clone() }, progress)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_few_are_kept_and_a_failure_is_not() {
        let recent = Recent::<u32, u32>::default();
        let fail = |_: &u32| Err(base::Error::cancelled());
        assert!(recent.get(0, fail).is_err());
        for key in 0..5 {
            assert_eq!(*recent.get(key, |key| Ok(key * 2)).expect("found"), key * 2);
        }
        assert_eq!(*recent.get(4, fail).expect("kept"), 8);
        assert!(recent.get(0, fail).is_err(), "the oldest went");
    }
}
