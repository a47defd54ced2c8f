//! Alerts on their way out: channels that a project names in `alerts.toml`. What a channel says is
//! written down and shown, whether it took the alert or not; a channel that hangs or fails holds nothing
//! up and is told of. A silence holds channels back; alerts are raised and shown all the same.
//!
//! ```toml
//! format = 1
//!
//! [[channel]]
//! name = "team"
//! webhook_env = "TEAM_WEBHOOK"        # or webhook = "https://…"
//! deployments = ["churn"]             # all if left out
//!
//! [[channel]]
//! name = "duty"
//! command = ["/usr/local/bin/page", "--high"]
//!
//! [[channel]]
//! name = "mail"
//! email = ["duty@example.org"]        # by sendmail, or what `sendmail` names
//! ```

mod ways;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use base::{Code, Error, Progress, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::deployments::Deployment;
use store::monitors::Alert;
use store::projects::Project;
use store::{Action, Topic, files};

use crate::Engine;
use crate::commands::alerting::{ChannelView, ChannelsView, DeliveryView};
use crate::jobs::Title;
use crate::judging::tests::read_text;
use ways::Way;

const FILE: &str = "alerts.toml";
const MOST_CHANNELS: usize = 20;
/// Deliveries that are shown, and bytes of them that are kept.
const SHOWN: usize = 20;
const KEPT_BYTES: u64 = 256 << 10;
/// The longest silence, in minutes.
const LONGEST_SILENCE: u32 = 31 * 24 * 60;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChannelsFile {
    format: u32,
    #[serde(default, rename = "channel")]
    channels: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    deployments: Vec<String>,
    webhook: Option<String>,
    webhook_env: Option<String>,
    command: Option<Vec<String>>,
    email: Option<Vec<String>>,
    sendmail: Option<String>,
}

/// A channel that a project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    name: String,
    /// The deployments whose alerts it takes; all if empty.
    deployments: Vec<String>,
    way: Way,
}

impl Channel {
    fn takes(&self, deployment: &str) -> bool {
        self.deployments.is_empty() || self.deployments.iter().any(|one| one == deployment)
    }
}

/// Reads the text of the file; an empty one names no channel.
fn parse(text: &str) -> Result<Vec<Channel>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let file: ChannelsFile = toml::from_str(text).map_err(|e| {
        let line = e.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let at = line.map_or_else(String::new, |line| format!("line {line}: "));
        Error::invalid(format!("cannot read `{FILE}`: {at}{}", e.message())).hint("see `docs/monitoring.md`")
    })?;
    if file.format != 1 {
        let message = format!("`{FILE}` has format {}, this Fettle reads format 1", file.format);
        return Err(Error::new(Code::TooNew, message).hint("update Fettle"));
    }
    if file.channels.len() > MOST_CHANNELS {
        return Err(Error::invalid(format!("`{FILE}` names more than {MOST_CHANNELS} channels")));
    }
    let mut channels: Vec<Channel> = Vec::new();
    for entry in file.channels {
        if channels.iter().any(|one| one.name == entry.name) {
            return Err(Error::invalid(format!("two channels are called `{}`", entry.name.escape_debug())));
        }
        flow::file::check_name(&entry.name)?;
        let name = entry.name.clone();
        if entry.sendmail.is_some() && entry.email.is_none() {
            return Err(Error::invalid(format!(
                "cannot use channel `{name}`: `sendmail` sends mail, and it has no `email`"
            ))
            .hint("say with `email` to whom"));
        }
        let way = Way::of(
            entry.webhook,
            entry.webhook_env,
            entry.command,
            entry.email.map(|to| (to, entry.sendmail)),
        )
        .map_err(|e| e.within(format!("cannot use channel `{name}`")))?;
        channels.push(Channel { name, deployments: entry.deployments, way });
    }
    Ok(channels)
}

/// What a channel did with an alert, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Delivery {
    at: i64,
    alert: i64,
    channel: String,
    ok: bool,
    said: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Silence {
    until: i64,
}

impl Engine {
    fn channels_path(&self, project: &Project) -> PathBuf {
        self.store().project_dir(&project.slug).join(FILE)
    }

