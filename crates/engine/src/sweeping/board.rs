//! What a sweep knows of its trials while it works: which comes next, what each said so far, and
//! which are to be given up. It starts nothing and writes nothing.
//!
//! A trial is chosen, and given up, by the results of those trials only that began `parallel` places
//! or more before it, and it waits for these. So the same sweep takes the same way whatever the
//! timing, also when it was interrupted.

use std::collections::BTreeMap;

use base::{Cancel, Error, Result};
use flow::sweep::{Checked, Sweep};
use learn::metrics::metric_doc;
use learn::search::{Point, Seen};
use store::runs::Run;
use store::sweeps::{Trial, TrialState};

use super::point_of;

/// What a worker is to do.
pub(super) enum Next {
    /// Run this trial.
    Trial(Box<Trial>, Cancel),
    /// Ask again in a moment: a trial before this one has not ended.
    Wait,
    /// There is nothing left.
    End,
}

/// If the first trials all fail, so many are enough to stop.
const FAILURES: usize = 5;

/// What is known of a sweep's trials.
pub(super) struct Board<'a> {
    sweep: &'a Sweep,
    checked: &'a Checked,
    run: &'a Run,
    ended: BTreeMap<u32, Trial>,
    /// Trials of an earlier process that did not end.
    unfinished: BTreeMap<u32, Trial>,
    working: BTreeMap<u32, Working>,
    next: u32,
    is_used_up: bool,
}

/// A trial that works.
struct Working {
    cancel: Cancel,
    /// The training step whose rounds count: the first that said something.
    step: Option<String>,
    /// Losses, one a round; smaller is better.
    losses: Vec<f64>,
    is_given_up: bool,
}

impl<'a> Board<'a> {
    pub(super) fn new(sweep: &'a Sweep, checked: &'a Checked, run: &'a Run, kept: Vec<Trial>) -> Self {
        let (unfinished, ended) = kept
            .into_iter()
            .map(|trial| (trial.number, trial))
            .partition(|(_, trial): &(u32, Trial)| trial.state == TrialState::Running);
        Self { sweep, checked, run, ended, unfinished, working: BTreeMap::new(), next: 0, is_used_up: false }
    }

    /// Trials that ended, and trials in all.
    pub(super) fn progress(&self) -> (u64, u64) {
        let all = u64::from(self.sweep.trials).min(self.checked.search.size().unwrap_or(u64::MAX));
        (self.ended.len() as u64, all)
    }

    /// What a worker is to do next.
    pub(super) fn next(&mut self) -> Next {
        while self.ended.contains_key(&self.next) {
            self.next += 1;
        }
        if self.next >= self.sweep.trials || self.is_used_up || self.has_failed() {
            return Next::End;
        }
        let number = self.next;
        let seen_to = (number + 1).saturating_sub(self.sweep.parallel);
        if (0..seen_to).any(|before| !self.ended.contains_key(&before)) {
            return Next::Wait;
        }
        let trial = match self.unfinished.remove(&number) {
            Some(trial) => trial,
            None => match self.suggest(number, seen_to) {
                Some(point) => self.trial(number, &point),
                None => {
                    self.is_used_up = true;
                    return Next::End;
                }
            },
        };
        self.next += 1;
        let cancel = Cancel::default();
        let working = Working { cancel: cancel.clone(), step: None, losses: Vec::new(), is_given_up: false };
        self.working.insert(number, working);
        Next::Trial(Box::new(trial), cancel)
    }

    fn trial(&self, number: u32, point: &Point) -> Trial {
        Trial {
            sweep_id: self.run.id.clone(),
            number,
            params: serde_json::json!(point),
            state: TrialState::Running,
            value: None,
            rounds: Vec::new(),
            run_id: None,
            error: None,
        }
    }

    fn suggest(&self, number: u32, seen_to: u32) -> Option<Point> {
        let tried: Vec<(Point, f64)> = self
            .ended
            .range(..seen_to)
            .filter_map(|(_, trial)| Some((point_of(trial).ok()?, self.loss(trial))))
            .collect();
        let seen: Vec<Seen> = tried.iter().map(|(point, loss)| Seen { point, loss: *loss }).collect();
        self.checked.search.suggest(number, &seen)
    }

