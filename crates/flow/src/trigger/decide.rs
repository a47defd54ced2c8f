//! What a trigger does about what it sees. It is given the time and what is there now, and remembers
//! what it needs in a state that is written down; so it misses nothing while Fettle does not run, and
//! tests need no clock.
//!
//! A change counts once it has settled: five files that come one after the other are one change. What
//! happens while the pipeline works waits, and is one run afterwards.

use base::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Missed, On, Trigger};

/// A time of a schedule is missed if it is noticed later than this.
const LATE_MS: i64 = 60_000;

/// What a trigger has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct State {
    /// What was there when the pipeline ran last, or when the trigger began to look.
    pub mark: Option<String>,
    /// A change that has not settled yet, and since when it is as it is, in ms.
    pub changing: Option<(String, i64)>,
    /// Up to when the clock was looked at, in ms.
    pub looked_ms: Option<i64>,
    /// Why the pipeline is to run as soon as it does not work.
    pub pending: Option<String>,
}

/// What is there now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Tells one state of the thing from another: a number of a version, a stamp of a file.
    pub mark: Option<String>,
    /// What the change means, in words.
    pub why: String,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Wait,
    /// Run the pipeline, for this reason.
    Run(String),
    /// Write down that this was left out.
    Skip(String),
}

impl State {
    /// Takes what is there now and says what is to be done. `is_busy` if the pipeline works.
    pub fn look(
        &mut self,
        trigger: &Trigger,
        on: &On,
        seen: &Seen,
        now: Timestamp,
        is_busy: bool,
    ) -> Decision {
        let skipped = match on {
            On::Schedule(..) => self.look_at_clock(trigger, on, now),
            On::Dataset(_) | On::Path(_) | On::After(_) | On::Drift(_) => {
                self.look_at_thing(trigger, on, seen, now);
                None
            }
        };
        if let Some(skipped) = skipped {
            return Decision::Skip(skipped);
        }
        match self.pending.take() {
            Some(why) if is_busy => {
                self.pending = Some(why);
                Decision::Wait
            }
            Some(why) => Decision::Run(why),
            None => Decision::Wait,
        }
    }

    /// Takes what is there now as known: what happens to a paused trigger counts for nothing.
    pub fn forget(&mut self, seen: &Seen, now: Timestamp) {
        *self = Self { mark: seen.mark.clone(), looked_ms: Some(now.as_ms()), ..Self::default() };
    }

    fn look_at_clock(&mut self, trigger: &Trigger, on: &On, now: Timestamp) -> Option<String> {
        let On::Schedule(cron, zone) = on else { return None };
        let looked = self.looked_ms.replace(now.as_ms());
        // A clock that was put back is looked at anew.
        let from = Timestamp(looked.filter(|looked| *looked <= now.as_ms())?);
        // However long Fettle did not run, only the last of the times that were missed counts.
        let last = cron.last(now, *zone).filter(|last| *last > from)?;
        let is_missed = now.as_ms() - last.as_ms() > LATE_MS;
        match trigger.missed {
            Missed::Skip if is_missed => Some(format!("the time {last} was missed")),
            Missed::Once if is_missed => {
                self.pending = Some(format!("the time {last} was missed, and is made up for"));
                None
            }
            Missed::Once | Missed::Skip => {
                self.pending = Some(format!("it was {last}"));
                None
            }
        }
    }

