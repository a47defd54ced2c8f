//! Retraining a deployment: its pipeline runs on fresh data, what comes out is compared with what
//! serves on the same fresh rows, goes through the gate, and is then proposed or deployed. A proposal is
//! the alias `challenger`: the version it names, with what the gate said, waits for somebody's word.

mod fresh;

use base::{Code, Error, Progress, Result};
use learn::metrics::{MetricDoc, evaluate, metric_doc};
use learn::model_tests::Rows;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use store::deployments::Deployment;
use store::models::{self, ModelVersion, Reasons};
use store::origins::Cause;
use store::projects::Project;
use store::{Action, Page, Topic, monitors};

use crate::Engine;
use crate::commands::datasets::reply;
use crate::commands::deployments::Deployed;
use crate::commands::models::{CheckStatus, GateCheck, GateReport};
use crate::commands::retraining::{ProposalView, Retrained, RetrainingOutcome, SideBySide, Traffic};
use crate::commands::runs::ModelLink;
use crate::deploy::Wish;
use crate::jobs::Title;
use crate::judging::tests::card_of;
use crate::models::{PRODUCTION, Picked, TOLERANCE};
use crate::running::Wanted;

/// The kind of the job.
const JOB: &str = "monitor.retrain";
/// The alias of a version that is proposed.
pub(crate) const CHALLENGER: &str = "challenger";
/// The metrics that two versions are compared by, the first that both have.
const COMPARED_BY: [&str; 4] = ["auc", "accuracy", "r2", "rmse"];

/// What to retrain, why, and what then.
#[derive(Debug, Clone)]
pub(crate) struct Retraining {
    pub(crate) deployment: Deployment,
    /// The pipeline; the one that made what serves if none.
    pub(crate) pipeline: Option<String>,
    pub(crate) because: String,
    /// True to deploy what passes the gate; else it is proposed.
    pub(crate) deploys: bool,
    /// What becomes of the requests whose truth is known.
    pub(crate) traffic: Traffic,
    pub(crate) cause: Cause,
}

impl Retraining {
    /// A retraining of a deployment by a pipeline, if it is named, as somebody asks for it.
    pub(crate) fn of(deployment: Deployment, pipeline: Option<String>) -> Self {
        Self {
            deployment,
            pipeline,
            because: "somebody asked for it".to_owned(),
            deploys: false,
            traffic: Traffic::Leave,
            cause: Cause::Asked,
        }
    }
}

/// What is kept with the alias of a proposal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proposed {
    deployment: String,
    because: String,
    gate: GateReport,
    comparison: Option<SideBySide>,
}

impl Engine {
    /// Retrains a deployment to the end. What the gate refuses is no error: the answer says so.
    pub(crate) fn retrain(&self, wish: &Retraining, progress: &Progress) -> Result<Retrained> {
        let name = &wish.deployment.name;
        let project = self.store().read(|db| store::projects::get(db, &wish.deployment.project_id))?;
        let (_, champion) = self.serving(&wish.deployment)?;
        let pipeline = self.retraining_pipeline(&project, wish, &champion)?;
        self.tell_of(
            "retraining.start",
            name,
            &[("because", wish.because.as_str()), ("pipeline", &pipeline)],
        )?;
        let ended = self.challenge(&project, wish, &champion, &pipeline, progress);
        match &ended {
            Ok(done) => {
                let version = done.version.map_or_else(String::new, |version| version.to_string());
                self.tell_of(
                    "retraining.end",
                    name,
                    &[("outcome", done.outcome.word()), ("version", &version)],
                )?;
            }
            Err(error) => {
                self.tell_of("retraining.end", name, &[("outcome", "failed"), ("why", &error.message)])?
            }
        }
        ended
    }

    /// Starts to retrain a deployment in the background.
    ///
    /// # Errors
    /// It is being retrained already; it is not known by which pipeline.
    pub(crate) fn start_retraining(&self, project: &Project, wish: Retraining) -> Result<base::JobId> {
        let name = wish.deployment.name.clone();
        let is_same = |job: &crate::commands::jobs::JobView| {
            job.kind == JOB && job.subject["deployment"] == name.as_str()
        };
        if self.jobs(true)?.iter().any(is_same) {
            return Err(Error::new(Code::Conflict, format!("`{name}` is being retrained already"))
                .hint("wait until that is done, or cancel its job"));
        }
        let (_, champion) = self.serving(&wish.deployment)?;
        self.retraining_pipeline(project, &wish, &champion)?;
        let title =
            Title { kind: JOB, title: format!("Retraining {name}"), subject: json!({ "deployment": name }) };
        self.start_job(&title, move |engine, progress| reply(engine.retrain(&wish, progress)?))
    }

