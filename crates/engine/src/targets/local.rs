//! This computer: `fettle-serve` as a process of its own, which outlives the window and the daemon. A
//! new version is tried in a process beside it, then loaded by the one that serves, so that no caller
//! notices.

use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::process::{self, Start};
use super::{
    Answers, Declaration, Endpoint, Placed, Probe, Site, Target, Work, http, log_file, login_item, program,
    tail,
};

/// The target `local`.
pub(crate) struct ThisComputer;

/// Who gets a new version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Rollout {
    /// Everybody, at once.
    #[default]
    All,
    /// A share of the requests; the version that served before answers the others.
    Canary,
    /// Nobody: it scores what the version before has answered, so that its answers can be looked at.
    Shadow,
}

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// Who gets the version.
    #[schemars(extend("x-first" = true))]
    rollout: Rollout,
    /// Of 100 requests, so many go to a canary.
    #[schemars(range(min = 1, max = 99))]
    canary_pct: u8,
    /// Of 100 answered requests, so many are recorded for the monitor.
    #[schemars(range(min = 0, max = 100))]
    log_share_pct: u8,
    /// Columns whose values are not recorded.
    redact: Vec<String>,
    /// Requests that are scored at once; 0 for twice the number of cores.
    concurrency: u16,
    /// Under load, up to so many rows of several requests are scored together; 0 scores each alone.
    batch_rows: u16,
    /// A request may take so many seconds.
    #[schemars(range(min = 1, max = 3600))]
    timeout_s: u16,
    /// Starts the endpoint when this user signs in (systemd, LaunchAgent or Task Scheduler).
    #[schemars(extend("x-first" = true))]
    start_at_login: bool,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            rollout: Rollout::All,
            canary_pct: 10,
            log_share_pct: 100,
            redact: Vec::new(),
            concurrency: 0,
            batch_rows: 0,
            timeout_s: 30,
            start_at_login: false,
        }
    }
}

/// The revision that goes on answering beside one that is on trial with callers; kept as the state of
/// the latter's [`Placed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Main {
    revision: u32,
    version: u32,
}

impl Main {
    /// The one beside which a revision was put.
    fn of(placed: &Placed) -> Option<Self> {
        serde_json::from_value(placed.state.get("main")?.clone()).ok()
    }

    /// The one beside which a revision is to be put; none if everybody gets the revision.
    fn beside(params: &Params, work: &Work) -> Result<Option<Self>> {
        if params.rollout == Rollout::All {
            return Ok(None);
        }
        if !(1..=99).contains(&params.canary_pct) {
            return Err(Error::invalid(format!("`canary_pct` cannot be {}", params.canary_pct))
                .hint("give a canary 1 to 99 of 100 requests"));
        }
        let last = work.last.ok_or_else(|| {
            Error::new(
                Code::Conflict,
                format!("`{}` serves no version yet beside which to try another", work.site.deployment),
            )
            .hint("set `rollout` to `all` for the first one")
        })?;
        let own = Self { revision: last.revision, version: last.version };
        let main = Self::of(last).unwrap_or(own);
        if main.version == work.version {
            return Err(Error::new(
                Code::Conflict,
                format!("version {} serves everybody already", work.version),
            )
            .hint("try another version, or set `rollout` to `all`"));
        }
        Ok(Some(main))
    }
}

