//! Channels by which alerts leave, silence, and what became of alerts.

use base::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use ts_rs::TS;

use super::datasets::InProject;
use super::jobs::JobRef;
use crate::Engine;
use crate::jobs::Title;

/// The channels of a project.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChannelsView {
    /// The text of `alerts.toml`; empty if there is none.
    pub text: String,
    /// The channels that it names.
    pub channels: Vec<ChannelView>,
    /// What is wrong with it, if something is.
    pub trouble: Option<String>,
}

/// A channel.
#[derive(Debug, Clone, Serialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct ChannelView {
    /// Its name.
    pub name: String,
    /// Where it leads, without what is secret.
    pub way: String,
    /// The deployments whose alerts it takes; all if empty.
    pub deployments: Vec<String>,
}

/// Replaces the channels of a project.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertSetChannels {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The text of `alerts.toml`; an empty one takes all channels away.
    pub text: String,
}

/// Sends a trial alert by a channel.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertTry {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The channel's name.
    pub channel: String,
}

/// Holds the channels back from the alerts of a deployment.
#[derive(Debug, Clone, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonitorSilence {
    /// The project; the current one if left out.
    #[serde(default)]
    pub project: Option<String>,
    /// The deployment's name or id.
    pub deployment: String,
    /// For so many minutes; 0 ends a silence.
    pub minutes: u32,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What became of an alert at a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryView {
    /// When, ms since the epoch.
    pub at: i64,
    /// The alert.
    pub alert: i64,
    /// The channel's name.
    pub channel: String,
    /// True if the channel took it, or was held back by a silence.
    pub is_taken: bool,
    /// What the other side said, or what went wrong.
    pub said: String,
}

pub(super) fn channels(engine: &Engine, request: InProject) -> Result<ChannelsView> {
    engine.channels(&engine.project(request.project.as_deref())?)
}

pub(super) fn set_channels(engine: &Engine, request: AlertSetChannels) -> Result<()> {
    engine.set_channels(&engine.project(request.project.as_deref())?, &request.text)
}

pub(super) fn try_channel(engine: &Engine, request: AlertTry) -> Result<JobRef> {
    let project = engine.project(request.project.as_deref())?;
    let title = Title {
        kind: "alert.try",
        title: format!("Trying the channel {}", request.channel),
        subject: json!({ "channel": request.channel }),
    };
    let job = engine.start_job(&title, move |engine, _| {
        Ok(json!({ "said": engine.try_channel(&project, &request.channel)? }))
    })?;
    Ok(job.into())
}

pub(super) fn silence(engine: &Engine, request: MonitorSilence) -> Result<()> {
    let project = engine.project(request.project.as_deref())?;
    let deployment = engine.deployment(&project, &request.deployment)?;
    engine.silence(&deployment, request.minutes, request.reason.as_deref().unwrap_or_default())
}