    /// The pipeline that made what serves.
    pub(crate) fn retraining_pipeline(
        &self,
        project: &Project,
        wish: &Retraining,
        champion: &Picked,
    ) -> Result<String> {
        if let Some(name) = &wish.pipeline {
            return self.pipeline(project, name).map(|_| name.clone());
        }
        let unknown = || {
            Error::new(
                Code::Conflict,
                format!(
                    "it is not known which pipeline made {} v{}",
                    champion.model.name, champion.version.number
                ),
            )
            .hint("name one with `--pipeline`")
        };
        let run = champion.version.run_id.as_ref().ok_or_else(unknown)?;
        let run = self.store().read(|db| store::runs::get(db, run))?;
        self.pipeline(project, &run.pipeline).map_err(|error| match error.code {
            Code::NotFound => unknown(),
            _ => error,
        })?;
        Ok(run.pipeline)
    }

    fn challenge(
        &self,
        project: &Project,
        wish: &Retraining,
        champion: &Picked,
        pipeline: &str,
        progress: &Progress,
    ) -> Result<Retrained> {
        let mut done =
            Retrained { rows_taken: 0, outcome: RetrainingOutcome::Unchanged, ..Retrained::default() };
        if wish.traffic != Traffic::Leave {
            progress.step("taking in requests", 0, None)?;
            done.rows_taken = self.take_in_traffic(project, wish, champion, progress)?;
        }
        let wanted = Wanted { origin: Some((wish.cause, None)), ..Wanted::default() };
        let launch = self.create_run(project, self.pipeline(project, pipeline)?.pipeline, &wanted)?;
        done.run = Some(launch.run.id.to_string());
        self.perform(&launch, progress, &|_, _| ())?;
        let steps = self.store().read(|db| store::steps::list(db, &launch.run.id))?;
        let mut made = steps.iter().filter_map(|row| ModelLink::deserialize(&row.summary["registered"]).ok());
        let Some(link) = made.find(|link| link.model == champion.model.name) else {
            return Err(Error::invalid(format!(
                "pipeline `{pipeline}` registers no `{}`",
                champion.model.name
            ))
            .hint("add a step that registers the model, or name another pipeline"));
        };
        if link.version == champion.version.number {
            // The same data make the same package.
            return Ok(done);
        }
        // It may be an older one that was dismissed: the same data make it again.
        let challenger = self.pick(project, &link.model, Some(&link.version.to_string()))?;
        done.version = Some(challenger.version.number);
        done.comparison = self.side_by_side(&challenger.version, &champion.version)?;
        let gate = self.retraining_gate(&challenger, champion, done.comparison.as_ref())?;
        let is_approval_all =
            gate.checks.iter().filter(|check| check.status == CheckStatus::Failed).all(is_approval);
        done.outcome = if gate.is_open && wish.deploys {
            RetrainingOutcome::Deployed
        } else if is_approval_all {
            RetrainingOutcome::Proposed
        } else {
            RetrainingOutcome::Refused
        };
        done.gate = Some(gate.clone());
        match done.outcome {
            RetrainingOutcome::Deployed => {
                self.put_into_service(&wish.deployment, &challenger, &wish.because, progress)?;
            }
            RetrainingOutcome::Proposed => self.propose(wish, &challenger, gate, done.comparison.clone())?,
            RetrainingOutcome::Refused | RetrainingOutcome::Unchanged => {}
        }
        Ok(done)
    }

    /// The gate before production, and beside it that what serves is not better on fresh rows.
    fn retraining_gate(
        &self,
        challenger: &Picked,
        champion: &Picked,
        comparison: Option<&SideBySide>,
    ) -> Result<GateReport> {
        let mut gate = self.gate(challenger, PRODUCTION)?;
        // Where production is what serves, the gate has looked at it already.
        let is_other = gate.current != Some(champion.version.number);
        gate.checks.extend(comparison.filter(|_| is_other).map(|found| against(found, champion)));
        gate.is_open = gate.checks.iter().all(|check| check.status != CheckStatus::Failed);
        Ok(gate)
    }

