//! Alert rules, and the alerts they raised.

use base::{Code, DeploymentId, Error, Result, Timestamp};
use rusqlite::{Connection, Row};
use serde_json::Value;

use crate::doors::Write;
use crate::feed::Topic;
use crate::manifests::Publication;
use crate::sql::words;
use crate::{Page, names, sql};

words! {
    /// What an alert rule looks at.
    AlertMetric, "what an alert rule looks at" {
        /// How far a feature or the prediction has moved from the training data.
        Psi = "psi",
        /// The share of missing values of a feature.
        Missing = "missing",
        /// How much worse the answers are than on held-out rows.
        Performance = "performance",
        /// The share of requests that failed.
        ErrorRate = "error_rate",
        /// The time in which 95 of 100 requests were answered, in milliseconds.
        LatencyP95 = "latency_p95",
    }
}

/// When to raise an alert.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertRule {
    /// Its number.
    pub id: i64,
    /// The deployment it watches.
    pub deployment_id: DeploymentId,
    /// What it looks at.
    pub metric: AlertMetric,
    /// The feature it looks at; `None` for the worst of all, or where there are none.
    pub feature: Option<String>,
    /// Above this it raises an alert.
    pub threshold: f64,
    /// How many of the last rows it looks at.
    pub window_rows: u64,
    /// False while the user has it switched off.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A rule that is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRule {
    /// The deployment it watches.
    pub deployment_id: DeploymentId,
    /// What it looks at.
    pub metric: AlertMetric,
    /// The feature it looks at.
    pub feature: Option<String>,
    /// Above this it raises an alert.
    pub threshold: f64,
    /// How many of the last rows it looks at.
    pub window_rows: u64,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// The rule, unless it was deleted since.
    pub rule_id: Option<i64>,
    /// The deployment.
    pub deployment_id: DeploymentId,
    /// What was looked at.
    pub metric: AlertMetric,
    /// The feature.
    pub feature: Option<String>,
    /// What was found.
    pub value: f64,
    /// What it should not be above.
    pub threshold: f64,
    /// The same in a sentence.
    pub message: String,
    /// The figures behind it.
    pub details: Value,
    /// When.
    pub raised_at: Timestamp,
    /// When somebody said that they know.
    pub acknowledged_at: Option<Timestamp>,
}

/// What a rule has found now.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAlert {
    /// The feature, also where the rule looks at the worst of all.
    pub feature: Option<String>,
    /// What was found.
    pub value: f64,
    /// The same in a sentence.
    pub message: String,
    /// The figures behind it.
    pub details: Value,
}

const RULE: &str = "id, deployment_id, metric, feature, threshold, window_rows, enabled, created_at";
const ALERT: &str = "id, rule_id, deployment_id, metric, feature, value, threshold, message, details, \
                     raised_at, acknowledged_at";

impl AlertRule {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            deployment_id: sql::parsed(row, "deployment_id")?,
            metric: sql::parsed(row, "metric")?,
            feature: row.get("feature")?,
            threshold: row.get("threshold")?,
            window_rows: row.get("window_rows")?,
            enabled: row.get("enabled")?,
            created_at: sql::time(row, "created_at")?,
        })
    }
}

impl Alert {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            rule_id: row.get("rule_id")?,
            deployment_id: sql::parsed(row, "deployment_id")?,
            metric: sql::parsed(row, "metric")?,
            feature: row.get("feature")?,
            value: row.get("value")?,
            threshold: row.get("threshold")?,
            message: row.get("message")?,
            details: sql::json(row, "details")?,
            raised_at: sql::time(row, "raised_at")?,
            acknowledged_at: sql::time_option(row, "acknowledged_at")?,
        })
    }
}

/// Makes a rule, switched on.
///
/// # Errors
/// `InvalidInput` for a threshold or a window that can never be met.
pub fn add_rule(w: &mut Write<'_>, new: NewRule) -> Result<AlertRule> {
    if !new.threshold.is_finite() || new.threshold < 0.0 || new.window_rows == 0 {
        return Err(Error::invalid(
            "an alert rule needs a threshold from 0 on and a window of at least one row",
        ));
    }
    let id = sql::value(
        w,
        "insert into alert_rules (deployment_id, metric, feature, threshold, window_rows, created_at, enabled)
         values (?1, ?2, ?3, ?4, ?5, ?6, 1) returning id",
        (
            new.deployment_id.as_str(),
            new.metric,
            &new.feature,
            new.threshold,
            new.window_rows,
            w.now().as_ms(),
        ),
    )?;
    publish_rule(w, id);
    rule(w, id)
}

/// Switches a rule on or off, or gives it another threshold or window. What it watches stays.
///
/// # Errors
/// `NotFound`.
pub fn save_rule(w: &mut Write<'_>, rule: &AlertRule) -> Result<()> {
    let changed = sql::change(
        w,
        "update alert_rules set threshold = ?2, window_rows = ?3, enabled = ?4 where id = ?1",
        (rule.id, rule.threshold, rule.window_rows, rule.enabled),
    )?;
    if changed == 0 {
        return Err(names::unknown("alert rule", rule.id));
    }
    publish_rule(w, rule.id);
    Ok(())
}