    /// What failed or was given up counts as worse than all that was measured.
    fn loss(&self, trial: &Trial) -> f64 {
        let value = trial.value.filter(|value| value.is_finite());
        match value {
            Some(value) if self.checked.larger_is_better => -value,
            Some(value) => value,
            None => f64::INFINITY,
        }
    }

    /// Takes what a trial said after a round, and lets it be given up if it has fallen behind.
    pub(super) fn hear(&mut self, number: u32, step: &str, metric: &str, value: f64) {
        let seen_to = (number + 1).saturating_sub(self.sweep.parallel);
        let larger_is_better = metric_doc(metric).is_some_and(|metric| metric.larger_is_better);
        let others: Vec<Vec<f64>> =
            self.ended.range(..seen_to).map(|(_, trial)| trial.rounds.clone()).collect();
        let Some(working) = self.working.get_mut(&number) else { return };
        if working.step.get_or_insert_with(|| step.to_owned()) != step || working.is_given_up {
            return;
        }
        working.losses.push(if larger_is_better { -value } else { value });
        if self.sweep.stop.gives_up(&working.losses, &others) {
            working.is_given_up = true;
            working.cancel.cancel();
        }
    }

    /// What a trial said, and whether it is to be given up.
    pub(super) fn heard(&self, number: u32) -> (Vec<f64>, bool) {
        let working = self.working.get(&number);
        working.map_or((Vec::new(), false), |working| (working.losses.clone(), working.is_given_up))
    }

    /// Takes what came of a trial. One that still counts as working was stopped with the sweep.
    pub(super) fn end(&mut self, trial: &Trial) {
        self.working.remove(&trial.number);
        if trial.state != TrialState::Running {
            self.ended.insert(trial.number, trial.clone());
        }
    }

    /// Stops all trials that work.
    pub(super) fn cancel_all(&self) {
        self.working.values().for_each(|working| working.cancel.cancel());
    }

    fn has_failed(&self) -> bool {
        let failed = self.ended.values().filter(|trial| trial.state == TrialState::Failed).count();
        failed == self.ended.len() && failed >= FAILURES.min(self.sweep.trials as usize)
    }

    /// How the sweep ended.
    ///
    /// # Errors
    /// Why its first trial failed, if all did.
    pub(super) fn verdict(&self) -> Result<()> {
        if !self.has_failed() {
            return Ok(());
        }
        let error = self.ended.values().find_map(|trial| trial.error.clone());
        let error = error.unwrap_or_else(|| Error::internal("a trial failed without a reason"));
        Err(error.within(format!("all {} trials failed", self.ended.len())))
    }
}

#[cfg(test)]
mod tests {
    use flow::file::Pipeline;

    use super::*;

    const PIPELINE: &str = r#"format = 1
name = "t"
step = [{ id = "d", kind = "dataset", params = { dataset = "x", target = "y" } },
        { id = "b", kind = "train_boosting", inputs = { table = "d.table" } },
        { id = "e", kind = "evaluate", inputs = { model = "b.model", table = "d.table" } }]"#;

    fn sweep(trials: u32, parallel: u32) -> Sweep {
        let params = BTreeMap::from([("b.learning_rate".to_owned(), "0.01..1.0:log".to_owned())]);
        let stop = learn::search::stopping::Stopping::Median;
        Sweep { trials, parallel, stop, ..Sweep::new("s", "t", "auc", params) }
    }

    fn run() -> Run {
        Run {
            id: base::RunId::new(),
            project_id: base::ProjectId::new(),
            pipeline: "t".to_owned(),
            number: 1,
            name: String::new(),
            experiment: String::new(),
            state: store::runs::RunState::Running,
            pipeline_digest: None,
            git_commit: None,
            threads: None,
            note: String::new(),
            created_at: base::Timestamp(0),
            started_at: None,
            finished_at: None,
            error: None,
        }
    }

