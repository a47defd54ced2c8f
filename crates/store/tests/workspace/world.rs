//! A workspace to test with, in two lines.

use std::path::{Path, PathBuf};

use base::{Clock, ProjectId, RunId, Timestamp};
use serde_json::json;
use store::datasets::NewVersion;
use store::models::NewModelVersion;
use store::runs::{NewRun, RunState};
use store::{
    Access, Action, ChangeFeed, Digest, Store, datasets, deployments, judgements, metrics, models, monitors,
    origins, projects, runs, settings, steps, sweeps,
};
use tempfile::TempDir;

pub const NOW: Timestamp = Timestamp(1_795_421_110_000);

pub struct World {
    pub dir: TempDir,
    pub store: Store,
    pub feed: ChangeFeed,
}

impl World {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, feed) = Store::create(&dir.path().join("ws"), clock()).unwrap();
        Self { dir, store, feed }
    }

    pub fn path(&self) -> PathBuf {
        self.dir.path().join("ws")
    }

    /// Closes the workspace; the folder stays as long as this lives.
    pub fn close(self) -> TempDir {
        self.dir
    }
}

pub fn clock() -> Clock {
    Clock::fixed(NOW)
}

pub fn reopen(dir: &Path) -> Store {
    Store::open(&dir.join("ws"), Access::Owner, clock()).unwrap().0
}

pub fn action() -> Action {
    Action::new("test.write", "test")
}

pub fn project(store: &Store) -> ProjectId {
    store.write(action(), |w| projects::create(w, "Flowers")).unwrap().id
}

pub fn new_version(content: Digest) -> NewVersion {
    NewVersion {
        content,
        content_bytes: 100,
        rows: 150,
        columns: 5,
        rejected_rows: 1,
        parse: json!({"delimiter": ",", "quote": "\""}),
        schema: json!([{"name": "species", "kind": "text"}]),
        profile: None,
        source_name: "iris.csv".to_owned(),
    }
}

pub fn new_run(project_id: &ProjectId) -> NewRun {
    NewRun {
        project_id: project_id.clone(),
        pipeline: "species".to_owned(),
        name: String::new(),
        experiment: "species".to_owned(),
        pipeline_digest: None,
        git_commit: None,
        threads: None,
        note: String::new(),
    }
}

pub fn new_model_version(package: Digest) -> NewModelVersion {
    NewModelVersion {
        package,
        package_bytes: 10,
        run_id: None,
        step_id: None,
        dataset_version_id: None,
        metrics: json!({"auc": 0.1 + 0.2}),
        parity: None,
        signature: json!({}),
        note: String::new(),
    }
}

/// A run that has ended, with a step, metrics and parameters.
pub fn finished_run(store: &Store, project_id: &ProjectId) -> RunId {
    store
        .write(action(), |w| {
            let run = runs::create(w, new_run(project_id))?;
            runs::start(w, &run.id)?;
            let step = steps::StepRun::pending(&run.id, "train", 0, "train_boosting");
            steps::save(w, &steps::StepRun { state: steps::StepState::Done, cpu_ms: Some(7), ..step })?;
            let points = [0.1 + 0.2, f64::NAN, f64::INFINITY, -0.0, 1e-310].map(|value| metrics::Metric {
                key: "auc".to_owned(),
                value,
                step: 1,
                at: NOW,
            });
            metrics::log(w, &run.id, "train", &points)?;
            let facts = json!({ "program": "1" });
            origins::set(w, &run.id, &origins::Origin { cause: origins::Cause::Sweep, of_run: None, facts })?;
            metrics::set_params(w, &run.id, "train", &[("rounds".to_owned(), "100".to_owned())])?;
            runs::finish(w, &run.id, RunState::Done, None)?;
            Ok(run.id)
        })
        .unwrap()
}