    fn look_at_thing(&mut self, trigger: &Trigger, on: &On, seen: &Seen, now: Timestamp) {
        let Some(mark) = &seen.mark else {
            // What is not there for a moment may be about to be replaced.
            self.changing = None;
            return;
        };
        let Some(before) = &self.mark else {
            self.mark = Some(mark.clone());
            return;
        };
        if mark == before {
            self.changing = None;
            return;
        }
        // Numbers rise: a smaller one means that the newest was deleted, which is no news.
        let is_counted = !matches!(on, On::Path(_));
        let number = |text: &str| text.parse::<i64>().unwrap_or(0);
        if is_counted && number(mark) < number(before) {
            self.mark = Some(mark.clone());
            return;
        }
        let since = match &self.changing {
            Some((known, since)) if known == mark => *since,
            _ => now.as_ms(),
        };
        if now.as_ms() - since >= trigger.settle_ms() {
            self.mark = Some(mark.clone());
            self.changing = None;
            self.pending = Some(seen.why.clone());
        } else {
            self.changing = Some((mark.clone(), since));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    const START: i64 = 1_800_000_000_000;

    fn seen(mark: &str) -> Seen {
        Seen { mark: Some(mark.to_owned()), why: format!("saw {mark}") }
    }

    /// A trigger with its state, looked at second by second.
    struct World {
        trigger: Trigger,
        on: On,
        state: State,
    }

    impl World {
        fn new(change: impl FnOnce(&mut Trigger)) -> Self {
            let mut trigger = Trigger::new("t", "p");
            change(&mut trigger);
            let on = trigger.on().expect("one thing");
            Self { trigger, on, state: State::default() }
        }

        fn at(&mut self, second: i64, mark: &str, is_busy: bool) -> Decision {
            let now = Timestamp(START + second * 1000);
            self.state.look(&self.trigger, &self.on, &seen(mark), now, is_busy)
        }
    }

    #[test]
    fn five_files_that_come_one_after_the_other_are_one_run() {
        let mut world = World::new(|trigger| trigger.path = Some(PathBuf::from("in")));
        let mut runs = Vec::new();
        // A file every three seconds, then nothing more.
        for second in 0..60 {
            let files = (second / 3).min(5);
            if let Decision::Run(why) = world.at(second, &files.to_string(), false) {
                runs.push((second, why));
            }
        }
        assert_eq!(runs, [(25, "saw 5".to_owned())]);
    }

    #[test]
    fn what_was_there_from_the_beginning_is_no_news() {
        let mut world = World::new(|trigger| trigger.dataset = Some("d".to_owned()));
        assert_eq!(world.at(0, "3", false), Decision::Wait);
        assert_eq!(world.at(1, "3", false), Decision::Wait);
        assert_eq!(world.at(2, "4", false), Decision::Run("saw 4".to_owned()));
        assert_eq!(world.at(3, "4", false), Decision::Wait);
        // The newest version was deleted, and another one came.
        assert_eq!(world.at(4, "3", false), Decision::Wait);
        assert_eq!(world.at(5, "10", false), Decision::Run("saw 10".to_owned()));
    }

    #[test]
    fn what_happens_while_the_pipeline_works_is_one_run_afterwards() {
        let mut world = World::new(|trigger| trigger.dataset = Some("d".to_owned()));
        world.at(0, "1", false);
        for (second, mark) in [(1, "2"), (2, "3"), (3, "4")] {
            assert_eq!(world.at(second, mark, true), Decision::Wait);
        }
        assert_eq!(world.at(4, "4", false), Decision::Run("saw 4".to_owned()));
        assert_eq!(world.at(5, "4", false), Decision::Wait);
    }

    #[test]
    fn a_state_that_was_written_down_misses_nothing() {
        let mut world = World::new(|trigger| trigger.dataset = Some("d".to_owned()));
        world.at(0, "1", false);
        let text = serde_json::to_string(&world.state).expect("plain data");
        world.state = serde_json::from_str(&text).expect("what we write");
        assert_eq!(world.at(100_000, "2", false), Decision::Run("saw 2".to_owned()));
    }

    fn scheduled(missed: Missed) -> World {
        World::new(|trigger| {
            // START is 2027-01-15T08:00:00Z.
            trigger.schedule = Some("0 * * * *".to_owned());
            trigger.missed = missed;
        })
    }

    #[test]
    fn a_schedule_runs_at_its_time_and_once() {
        let mut world = scheduled(Missed::Once);
        let mut runs = Vec::new();
        for second in (0..7300).step_by(5) {
            if let Decision::Run(_) = world.at(second, "", false) {
                runs.push(second);
            }
        }
        assert_eq!(runs, [3600, 7200]);
    }

    #[test]
    fn missed_times_are_made_up_for_once_or_left_out() {
        for (missed, expected) in [(Missed::Once, true), (Missed::Skip, false)] {
            let mut world = scheduled(missed);
            world.at(0, "", false);
            // Fettle did not run for five hours and ten minutes.
            let decision = world.at(5 * 3600 + 600, "", false);
            assert_eq!(matches!(decision, Decision::Run(_)), expected, "{decision:?}");
            assert_eq!(matches!(decision, Decision::Skip(_)), !expected, "{decision:?}");
            assert_eq!(world.at(5 * 3600 + 601, "", false), Decision::Wait);
            // The next one is on time.
            assert!(matches!(world.at(6 * 3600 + 2, "", false), Decision::Run(_)));
        }
    }

    #[test]
    fn a_paused_trigger_makes_up_for_nothing() {
        let mut world = World::new(|trigger| trigger.dataset = Some("d".to_owned()));
        world.at(0, "1", false);
        world.state.forget(&seen("2"), Timestamp(START + 1000));
        assert_eq!(world.at(2, "2", false), Decision::Wait);
        assert_eq!(world.at(3, "3", false), Decision::Run("saw 3".to_owned()));
    }
}
