//! Experiments of another store: by name, as a person sees them. A number that is taken here by
//! another experiment gives way to the next free one.

use std::collections::{BTreeMap, BTreeSet};

use base::{Result, Timestamp};
use connect::mlflow::{self, Place};
use store::tracking::Pair;
use store::tracking::experiments::{self, Experiment};
use store::tracking::whole;
use store::{Action, Write};

use super::report::Fate;
use super::{Importing, conflict};
use crate::commands::tracking::{NoteKind, What};

/// What is to be done to the experiments here.
#[derive(Default)]
struct Plan {
    new: Vec<Experiment>,
    tags: Vec<(i64, Pair)>,
}

impl Importing<'_> {
    /// Finds or makes the experiments, and learns their numbers.
    pub(super) fn take_experiments(&mut self) -> Result<()> {
        let mut troubles = Vec::new();
        let theirs = self.theirs.experiments(&mut troubles)?;
        self.name_troubles(troubles);
        let ours = self.engine.store().read(experiments::all)?;
        let mut numbers: BTreeSet<i64> = ours.iter().map(|one| one.id).collect();
        let mut by_name: BTreeMap<String, Experiment> =
            ours.into_iter().map(|one| (one.name.clone(), one)).collect();
        let (mut plan, mut homeless) = (Plan::default(), Vec::new());
        for one in theirs {
            if let Some(ours) = by_name.get(&one.name) {
                self.join(&one, ours, &mut plan);
            } else if numbers.insert(one.id) {
                let new = self.experiment(&one, one.id);
                by_name.insert(one.name, new.clone());
                plan.new.push(new);
            } else {
                homeless.push(one);
            }
        }
        for one in homeless {
            let id = numbers.last().map_or(1, |last| last + 1);
            numbers.insert(id);
            let why = format!("its number {} is taken here by another: it is number {id} here", one.id);
            self.report.note(NoteKind::Changed, format!("experiment `{}`", one.name), why);
            plan.new.push(self.experiment(&one, id));
        }
        self.report.count(What::Experiments, Fate::Added, plan.new.len());
        for new in plan.new {
            let action = Action::new("experiment.new", &new.name).by("import");
            self.engine.store().write(action, |w| whole::put_experiment(w, &new))?;
        }
        for (id, tag) in plan.tags {
            let action = Action::new("experiment.tag", id).by("import");
            self.engine.store().write(action, |w: &mut Write<'_>| experiments::set_tag(w, id, &tag))?;
        }
        Ok(())
    }

    fn experiment(&mut self, one: &mlflow::Experiment, id: i64) -> Experiment {
        self.experiments.insert(one.id, id);
        let now = self.engine.store().clock().now().as_ms();
        let updated = one.updated_at.or(one.created_at).unwrap_or(now);
        let is_remote = self.places.find(&one.artifact_location, "") == Place::Remote;
        Experiment {
            id,
            project_id: self.project_id.clone(),
            name: one.name.clone(),
            artifact_location: if is_remote {
                one.artifact_location.clone()
            } else {
                format!("mlflow-artifacts:/{id}")
            },
            created_at: Timestamp(one.created_at.unwrap_or(updated)),
            updated_at: Timestamp(updated),
            deleted_at: one.is_deleted.then_some(Timestamp(updated)),
            tags: one.tags.clone(),
        }
    }

    /// Their runs go into the experiment of this name that is here.
    fn join(&mut self, one: &mlflow::Experiment, ours: &Experiment, plan: &mut Plan) {
        self.experiments.insert(one.id, ours.id);
        let what = format!("experiment `{}`", one.name);
        if one.id != ours.id {
            let why =
                format!("number {} there, goes into the one of this name, number {} here", one.id, ours.id);
            self.report.note(NoteKind::Changed, &what, why);
        }
        let mut fate = Fate::Same;
        for (key, value) in &one.tags {
            match ours.tags.iter().find(|(name, _)| name == key) {
                None => plan.tags.push((ours.id, (key.clone(), value.clone()))),
                Some((_, there)) if there == value => {}
                Some(_) => {
                    self.report.note(NoteKind::Conflict, &what, conflict(&format!("tag `{key}`")));
                    fate = Fate::Conflict;
                }
            }
        }
        if one.is_deleted != ours.deleted_at.is_some() {
            let (there, here) = if one.is_deleted { ("deleted", "active") } else { ("active", "deleted") };
            self.report.note(NoteKind::Conflict, &what, format!("it is {there} there and stays {here} here"));
            fate = Fate::Conflict;
        }
        self.report.count(What::Experiments, fate, 1);
    }
}