/// One of everything that a manifest covers.
pub fn furnish(store: &Store) -> ProjectId {
    let project_id = project(store);
    let content = store.objects().put_bytes(&b"a,b\n1,2\n".repeat(50_000)).unwrap();
    let package = store.objects().put_bytes(b"a model").unwrap();
    let run_id = finished_run(store, &project_id);
    store
        .write(action(), |w| {
            origins::add_receipt(w, &run_id, true, &json!({ "steps": [] }))?;
            sweeps::create(w, &run_id, "rate", "format = 1")?;
            sweeps::set_state(w, &run_id, sweeps::SweepState::Done)?;
            let trial = sweeps::Trial {
                sweep_id: run_id.clone(),
                number: 0,
                params: json!({ "train.rounds": 100 }),
                state: sweeps::TrialState::Done,
                value: Some(0.1 + 0.2),
                rounds: vec![0.5],
                run_id: None,
                error: None,
            };
            sweeps::save_trial(w, &trial)
        })
        .unwrap();
    store
        .write(action(), |w| {
            let dataset = datasets::create(w, &project_id, "iris")?;
            let version = datasets::add_version(w, &dataset.id, new_version(content))?.version;
            let second = datasets::add_version(w, &dataset.id, new_version(package))?.version;
            datasets::tags::set(w, &second.id, "clean")?;
            datasets::tags::set(w, &version.id, "clean")?;
            datasets::tags::set(w, &second.id, "raw")?;
            datasets::tags::set(w, &second.id, "gone")?;
            datasets::tags::remove(w, &dataset.id, "gone")?;
            let third = datasets::add_version(w, &dataset.id, new_version(Digest::of(b"a model")))?;
            assert!(!third.is_new, "the same bytes are the same version");
            datasets::set_target(w, &dataset.id, Some("species"), Some("multiclass"))?;
            let model = models::create(w, &project_id, "species")?;
            let new = NewModelVersion {
                run_id: Some(run_id),
                dataset_version_id: Some(version.id),
                ..new_model_version(package)
            };
            let first = models::add_version(w, &model.id, new.clone())?;
            judgements::add_test_run(w, &first.id, Digest::of(b"tests"), true, &json!({"results": []}))?;
            let signed = judgements::NewApproval {
                person: "ann".to_owned(),
                statement: "{}".to_owned(),
                key: "00".to_owned(),
                signature: "00".to_owned(),
            };
            judgements::add_approval(w, &first.id, &signed)?;
            models::add_version(w, &model.id, new)?;
            let reasons = models::Reasons { gates: Some(json!([{"auc": 0.9}])), note: "good".to_owned() };
            models::set_alias(w, &model.id, "champion", 1, &reasons)?;
            models::set_alias(w, &model.id, "champion", 2, &reasons)?;
            models::set_alias(w, &model.id, "gone", 1, &reasons)?;
            models::remove_alias(w, &model.id, "gone", &reasons)?;
            let new = deployments::NewDeployment {
                project_id: project_id.clone(),
                name: "species".to_owned(),
                target: "local".to_owned(),
                model_id: model.id.clone(),
                config: json!({}),
            };
            let deployment = deployments::create(w, new)?;
            let revision = deployments::add_revision(w, &deployment.id, &first.id, "a1")?;
            let healthy = deployments::Revision {
                state: deployments::RevisionState::Healthy,
                port: Some(4711),
                pid: Some(12),
                process_started: Some(34),
                token_file: Some("token".to_owned()),
                healthy_at: Some(NOW),
                ..revision
            };
            deployments::save_revision(w, &healthy)?;
            deployments::set_current(w, &deployment.id, Some(1))?;
            let rule = monitors::add_rule(
                w,
                monitors::NewRule {
                    deployment_id: deployment.id.clone(),
                    metric: monitors::AlertMetric::Psi,
                    feature: None,
                    threshold: 0.25,
                    window_rows: 500,
                },
            )?;
            let new = monitors::NewAlert {
                feature: Some("petal".to_owned()),
                value: 0.31,
                message: "moved".to_owned(),
                details: json!({}),
            };
            monitors::raise(w, rule.id, new)?;
            settings::set(w, "theme", &"dark")?;
            settings::set(w, "old", &1)?;
            settings::unset(w, "old")
        })
        .unwrap();
    project_id
}
