//! The trigger file: when a pipeline runs by itself. It lies in the project,
//! `triggers/<name>.toml`; what a trigger does about what it sees is in [`decide`].
//!
//! ```toml
//! format = 1
//! name = "nightly"
//! pipeline = "churn"
//! schedule = "0 6 * * 1-5"
//! zone = "Europe/Berlin"
//! ```

pub mod cron;
pub mod decide;

use std::path::PathBuf;

use base::{Error, Result, Timestamp};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::file::check_name;
use cron::Cron;

/// A trigger as its file says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    format: u32,
    /// Its name, which is also the file's.
    pub name: String,
    /// The pipeline that it runs.
    pub pipeline: String,
    /// On a new version of this dataset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    /// When this file, or anything in this folder, has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// At these times: five fields, as cron has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The time zone of the schedule; UTC if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// After a run of this pipeline that came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// When the monitor of this deployment raises an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// What the run makes is to replace what this deployment serves, if the gate lets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retrain: Option<String>,
    /// What becomes of a version that passes the gate, where the run retrains a deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
    /// What becomes of times of the schedule at which Fettle did not run.
    #[serde(default)]
    pub missed: Missed,
    /// A change counts once nothing more has happened for so many seconds; a default for each kind of
    /// trigger if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_seconds: Option<u32>,
}

/// What becomes of a version that was retrained and passes the gate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// It waits for somebody's word.
    #[default]
    Propose,
    /// It is promoted and deployed.
    Deploy,
}

/// What becomes of times of a schedule at which Fettle did not run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The pipeline runs once for all of them.
    #[default]
    Once,
    /// They are left out.
    Skip,
}

/// What a trigger looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum On {
    /// A dataset.
    Dataset(String),
    /// A file or a folder.
    Path(PathBuf),
    /// The clock.
    Schedule(Box<Cron>, Tz),
    /// The runs of a pipeline.
    After(String),
    /// The alerts of a deployment.
    Drift(String),
}

/// No change settles later than this.
const MOST_SETTLE_SECONDS: u32 = 86_400;

impl Trigger {
    /// A trigger that looks at nothing yet.
    pub fn new(name: &str, pipeline: &str) -> Self {
        Self {
            format: 1,
            name: name.to_owned(),
            pipeline: pipeline.to_owned(),
            dataset: None,
            path: None,
            schedule: None,
            zone: None,
            after: None,
            drift: None,
            retrain: None,
            then: None,
            missed: Missed::default(),
            settle_seconds: None,
        }
    }

    /// Reads the text of a trigger file.
    ///
    /// # Errors
    /// [`base::Code::InvalidInput`] saying what is wrong; [`base::Code::TooNew`] for another format.
    pub fn parse(text: &str) -> Result<Self> {
        let trigger: Self = toml::from_str(text).map_err(|e| {
            Error::invalid("cannot read the trigger file").because(e.message()).hint("see `docs/triggers.md`")
        })?;
        if trigger.format != 1 {
            let format = trigger.format;
            let message = format!("the trigger file has format {format}, this Fettle reads format 1");
            return Err(Error::new(base::Code::TooNew, message).hint("update Fettle"));
        }
        check_name(&trigger.name)?;
        if trigger.settle_seconds.is_some_and(|seconds| seconds > MOST_SETTLE_SECONDS) {
            return Err(Error::invalid("a change that settles for more than a day never counts")
                .hint(format!("`settle_seconds` is {MOST_SETTLE_SECONDS} at most")));
        }
        if trigger.then.is_some() && trigger.retrain.is_none() {
            return Err(Error::invalid("`then` says what becomes of a version that was retrained")
                .hint("name the deployment with `retrain`"));
        }
        trigger.on()?;
        Ok(trigger)
    }

    /// The text of the file: the same trigger always gives the same text.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("strings and numbers can be written as TOML")
    }

    /// What it looks at.
    ///
    /// # Errors
    /// Nothing or several things, a schedule or a time zone that is none.
    pub fn on(&self) -> Result<On> {
        let zone = match (&self.zone, &self.schedule) {
            (Some(_), None) => return Err(Error::invalid("only a schedule has a time zone")),
            (Some(zone), Some(_)) => zone.parse::<Tz>().map_err(|_| {
                Error::invalid(format!("there is no time zone `{}`", zone.escape_debug()))
                    .hint("use a name of the IANA database, such as `Europe/Berlin`")
            })?,
            (None, _) => Tz::UTC,
        };
        let schedule = match &self.schedule {
            Some(text) => Some(On::Schedule(Box::new(text.parse()?), zone)),
            None => None,
        };
        let all = [
            self.dataset.clone().map(On::Dataset),
            self.path.clone().map(On::Path),
            schedule,
            self.after.clone().map(On::After),
            self.drift.clone().map(On::Drift),
        ];
        let mut found = all.into_iter().flatten();
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Error::invalid(format!("trigger `{}` must look at exactly one thing", self.name))
                .hint("give one of `dataset`, `path`, `schedule`, `after` and `drift`")),
        }
    }

    /// How long nothing may happen before a change counts, in ms.
    pub fn settle_ms(&self) -> i64 {
        let default = if self.path.is_some() { 10 } else { 0 };
        i64::from(self.settle_seconds.unwrap_or(default)) * 1000
    }

    /// When it runs the pipeline, in words.
    pub fn sentence(&self) -> String {
        match self.on() {
            Ok(On::Dataset(name)) => format!("on a new version of {name}"),
            Ok(On::Path(path)) => format!("when {} changes", path.display()),
            Ok(On::Schedule(cron, zone)) => format!("at {cron} ({zone})"),
            Ok(On::After(pipeline)) => format!("after a run of {pipeline}"),
            Ok(On::Drift(deployment)) => format!("on an alert of {deployment}"),
            Err(error) => error.to_string(),
        }
    }

    /// The next times at which it runs, as far as that is known before.
    pub fn upcoming(&self, now: Timestamp, count: usize) -> Vec<Timestamp> {
        let Ok(On::Schedule(cron, zone)) = self.on() else { return Vec::new() };
        let mut times = Vec::new();
        let mut after = now;
        while times.len() < count {
            let Some(next) = cron.next(after, zone) else { break };
            times.push(next);
            after = next;
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let mut trigger = Trigger::new("nightly", "churn");
        trigger.schedule = Some("0 6 * * 1-5".to_owned());
        trigger.zone = Some("Europe/Berlin".to_owned());
        assert_eq!(Trigger::parse(&trigger.to_text()).expect("what we write"), trigger);
        assert_eq!(trigger.sentence(), "at 0 6 * * 1-5 (Europe/Berlin)");
    }

    #[test]
    fn what_is_no_trigger_is_refused_with_a_way_out() {
        for (extra, message) in [
            ("", "must look at exactly one thing"),
            ("dataset = \"a\"\nafter = \"b\"", "must look at exactly one thing"),
            ("schedule = \"0 25 * * *\"", "`25` is no hour"),
            ("schedule = \"0 6 * * *\"\nzone = \"Mars/Base\"", "no time zone `Mars/Base`"),
            ("dataset = \"a\"\nzone = \"UTC\"", "only a schedule"),
            ("dataset = \"a\"\nsettle_seconds = 100000", "never counts"),
            ("dataset = \"a\"\nthen = \"deploy\"", "`then` says what becomes"),
            ("on = \"a\"", "cannot read the trigger file"),
        ] {
            let text = format!("format = 1\nname = \"t\"\npipeline = \"p\"\n{extra}");
            let error = Trigger::parse(&text).expect_err(message);
            assert!(error.message.contains(message), "{extra}: {error}");
        }
    }
}