/// Deletes a rule. The alerts it raised stay.
///
/// # Errors
/// `NotFound`.
pub fn remove_rule(w: &mut Write<'_>, id: i64) -> Result<()> {
    if sql::change(w, "delete from alert_rules where id = ?1", [id])? == 0 {
        return Err(names::unknown("alert rule", id));
    }
    w.touch(Topic::Monitors);
    w.publish(Publication::new("alert_rule", id).deleted("alert_rules", serde_json::json!({ "id": id })));
    Ok(())
}

/// One rule.
///
/// # Errors
/// `NotFound`.
pub fn rule(db: &Connection, id: i64) -> Result<AlertRule> {
    let query = format!("select {RULE} from alert_rules where id = ?1");
    sql::first(db, &query, [id], AlertRule::read)?.ok_or_else(|| names::unknown("alert rule", id))
}

/// The rules of a deployment, or of all of them, oldest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn rules(db: &Connection, deployment_id: Option<&DeploymentId>) -> Result<Vec<AlertRule>> {
    let query = format!("select {RULE} from alert_rules where ?1 is null or deployment_id = ?1 order by id");
    sql::many(db, &query, [deployment_id.map(DeploymentId::as_str)], AlertRule::read)
}

/// Raises an alert, unless one of this rule about the same feature is open: then nothing is said
/// twice, and `None` is given back.
///
/// # Errors
/// `NotFound` for an unknown rule.
pub fn raise(w: &mut Write<'_>, rule_id: i64, new: NewAlert) -> Result<Option<Alert>> {
    let rule = rule(w, rule_id)?;
    if is_open(w, rule_id, new.feature.as_deref())? {
        return Ok(None);
    }
    let id: i64 = sql::value(
        w,
        "insert into alerts (rule_id, deployment_id, metric, feature, value, threshold, message, details,
            raised_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) returning id",
        (
            rule_id,
            rule.deployment_id.as_str(),
            rule.metric,
            &new.feature,
            new.value,
            rule.threshold,
            &new.message,
            sql::to_json(&new.details),
            w.now().as_ms(),
        ),
    )?;
    publish_alert(w, id);
    alert(w, id).map(Some)
}

/// True if an alert of this rule about this feature is there that nobody has acknowledged.
///
/// # Errors
/// When the workspace cannot be read.
pub fn is_open(db: &Connection, rule_id: i64, feature: Option<&str>) -> Result<bool> {
    sql::value(
        db,
        "select exists (select 1 from alerts where rule_id = ?1 and feature is ?2 and acknowledged_at is null)",
        (rule_id, feature),
    )
}

/// Says that somebody knows of an alert.
///
/// # Errors
/// `NotFound`; `Conflict` when that was said before.
pub fn acknowledge(w: &mut Write<'_>, id: i64) -> Result<()> {
    if alert(w, id)?.acknowledged_at.is_some() {
        return Err(Error::new(Code::Conflict, format!("alert {id} was acknowledged before")));
    }
    let now = w.now().as_ms();
    sql::change(w, "update alerts set acknowledged_at = ?2 where id = ?1", (id, now))?;
    publish_alert(w, id);
    Ok(())
}

/// One alert.
///
/// # Errors
/// `NotFound`.
pub fn alert(db: &Connection, id: i64) -> Result<Alert> {
    let query = format!("select {ALERT} from alerts where id = ?1");
    sql::first(db, &query, [id], Alert::read)?.ok_or_else(|| names::unknown("alert", id))
}

/// The alerts of a deployment, or of all of them, newest first.
///
/// # Errors
/// When the workspace cannot be read.
pub fn alerts(db: &Connection, deployment_id: Option<&DeploymentId>, page: Page) -> Result<Vec<Alert>> {
    let query = format!(
        "select {ALERT} from alerts where ?1 is null or deployment_id = ?1
         order by raised_at desc, id desc limit ?2 offset ?3"
    );
    sql::many(db, &query, (deployment_id.map(DeploymentId::as_str), page.limit(), page.offset()), Alert::read)
}

/// How many alerts nobody has acknowledged.
///
/// # Errors
/// When the workspace cannot be read.
pub fn open_alerts(db: &Connection) -> Result<u64> {
    sql::value(db, "select count(*) from alerts where acknowledged_at is null", [])
}

fn publish_rule(w: &mut Write<'_>, id: i64) {
    w.touch(Topic::Monitors);
    w.publish(Publication::new("alert_rule", id).rows("alert_rules", "id = ?1", &[&id.to_string()]));
}

fn publish_alert(w: &mut Write<'_>, id: i64) {
    w.touch(Topic::Alerts);
    w.publish(Publication::new("alert", id).rows("alerts", "id = ?1", &[&id.to_string()]));
}