    /// The channels of a project.
    pub(crate) fn channels(&self, project: &Project) -> Result<ChannelsView> {
        let text = read_text(&self.channels_path(project))?;
        let found = parse(&text);
        let view = |one: &Channel| ChannelView {
            name: one.name.clone(),
            way: one.way.shown(),
            deployments: one.deployments.clone(),
        };
        Ok(ChannelsView {
            channels: found.as_ref().map(|all| all.iter().map(view).collect()).unwrap_or_default(),
            trouble: found.err().map(|error| error.to_string()),
            text,
        })
    }

    /// Replaces the channels of a project; an empty text takes them away.
    pub(crate) fn set_channels(&self, project: &Project, text: &str) -> Result<()> {
        parse(text)?;
        self.write_project_file(project, &self.channels_path(project), text)?;
        self.store().write(Action::new("alert.set_channels", &project.slug), |w| {
            w.touch(Topic::Monitors);
            Ok(())
        })
    }

    /// Sends a trial alert by a channel.
    ///
    /// # Errors
    /// There is no such channel; [`Code::Unavailable`] if it does not take the alert.
    pub(crate) fn try_channel(&self, project: &Project, name: &str) -> Result<String> {
        let all = parse(&read_text(&self.channels_path(project))?)?;
        let channel = all.iter().find(|one| one.name == name).ok_or_else(|| {
            Error::not_found(format!("there is no channel `{}`", name.escape_debug()))
                .hint(format!("name it in `{FILE}` of the project"))
        })?;
        let now = self.store().clock().now();
        let message = format!("This is a trial of the channel {name}; nothing is wrong.");
        let body = json!({ "text": message, "message": message, "deployment": null, "at": now.to_string() });
        channel.way.send(&message, &body)
    }

    /// Sends alerts by the channels of their project, in a job of its own, so that nobody waits for them.
    pub(crate) fn send_alerts_later(&self, deployment: &Deployment, alerts: Vec<Alert>) -> Result<()> {
        if alerts.is_empty() {
            return Ok(());
        }
        let title = Title {
            kind: "alert.send",
            title: format!("Telling of alerts of {}", deployment.name),
            subject: json!({ "deployment": deployment.name }),
        };
        let deployment = deployment.clone();
        self.start_job(&title, move |engine, progress| {
            engine.send_alerts(&deployment, &alerts, progress)?;
            Ok(Value::Null)
        })
        .map(drop)
    }

    /// Sends alerts by the channels of their project and writes down what came of it. A channel that
    /// fails is told of there, and keeps the others from nothing.
    pub(crate) fn send_alerts(
        &self,
        deployment: &Deployment,
        alerts: &[Alert],
        progress: &Progress,
    ) -> Result<()> {
        if alerts.is_empty() {
            return Ok(());
        }
        let project = self.store().read(|db| store::projects::get(db, &deployment.project_id))?;
        let path = self.store().endpoint_dir(&deployment.id).join("deliveries.jsonl");
        let channels = match parse(&read_text(&self.channels_path(&project))?) {
            Ok(channels) => channels,
            Err(error) => {
                let said = error.to_string();
                return self.note_delivery(&path, alerts[0].id, FILE, Err(Error::invalid(said)));
            }
        };
        let silent_until = self.silenced_until(deployment)?;
        for alert in alerts {
            for channel in channels.iter().filter(|one| one.takes(&deployment.name)) {
                progress.step(&format!("telling `{}`", channel.name), 0, None)?;
                let said = match silent_until {
                    Some(_) => Ok("held back: silenced".to_owned()),
                    None => channel.way.send(&alert.message, &body(deployment, alert)),
                };
                self.note_delivery(&path, alert.id, &channel.name, said)?;
            }
        }
        self.store().note(|change| {
            change.touch(Topic::Monitors);
            Ok(())
        })
    }