    fn propose(
        &self,
        wish: &Retraining,
        challenger: &Picked,
        gate: GateReport,
        comparison: Option<SideBySide>,
    ) -> Result<()> {
        let (deployment, because) = (wish.deployment.name.clone(), wish.because.clone());
        let subject = format!("{deployment}: {} v{}", challenger.model.name, challenger.version.number);
        let kept = Proposed { deployment, because: because.clone(), gate, comparison };
        let reasons = Reasons { gates: Some(json!(kept)), note: because };
        self.store().write(Action::new("retraining.propose", subject), |w| {
            w.touch(Topic::Monitors);
            models::set_alias(w, &challenger.model.id, CHALLENGER, challenger.version.number, &reasons)
                .map(drop)
        })
    }

    /// What is proposed for a deployment; none if nothing is, or if it serves already.
    pub(crate) fn proposal(&self, deployment: &Deployment) -> Result<Option<ProposalView>> {
        let Some((challenger, kept)) = self.proposed(deployment)? else { return Ok(None) };
        let (_, champion) = self.serving(deployment)?;
        // Approvals, tests and the policy may have changed since it was proposed.
        let gate = self.retraining_gate(&challenger, &champion, kept.comparison.as_ref())?;
        Ok(Some(ProposalView {
            model: challenger.model.name,
            version: challenger.version.number,
            champion: champion.version.number,
            because: kept.because,
            comparison: kept.comparison,
            gate,
            run: challenger.version.run_id.map(|id| id.to_string()),
        }))
    }

    fn proposed(&self, deployment: &Deployment) -> Result<Option<(Picked, Proposed)>> {
        let found = self.store().read(|db| {
            let Some(alias) = models::find_alias(db, &deployment.model_id, CHALLENGER)? else {
                return Ok(None);
            };
            let moves = models::promotions(db, &deployment.model_id)?;
            let last = moves.into_iter().filter(|one| one.alias == CHALLENGER).max_by_key(|one| one.sequence);
            let version = models::version_numbered(db, &deployment.model_id, alias.number)?;
            Ok(Some((version.id, last.and_then(|one| one.gates))))
        })?;
        let Some((id, Some(kept))) = found else { return Ok(None) };
        // Somebody else may have given the alias, for reasons of their own.
        let Ok(kept) = serde_json::from_value::<Proposed>(kept) else { return Ok(None) };
        let challenger = self.model_version(&id)?;
        let serves = self.serving(deployment)?.1.version.id == id;
        Ok((kept.deployment == deployment.name && !serves).then_some((challenger, kept)))
    }

    fn proposal_there(&self, deployment: &Deployment) -> Result<(Picked, Proposed)> {
        self.proposed(deployment)?.ok_or_else(|| {
            Error::not_found(format!("nothing is proposed for `{}`", deployment.name))
                .hint("see `fettle monitor retrain`")
        })
    }

    /// Promotes and deploys what is proposed, if the gate is open now.
    pub(crate) fn accept_proposal(&self, deployment: &Deployment, progress: &Progress) -> Result<Deployed> {
        let (challenger, kept) = self.proposal_there(deployment)?;
        let (_, champion) = self.serving(deployment)?;
        let gate = self.retraining_gate(&challenger, &champion, kept.comparison.as_ref())?;
        if !gate.is_open {
            let failed: Vec<&GateCheck> =
                gate.checks.iter().filter(|check| check.status == CheckStatus::Failed).collect();
            let code = if failed.iter().all(|check| is_approval(check)) {
                Code::NotApproved
            } else {
                Code::GateFailed
            };
            let why: Vec<String> =
                failed.iter().map(|check| format!("{}: {}", check.name, check.message)).collect();
            return Err(Error::new(
                code,
                format!("{} v{} may not take over `{}`", gate.model, gate.version, deployment.name),
            )
            .because(why.join("; ")));
        }
        self.put_into_service(deployment, &challenger, &kept.because, progress)
    }

    /// Says no to what is proposed. The version stays.
    pub(crate) fn dismiss_proposal(&self, deployment: &Deployment) -> Result<()> {
        let (challenger, _) = self.proposal_there(deployment)?;
        let subject =
            format!("{}: {} v{}", deployment.name, challenger.model.name, challenger.version.number);
        self.store().write(Action::new("retraining.dismiss", subject), |w| {
            w.touch(Topic::Monitors);
            let reasons = Reasons { gates: None, note: "dismissed".to_owned() };
            models::remove_alias(w, &challenger.model.id, CHALLENGER, &reasons).map(drop)
        })
    }

