//! What the daemon does by itself: follows files, looks at every deployment now and then, says when
//! one does not answer any more, and raises alerts.

use std::time::Duration;

use base::{Error, Result};
use store::Action;
use store::deployments::{self, Deployment, DeploymentState};

use crate::Engine;

/// How often deployments are looked at.
const INTERVAL: Duration = Duration::from_secs(15);

impl Engine {
    /// Begins to watch; ends with the engine.
    pub fn start_watching(&self) {
        self.start_following();
        self.resume_sweeps();
        self.start_triggers();
        let inner = std::sync::Arc::downgrade(&self.0);
        std::thread::spawn(move || {
            loop {
                let Some(inner) = inner.upgrade() else { return };
                Self(inner).look_round();
                std::thread::sleep(INTERVAL);
            }
        });
    }

    fn look_round(&self) {
        let deployments = self.store().read(|db| deployments::list(db, None)).unwrap_or_default();
        for deployment in deployments {
            if let Err(error) = self.look_at(&deployment) {
                eprintln!("cannot look at deployment `{}`: {error}", deployment.name);
            }
        }
    }

    fn look_at(&self, deployment: &Deployment) -> Result<()> {
        let state = self.state_of(deployment)?;
        if state != deployment.state {
            let action = Action::new("deployment.state", &deployment.name).with("state", state.as_str());
            self.store().write(action, |w| deployments::set_state(w, &deployment.id, state))?;
        }
        if state == DeploymentState::Serving { self.apply_rules(deployment) } else { Ok(()) }
    }

    /// Where a deployment stands: as recorded, but looked at if it should answer.
    pub(crate) fn state_of(&self, deployment: &Deployment) -> Result<DeploymentState, Error> {
        match deployment.state {
            DeploymentState::Serving | DeploymentState::Failed if deployment.current_revision.is_some() => {
                let is_up = self.is_serving(deployment)?;
                Ok(if is_up { DeploymentState::Serving } else { DeploymentState::Failed })
            }
            other => Ok(other),
        }
    }
}
