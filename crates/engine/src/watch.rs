//! What the daemon does by itself: follows files, looks at every deployment now and then, says when
//! one does not answer any more, and raises alerts.

use std::time::Duration;

use base::Result;
use store::Action;
use store::deployments::{self, Deployment, DeploymentState};

use crate::targets::BATCH;
use crate::{Engine, targets};

/// How often deployments are looked at.
const INTERVAL: Duration = Duration::from_secs(15);
/// Those that it takes the network to ask are looked at in every so many rounds.
const REMOTE_ROUNDS: u32 = 4;

impl Engine {
    /// Begins to watch; ends with the engine.
    pub fn start_watching(&self) {
        self.start_following();
        self.start_settling();
        self.resume_sweeps();
        self.start_triggers();
        let inner = std::sync::Arc::downgrade(&self.0);
        std::thread::spawn(move || {
            for round in 0_u32.. {
                let Some(inner) = inner.upgrade() else { return };
                Self(inner).look_round(round.is_multiple_of(REMOTE_ROUNDS));
                std::thread::sleep(INTERVAL);
            }
        });
    }

    fn look_round(&self, is_far: bool) {
        let deployments = self.store().read(|db| deployments::list(db, None)).unwrap_or_default();
        for deployment in deployments {
            let target = targets::find(&deployment.target);
            if !is_far && target.is_ok_and(|target| target.declaration().is_remote) {
                continue;
            }
            if let Err(error) = self.look_at(&deployment) {
                eprintln!("cannot look at deployment `{}`: {error}", deployment.name);
            }
        }
    }

    fn look_at(&self, deployment: &Deployment) -> Result<()> {
        let state = self.state_now(deployment)?;
        if state != deployment.state {
            let action = Action::new("deployment.state", &deployment.name).with("state", state.as_str());
            self.store().write(action, |w| deployments::set_state(w, &deployment.id, state))?;
        }
        match state {
            DeploymentState::Serving if deployment.target == BATCH => self.score_on_schedule(deployment),
            DeploymentState::Serving => {
                // The watch waits for no channel.
                let raised = self.apply_rules(deployment)?;
                self.send_alerts_later(deployment, raised)
            }
            _ => Ok(()),
        }
    }

    /// Where a deployment stands: as recorded, but looked at if it should answer. One that is elsewhere
    /// is as it was when it was last looked at, so that no list waits for the network.
    pub(crate) fn state_of(&self, deployment: &Deployment) -> Result<DeploymentState> {
        if targets::find(&deployment.target)?.declaration().is_remote {
            return Ok(deployment.state);
        }
        self.state_now(deployment)
    }

    /// Where a deployment stands, wherever it is.
    pub(crate) fn state_now(&self, deployment: &Deployment) -> Result<DeploymentState> {
        match deployment.state {
            DeploymentState::Serving | DeploymentState::Failed if deployment.current_revision.is_some() => {
                let is_up = self.is_serving(deployment)?;
                Ok(if is_up { DeploymentState::Serving } else { DeploymentState::Failed })
            }
            other => Ok(other),
        }
    }
}