impl Target for ThisComputer {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "local",
            title: "This computer",
            summary: "A small server on a port of this machine; it goes on when Fettle is closed.",
            doc: "The next version is tried in a process beside the one that serves, and then loaded by it: \
                  no request fails meanwhile. Callers send the bearer token of the deployment.",
            runs: true,
            is_remote: false,
        }
    }

    fn unavailable(&self) -> Option<String> {
        program::here().err().map(|error| error.to_string())
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        let mut steps = vec![
            "start a server for the new version on a free port of this computer".to_owned(),
            "ask it for the golden rows, and stop it".to_owned(),
        ];
        steps.push(match work.before.and_then(|before| before.process.as_ref()) {
            Some(before) => format!("let the server at port {} load the new version", before.port),
            None => "start the server that callers reach".to_owned(),
        });
        if let Some(main) = Main::beside(params, work)? {
            steps.push(match params.rollout {
                Rollout::Canary => format!(
                    "give it {} of 100 requests; version {} answers the others",
                    params.canary_pct, main.version
                ),
                _ => format!("let it score what version {} has answered, for nobody to see", main.version),
            });
        }
        if params.start_at_login {
            steps.push(format!("write `{}`", login_item::path(work.site.deployment)?.display()));
        }
        Ok(steps)
    }

    fn build(&self, _params: &Params, work: &Work) -> Result<Placed> {
        let stays = work.before.and_then(|before| before.process.as_ref());
        process::sweep(&processes_dir(work.site.folder), stays);
        Ok(Placed::default())
    }

    fn apply(&self, _params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        work.progress.step("trying it beside the one that serves", 1, Some(4))?;
        let served = Serving {
            site: work.site,
            params: &Params::default(),
            current: (work.revision, work.version),
            beside: None,
            port: process::free_port(None)?,
            instance: work.instance,
            is_trial: true,
        };
        placed.process = Some(served.start()?);
        Ok(())
    }

    fn probe(&self, _params: &Params, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers> {
        let endpoint =
            placed.process.as_ref().ok_or_else(|| Error::internal("there is no process to ask"))?;
        let path = http::path(work.site.model, Some(placed.version));
        http::probe(&process::url(endpoint.port), work.site.token, &path, &rows.rows)
    }

    fn switch(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        work.progress.step("switching to it", 2, Some(4))?;
        let token = work.site.token;
        if let Some(trial) = placed.process.take() {
            process::stop(&trial, token)?;
            remove_config(work.site.folder, true)?;
        }
        let main = Main::beside(params, work)?;
        if let Some(main) = main {
            placed.state.insert("main".to_owned(), json!(main));
        }
        let before = work.before.and_then(|before| before.process.as_ref());
        let running = before.filter(|before| process::is_up(before, token));
        let port = work.port.or(before.map(|before| before.port));
        let mut served = Serving {
            site: work.site,
            params,
            current: (work.revision, work.version),
            beside: main,
            port: port.unwrap_or(0),
            instance: work.instance,
            is_trial: false,
        };
        let is_same = |before: &&Endpoint| {
            port == Some(before.port)
                && work
                    .before
                    .is_some_and(|placed| Self::settings(&placed.params) == Self::settings_of(params))
                && process::is_this_release(before, token)
        };
        if let Some(before) = running.filter(is_same) {
            served.instance = &before.instance;
            served.write()?;
            process::reload(before.port, token)?;
            placed.process = Some(before.clone());
        } else {
            if let Some(before) = running {
                process::stop(before, token)?;
            }
            served.port = process::free_port(port)?;
            placed.process = Some(served.start()?);
        }
        placed.url = placed.process.as_ref().map(|endpoint| process::url(endpoint.port));
        login_item::set(work.site, params.start_at_login)
    }

    fn withdraw(&self, _params: &Params, work: &Work, placed: &Placed) -> Result<Option<Placed>> {
        let token = work.site.token;
        let own = work.before.and_then(|before| before.process.as_ref());
        if let Some(endpoint) =
            placed.process.as_ref().filter(|one| own.is_none_or(|own| own.instance != one.instance))
        {
            process::stop(endpoint, token)?;
        }
        remove_config(work.site.folder, true)?;
        let (Some(before), Some(endpoint)) = (work.before, own) else { return Ok(None) };
        let params: Params = flow::kind::read_params(&before.params).map_err(|misfit| misfit.error)?;
        let served = Serving {
            site: work.site,
            params: &params,
            current: (before.revision, before.version),
            beside: Main::of(before),
            port: endpoint.port,
            instance: &endpoint.instance,
            is_trial: false,
        };
        if process::is_up(endpoint, token) {
            served.write()?;
            process::reload(endpoint.port, token)?;
            return Ok(None);
        }
        Ok(Some(Placed { process: Some(served.start()?), ..before.clone() }))
    }

    fn is_up(&self, _params: &Params, site: &Site, placed: &Placed) -> bool {
        placed.process.as_ref().is_some_and(|endpoint| process::is_up(endpoint, site.token))
    }

    fn log(&self, _params: &Params, site: &Site, _placed: &Placed) -> Result<String> {
        tail(&log_file(site.folder))
    }

    fn stop(&self, _params: &Params, site: &Site, placed: &Placed) -> Result<()> {
        placed.process.as_ref().map_or(Ok(()), |endpoint| process::stop(endpoint, site.token))
    }

    fn remove(&self, params: &Params, site: &Site, placed: &Placed) -> Result<()> {
        self.stop(params, site, placed)?;
        login_item::set(*site, false)
    }
}