    fn taken(board: &mut Board) -> Option<Trial> {
        match board.next() {
            Next::Trial(trial, _) => Some(*trial),
            Next::Wait | Next::End => None,
        }
    }

    fn done(trial: &Trial) -> Trial {
        let rate = trial.params["b.learning_rate"].as_f64().expect("a number");
        Trial { state: TrialState::Done, value: Some(1.0 - (rate - 0.1).abs()), ..trial.clone() }
    }

    /// The points of all trials, when they end in the order in which `pick` takes them.
    fn points(kept: Vec<Trial>, pick: impl Fn(usize) -> usize) -> Vec<serde_json::Value> {
        let (sweep, run) = (sweep(30, 3), run());
        let checked = sweep.check(&Pipeline::parse(PIPELINE).expect("good")).expect("it fits");
        let mut board = Board::new(&sweep, &checked, &run, kept);
        let mut working: Vec<Trial> = Vec::new();
        loop {
            while let Some(trial) = taken(&mut board) {
                working.push(trial);
            }
            if working.is_empty() {
                break;
            }
            let trial = working.remove(pick(working.len()));
            board.end(&done(&trial));
        }
        board.ended.values().map(|trial| trial.params.clone()).collect()
    }

    #[test]
    fn the_order_in_which_trials_end_does_not_change_the_way() {
        let first = points(Vec::new(), |_| 0);
        assert_eq!(first.len(), 30);
        assert_eq!(first, points(Vec::new(), |count| count - 1));
        assert_eq!(first, points(Vec::new(), |count| count / 2));
    }

    #[test]
    fn a_sweep_that_was_interrupted_takes_the_same_way_on() {
        let (sweep, run) = (sweep(30, 3), run());
        let checked = sweep.check(&Pipeline::parse(PIPELINE).expect("good")).expect("it fits");
        let mut board = Board::new(&sweep, &checked, &run, Vec::new());
        let mut kept = Vec::new();
        // Fifteen trials end, and the sixteenth is begun when the process dies.
        while kept.len() < 15 {
            let trial = taken(&mut board).expect("there are more");
            board.end(&done(&trial));
            kept.push(done(&trial));
        }
        kept.push(taken(&mut board).expect("there are more"));
        assert_eq!(points(kept, |_| 0), points(Vec::new(), |_| 0));
    }

    #[test]
    fn a_trial_that_falls_behind_is_stopped_and_told_as_given_up() {
        let (sweep, run) = (sweep(30, 1), run());
        let checked = sweep.check(&Pipeline::parse(PIPELINE).expect("good")).expect("it fits");
        let mut board = Board::new(&sweep, &checked, &run, Vec::new());
        for _ in 0..5 {
            let trial = taken(&mut board).expect("there are more");
            board.end(&Trial { rounds: vec![0.2; 20], ..done(&trial) });
        }
        let Next::Trial(trial, cancel) = board.next() else { panic!("there are more") };
        for round in 0..20 {
            board.hear(trial.number, "b", "log_loss", 0.9);
            board.hear(trial.number, "other", "log_loss", 0.0);
            assert_eq!(cancel.is_cancelled(), round >= 8, "round {round}");
        }
        let (rounds, is_given_up) = board.heard(trial.number);
        assert!(is_given_up);
        assert_eq!(rounds.len(), 9);
    }

    #[test]
    fn a_sweep_whose_trials_all_fail_stops_and_says_why() {
        let (sweep, run) = (sweep(30, 1), run());
        let checked = sweep.check(&Pipeline::parse(PIPELINE).expect("good")).expect("it fits");
        let mut board = Board::new(&sweep, &checked, &run, Vec::new());
        let mut begun = 0;
        while let Some(trial) = taken(&mut board) {
            begun += 1;
            let error = Some(Error::invalid("no such column"));
            board.end(&Trial { state: TrialState::Failed, error, ..trial });
        }
        assert_eq!(begun, 5);
        assert_eq!(board.verdict().expect_err("all failed").message, "all 5 trials failed");
    }
}