    /// Production points to the challenger, the deployment serves it, and alerts about what served
    /// before are done with.
    fn put_into_service(
        &self,
        deployment: &Deployment,
        challenger: &Picked,
        because: &str,
        progress: &Progress,
    ) -> Result<Deployed> {
        let promoted = self.promote(challenger, PRODUCTION, Some(because))?;
        if !promoted.is_open {
            return Err(Error::new(
                Code::GateFailed,
                "the gate closed while the challenger was to be promoted",
            ));
        }
        if self.learned_from_traffic(deployment, &challenger.version)? {
            let (_, champion) = self.serving(deployment)?;
            self.keep_traffic_as_baseline(deployment, &champion, &challenger.version, progress)?;
        }
        let project = self.store().read(|db| store::projects::get(db, &deployment.project_id))?;
        let wish = Wish {
            model: challenger.model.name.clone(),
            version: Some(challenger.version.number.to_string()),
            target: None,
            params: Map::new(),
            name: Some(deployment.name.clone()),
            port: None,
        };
        let deployed = self.deploy(&project, &wish, progress)?;
        let subject =
            format!("{}: {} v{}", deployment.name, challenger.model.name, challenger.version.number);
        self.store().write(Action::new("retraining.deploy", subject), |w| {
            w.touch(Topic::Monitors);
            for alert in monitors::alerts(w, Some(&deployment.id), Page::new(0, MOST_ALERTS))? {
                if alert.acknowledged_at.is_none() {
                    monitors::acknowledge(w, alert.id)?;
                }
            }
            if models::find_alias(w, &challenger.model.id, CHALLENGER)?.is_some() {
                let reasons = Reasons { gates: None, note: "it serves now".to_owned() };
                models::remove_alias(w, &challenger.model.id, CHALLENGER, &reasons)?;
            }
            Ok(())
        })?;
        Ok(deployed)
    }

    /// Both versions on the rows that were held out from the first, which the second has not been chosen
    /// by; none if they cannot be compared.
    pub(crate) fn side_by_side(
        &self,
        challenger: &ModelVersion,
        champion: &ModelVersion,
    ) -> Result<Option<SideBySide>> {
        let (Some(new), Some(old)) = (self.own_package(challenger)?, self.own_package(champion)?) else {
            return Ok(None);
        };
        let card = card_of(&new)?;
        let table = match flow::kinds::labelled_rows(&self.package_dir(&challenger.package)?, &card.target) {
            Ok(table) => table,
            Err(error) if error.code == Code::Conflict => return Ok(None),
            Err(error) => return Err(error),
        };
        let rows = Rows::score(&new, card, &table)?;
        // A champion that lacks a column or a class of the fresh rows cannot be asked about them.
        let Ok(before) = Rows::score(&old, card_of(&old)?, &table) else { return Ok(None) };
        let metrics = |rows: &Rows| evaluate(&rows.truth, &rows.said);
        let (now, then) = (metrics(&rows), metrics(&before));
        let of = |all: &[(&'static str, f64)], name: &str| {
            all.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
        };
        Ok(COMPARED_BY.into_iter().find_map(|name| {
            let metric: &MetricDoc = metric_doc(name)?;
            Some(SideBySide {
                metric: metric.name.to_owned(),
                metric_title: metric.title.to_owned(),
                larger_is_better: metric.larger_is_better,
                rows: rows.len() as u64,
                challenger: of(&now, name)?,
                champion: of(&then, name)?,
            })
        }))
    }

    /// The package of a version, if it is one that says what it predicts.
    fn own_package(&self, version: &ModelVersion) -> Result<Option<score::Package>> {
        match self.package(version) {
            Ok(package) => Ok(package.card().is_some().then_some(package)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn tell_of(&self, action: &str, deployment: &str, facts: &[(&str, &str)]) -> Result<()> {
        let action = facts
            .iter()
            .fold(Action::new(action, deployment), |action, (name, value)| action.with(name, *value));
        self.store().write(action, |w| {
            w.touch(Topic::Monitors);
            Ok(())
        })
    }
}

/// Alerts that are acknowledged when a new version takes over.
const MOST_ALERTS: u32 = 1000;

fn is_approval(check: &GateCheck) -> bool {
    check.name.ends_with(": approvals")
}

fn against(found: &SideBySide, champion: &Picked) -> GateCheck {
    GateCheck {
        name: "what serves now is not better on fresh rows".to_owned(),
        status: if found.loss() > TOLERANCE { CheckStatus::Failed } else { CheckStatus::Passed },
        message: format!(
            "{} {} against {} of v{} over {} rows that were held out",
            found.metric_title,
            base::number(found.challenger, 4),
            base::number(found.champion, 4),
            champion.version.number,
            found.rows
        ),
    }
}
