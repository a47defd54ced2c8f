//! The tracking server, found or started, and what of its API a capture needs.

use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use base::{Code, Error, Result};
use engine::Engine;
use serde_json::{Value, json};

use super::strange;
use crate::backend::Remote;

/// The server that takes what is logged: one that is there, or one of our own while we need it.
pub struct Server {
    remote: Remote,
    ours: Option<JoinHandle<Result<()>>>,
}

impl Server {
    /// Finds the daemon of a workspace, or starts one in this process.
    ///
    /// # Errors
    /// Another process owns the workspace and is no daemon.
    pub fn find_or_start(folder: &Path) -> Result<Self> {
        if let Some(remote) = Remote::find(folder)? {
            return Ok(Self { remote, ours: None });
        }
        let engine = Arc::new(Engine::open_or_create(folder)?);
        let options = api::Options { port: 0, tracking_token: None, screens: None, stays: true };
        let (sender, ready) = mpsc::channel();
        let ours = std::thread::spawn(move || {
            api::serve(Arc::clone(&engine), &options, |daemon| {
                engine.announce(&daemon.url, &daemon.token)?;
                engine.start_watching();
                // Whoever waits for this has not gone away.
                let _ = sender.send(());
                Ok(())
            })
        });
        // An error of the server comes with its end.
        if ready.recv().is_err() {
            let ended =
                ours.join().map_err(|_| Error::internal("the server stopped at a fault of its own"))?;
            return Err(ended.err().unwrap_or_else(|| strange("answer")));
        }
        let remote = Remote::find(&PathBuf::from(folder))?.ok_or_else(|| strange("answer"))?;
        Ok(Self { remote, ours: Some(ours) })
    }

    /// A client of it, with the token of scripts.
    ///
    /// # Errors
    /// It does not answer.
    pub fn client(&self) -> Result<Client> {
        let info = self.remote.post("/rpc/tracking.info", &json!({}))?;
        let token = info["token"].as_str().ok_or_else(|| strange("token"))?.to_owned();
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build();
        Ok(Client { agent: config.new_agent(), url: self.remote.url.clone(), token })
    }

    /// Stops it, if it is ours.
    ///
    /// # Errors
    /// What it ended with.
    pub fn stop(self) -> Result<()> {
        let Some(ours) = self.ours else { return Ok(()) };
        self.remote.post("/shutdown", &json!({}))?;
        ours.join().unwrap_or_else(|_| Err(Error::internal("the server stopped at a fault of its own")))
    }
}

/// A client of the tracking API.
pub struct Client {
    agent: ureq::Agent,
    url: String,
    token: String,
}

impl Client {
    /// Where it logs to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What a script has to know to log to the same server.
    pub fn variables(&self) -> [(&'static str, &str); 2] {
        [("MLFLOW_TRACKING_URI", &self.url), ("MLFLOW_TRACKING_TOKEN", &self.token)]
    }

    /// The id of the experiment of this name, made if it is not there.
    pub fn experiment(&self, name: &str) -> Result<String> {
        let id = |reply: &Value| reply["experiment_id"].as_str().map(str::to_owned);
        let made = self.post("experiments/create", &json!({ "name": name }));
        if let Ok(made) = &made {
            return id(made).ok_or_else(|| strange("experiment"));
        }
        let search = json!({ "max_results": 1, "filter": format!("name = '{name}'") });
        let found = self.post("experiments/search", &search)?;
        // Without one of this name, why it could not be made is what matters.
        id(&found["experiments"][0]).map_or_else(|| made.map(|_| String::new()), Ok)
    }

    /// Begins a run; its id and the path of its files.
    pub fn begin(
        &self,
        experiment: &str,
        name: Option<&str>,
        tags: &[(String, String)],
        at_ms: i64,
    ) -> Result<(String, String)> {
        let tags: Vec<_> = tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let mut body = json!({ "experiment_id": experiment, "start_time": at_ms, "tags": tags });
        if let Some(name) = name {
            body["run_name"] = json!(name);
        }
        let info = self.post("runs/create", &body)?["run"]["info"].take();
        let text = |name: &str| info[name].as_str().map(str::to_owned).ok_or_else(|| strange(name));
        let uri = text("artifact_uri")?;
        Ok((text("run_id")?, uri.trim_start_matches("mlflow-artifacts:/").to_owned()))
    }

    /// Logs numbers as points of a step.
    pub fn measure(&self, run: &str, metrics: &[(&str, f64)], step: i64, at_ms: i64) -> Result<()> {
        let one = |(key, value): &(&str, f64)| json!({ "key": key, "value": value, "timestamp": at_ms, "step": step });
        let metrics: Vec<_> = metrics.iter().map(one).collect();
        self.post("runs/log-batch", &json!({ "run_id": run, "metrics": metrics })).map(drop)
    }

    /// Ends a run.
    pub fn end(&self, run: &str, state: &str, at_ms: i64) -> Result<()> {
        let body = json!({ "run_id": run, "status": state, "end_time": at_ms });
        self.post("runs/update", &body).map(drop)
    }

    /// Keeps a file of a run.
    pub fn put(&self, files: &str, name: &str, bytes: &[u8]) -> Result<()> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
        let encode = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
        let name: String = name.bytes().map(encode).collect();
        let request =
            self.agent.put(format!("{}/api/2.0/mlflow-artifacts/artifacts/{files}/{name}", self.url));
        self.answer(request.header("Authorization", format!("Bearer {}", self.token)).send(bytes)).map(drop)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let request = self.agent.post(format!("{}/api/2.0/mlflow/{path}", self.url));
        self.answer(request.header("Authorization", format!("Bearer {}", self.token)).send_json(body))
    }

    fn answer(&self, sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
        let mut response = sent.map_err(|e| {
            Error::new(Code::Unavailable, format!("the tracking server at {} does not answer", self.url))
                .because(e)
        })?;
        let is_good = response.status().is_success();
        // An answer without a body says that it went well.
        let body: Value = response.body_mut().read_json().unwrap_or_default();
        if is_good {
            return Ok(body);
        }
        let message = body["message"].as_str().unwrap_or("the tracking server refused a request");
        Err(Error::invalid(message))
    }
}