impl ThisComputer {
    /// What a server has to be started anew for, as it was told to an earlier one.
    fn settings(params: &serde_json::Map<String, Value>) -> Option<Value> {
        let params: Params = flow::kind::read_params(params).ok()?;
        Self::settings_of(&params)
    }

    fn settings_of(params: &Params) -> Option<Value> {
        let same = Params::default();
        let (rollout, canary_pct) = (same.rollout, same.canary_pct);
        serde_json::to_value(Params { start_at_login: false, rollout, canary_pct, ..params.clone() }).ok()
    }
}

/// What a server of this computer is told.
struct Serving<'a> {
    site: Site<'a>,
    params: &'a Params,
    /// The revision and version that callers get.
    current: (u32, u32),
    /// The one that callers go on getting while this one is on trial with them.
    beside: Option<Main>,
    port: u16,
    instance: &'a str,
    /// A trial writes no request log: its rows are nobody's.
    is_trial: bool,
}

impl Serving<'_> {
    /// The version that answers where none is named, and all that are held.
    fn versions(&self) -> (String, Value) {
        let entry = |revision: u32, version: u32| json!({ "version": version.to_string(), "package": format!("revision-{revision}") });
        let mut own = entry(self.current.0, self.current.1);
        let Some(main) = self.beside else { return (self.current.1.to_string(), json!([own])) };
        match self.params.rollout {
            Rollout::Shadow => own["shadow"] = json!(true),
            Rollout::Canary | Rollout::All => own["sharePct"] = json!(self.params.canary_pct),
        }
        (main.version.to_string(), json!([entry(main.revision, main.version), own]))
    }

    fn config(&self) -> Value {
        let (current, versions) = self.versions();
        let mut config = json!({
            "host": "127.0.0.1",
            "port": self.port,
            "tokenFile": "token",
            "instance": self.instance,
            "timeoutS": self.params.timeout_s,
            "models": [{
                "name": self.site.model,
                "current": current,
                "versions": versions,
            }],
        });
        if self.params.concurrency > 0 {
            config["concurrency"] = json!(self.params.concurrency);
        }
        if self.params.batch_rows > 0 {
            config["batchRows"] = json!(self.params.batch_rows);
        }
        if !self.is_trial {
            config["logDir"] = json!("requests");
            config["logSharePct"] = json!(self.params.log_share_pct);
            config["redact"] = json!(self.params.redact);
        }
        config
    }

    fn write(&self) -> Result<PathBuf> {
        let path = config_file(self.site.folder, self.is_trial);
        let text = serde_json::to_vec_pretty(&self.config())
            .map_err(|e| Error::internal("cannot write a configuration").because(e))?;
        store::files::write_atomic(&path, &text)?;
        Ok(path)
    }

    fn start(&self) -> Result<Endpoint> {
        let config = self.write()?;
        let processes = processes_dir(self.site.folder);
        let remember = |endpoint: &Endpoint| {
            store::files::create_private_dir(&processes)?;
            let text = serde_json::to_vec(endpoint)
                .map_err(|e| Error::internal("cannot write a process").because(e))?;
            store::files::write_atomic(&processes.join(&endpoint.instance), &text)
        };
        process::start(&Start {
            program: &program::here()?,
            before: &[],
            config: &config,
            log: &log_file(self.site.folder),
            port: self.port,
            instance: self.instance,
            token: self.site.token,
            remember: &remember,
        })
    }
}

/// The configuration of a deployment's server.
pub(crate) fn config_file(folder: &Path, is_trial: bool) -> PathBuf {
    folder.join(if is_trial { "trial.json" } else { "serve.json" })
}

fn remove_config(folder: &Path, is_trial: bool) -> Result<()> {
    super::remove_file(&config_file(folder, is_trial))
}

/// Where the processes of a deployment are remembered, one file each.
fn processes_dir(folder: &Path) -> PathBuf {
    folder.join("processes")
}