    fn note_delivery(&self, path: &Path, alert: i64, channel: &str, said: Result<String>) -> Result<()> {
        let ok = said.is_ok();
        let said = said.unwrap_or_else(|error| {
            [error.message.clone()].into_iter().chain(error.causes).collect::<Vec<_>>().join(": ")
        });
        let at = self.store().clock().now().as_ms();
        let line = json!(Delivery { at, alert, channel: channel.to_owned(), ok, said });
        if std::fs::metadata(path).is_ok_and(|meta| meta.len() > KEPT_BYTES) {
            // One file back is history enough.
            std::fs::rename(path, path.with_extension("old.jsonl"))
                .map_err(|e| Error::io("rename", path, &e))?;
        }
        let mut file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|e| Error::io("write", path, &e))?;
        file.write_all(format!("{line}\n").as_bytes()).map_err(|e| Error::io("write", path, &e))
    }

    /// What became of the newest alerts of a deployment, newest first.
    pub(crate) fn deliveries(&self, deployment: &Deployment) -> Result<Vec<DeliveryView>> {
        let text = read_text(&self.store().endpoint_dir(&deployment.id).join("deliveries.jsonl"))?;
        let read = text.lines().rev().filter_map(|line| serde_json::from_str::<Delivery>(line).ok());
        let view = |one: Delivery| DeliveryView {
            at: one.at,
            alert: one.alert,
            channel: one.channel,
            is_taken: one.ok,
            said: one.said,
        };
        Ok(read.take(SHOWN).map(view).collect())
    }

    /// Holds channels back for so many minutes; 0 ends a silence.
    pub(crate) fn silence(&self, deployment: &Deployment, minutes: u32, reason: &str) -> Result<()> {
        if minutes > LONGEST_SILENCE {
            return Err(Error::invalid(format!("a silence lasts {LONGEST_SILENCE} minutes at most"))
                .hint("take the rule or the channel away instead"));
        }
        let until = self.store().clock().now().as_ms() + i64::from(minutes) * 60_000;
        let path = self.store().endpoint_dir(&deployment.id).join("silence.json");
        files::write_atomic(&path, json!(Silence { until }).to_string().as_bytes())?;
        let action = Action::new("monitor.silence", &deployment.name);
        let action = action.with("minutes", minutes.to_string()).with("reason", reason);
        self.store().write(action, |w| {
            w.touch(Topic::Monitors);
            Ok(())
        })
    }

    /// Until when channels are held back, in ms; none if they are not.
    pub(crate) fn silenced_until(&self, deployment: &Deployment) -> Result<Option<i64>> {
        let text = read_text(&self.store().endpoint_dir(&deployment.id).join("silence.json"))?;
        let now = self.store().clock().now().as_ms();
        let silence: Option<Silence> = serde_json::from_str(&text).ok();
        Ok(silence.map(|silence| silence.until).filter(|until| *until > now))
    }
}

/// What a channel is told. `text` is what chat programs show.
fn body(deployment: &Deployment, alert: &Alert) -> Value {
    json!({
        "text": alert.message,
        "message": alert.message,
        "deployment": deployment.name,
        "metric": alert.metric.as_str(),
        "value": alert.value,
        "threshold": alert.threshold,
        "at": alert.raised_at.to_string(),
        "alert": alert.id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_read_and_each_takes_the_alerts_of_its_deployments() {
        let text = "format = 1\n[[channel]]\nname = \"team\"\nwebhook = \"https://example.org/x\"\ndeployments = [\"a\"]\n\
                    [[channel]]\nname = \"duty\"\ncommand = [\"/bin/page\"]\n";
        let channels = parse(text).expect("it is right");
        assert_eq!(channels.len(), 2);
        assert!(channels[0].takes("a") && !channels[0].takes("b") && channels[1].takes("b"));
        assert_eq!(parse(" \n"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_channel_is_refused_and_no_address_is_repeated() {
        let channel = |rest: &str| format!("format = 1\n[[channel]]\nname = \"team\"\n{rest}\n");
        for (text, said) in [
            ("format = 2\n".to_owned(), "format 2"),
            ("format = 1\nchanel = 3\n".to_owned(), "line 2"),
            (channel(""), "exactly one"),
            (channel("webhook = \"https://a.org\"\ncommand = [\"x\"]"), "exactly one"),
            (channel("webhook = \"ftp://a.org/secret\""), "http"),
            (channel("command = []"), "program"),
            (channel("email = []"), "address"),
            (channel("email = [\"a@b.org\\nBcc: all@b.org\"]"), "address"),
            (channel("command = [\"x\"]\nsendmail = \"/bin/x\""), "no `email`"),
            (
                channel("command = [\"x\"]") + "[[channel]]\nname = \"team\"\ncommand = [\"y\"]\n",
                "two channels",
            ),
        ] {
            let error = parse(&text).expect_err(&text);
            let all = format!("{} {}", error.message, error.causes.join(" "));
            assert!(all.contains(said) && !all.contains("secret"), "{text}: {all}");
        }
    }
}
