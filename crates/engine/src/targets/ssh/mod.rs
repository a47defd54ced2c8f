//! Another machine, reached by this computer's own `ssh`, with its keys, agent, jumps and known hosts.
//! Each revision is a folder there and `current` a link to one of them; a new one is tried on a free
//! port beside what serves, through a tunnel, before the link is turned.

mod host;

use base::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::host::{Host, Tunnel};
use super::bundle::Contents;
use super::program::{self, Platform};
use super::{Answers, Declaration, Placed, Probe, Site, Target, Work, http, process};
use crate::artifacts::{Content, Tree, pack, sha256};

const UNIT: &str = include_str!("unit.service");

/// The target `ssh`.
pub(crate) struct OverSsh;

/// What keeps the server running there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum KeptBy {
    /// systemd where the user there has it, else the control script.
    #[default]
    Whichever,
    /// A unit of the user's systemd: it starts with the machine.
    Systemd,
    /// The control script: it starts a server that dies anew, but does not start with the machine.
    Script,
}

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The machine: `user@host`, or a name of your `~/.ssh/config`.
    #[schemars(extend("x-first" = true))]
    host: String,
    /// The folder there in which deployments lie, from the home folder if it does not begin with `/`.
    folder: String,
    /// The address that it listens on there: 127.0.0.1 for the machine itself and tunnels, 0.0.0.0 for
    /// others too.
    #[schemars(extend("x-first" = true))]
    listen: String,
    /// The port that it listens on there.
    #[schemars(extend("x-first" = true))]
    port: u16,
    /// What keeps it running.
    kept_by: KeptBy,
    /// A configuration of `ssh` to use instead of your own.
    ssh_config: Option<std::path::PathBuf>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            host: String::new(),
            folder: ".local/share/fettle".to_owned(),
            listen: "127.0.0.1".to_owned(),
            port: 8080,
            kept_by: KeptBy::Whichever,
            ssh_config: None,
        }
    }
}

/// What has to be known of a revision there; kept as the state of its [`Placed`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct There {
    /// The deployment's folder, from the root.
    base: String,
    /// True if systemd keeps it.
    systemd: bool,
    /// The port of the trial, while there is one.
    trial: Option<u16>,
    /// True once it was made the one that serves.
    switched: bool,
}

impl There {
    fn of(placed: &Placed) -> Result<Self> {
        serde_json::from_value(Value::Object(placed.state.clone()))
            .map_err(|e| Error::internal("what is known of the other machine cannot be read").because(e))
    }

    fn keep(&self, placed: &mut Placed) {
        placed.state = match serde_json::to_value(self) {
            Ok(Value::Object(state)) => state,
            _ => Map::new(),
        };
    }
}

impl Params {
    fn check(&self) -> Result<()> {
        let is_plain = |text: &str| {
            text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/@".contains(c)) && !text.starts_with('-')
        };
        if self.host.is_empty() || self.host.contains('/') || !is_plain(&self.host) {
            return Err(Error::invalid(format!("`host` cannot be `{}`", self.host.escape_debug()))
                .hint("name a machine as `user@host`, or as your `~/.ssh/config` calls it"));
        }
        if self.folder.is_empty() || !is_plain(&self.folder) || self.folder.split('/').any(|one| one == "..")
        {
            return Err(Error::invalid(format!("`folder` cannot be `{}`", self.folder.escape_debug()))
                .hint("use letters, digits, `.`, `_`, `-` and `/`"));
        }
        self.listen.parse::<std::net::IpAddr>().map_err(|_| {
            Error::invalid(format!("`{}` is no IP address to listen on", self.listen.escape_debug()))
        })?;
        super::absolute("ssh_config", self.ssh_config.as_deref())
    }

    fn host<'a>(&'a self, deployment: &'a str, base: &'a str) -> Host<'a> {
        Host { name: &self.host, config: self.ssh_config.as_deref(), base, deployment }
    }

    /// What a server has to be started anew for.
    fn settings(&self) -> (&str, u16, KeptBy) {
        (&self.listen, self.port, self.kept_by)
    }

    fn mode(there: &There) -> &'static str {
        if there.systemd { "systemd" } else { "script" }
    }
}

impl Target for OverSsh {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "ssh",
            title: "Machine over SSH",
            summary: "A server or a small computer that you reach by `ssh`; nothing needs to be installed there.",
            doc: "Fettle uses the `ssh` of this computer, so what works in a terminal works here: keys, agent, \
                  jump hosts. Connect once by hand first, so that the host is known. The new revision is tried \
                  there on a free port beside what serves; a server that runs loads it without a failed request.",
            runs: true,
            is_remote: true,
        }
    }

    fn unavailable(&self) -> Option<String> {
        host::unavailable()
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        params.check()?;
        super::stays(work, params, &["host", "folder", "ssh_config"])?;
        let place = format!("{}/{}", params.folder, work.site.deployment);
        Ok(vec![
            format!("ask `{}` what kind of machine it is", params.host),
            format!(
                "copy the server, the model and the token to `{place}/revisions/{}` there",
                work.revision
            ),
            "start it there on a free port and ask it for the golden rows through a tunnel".to_owned(),
            match work.before {
                Some(_) => "turn `current` to it and let the server that runs load it".to_owned(),
                None => format!("turn `current` to it and start it at {}:{}", params.listen, params.port),
            },
        ])
    }

    fn build(&self, params: &Params, work: &Work) -> Result<Placed> {
        work.progress.step("asking the machine what it is", 0, Some(5))?;
        let name = work.site.deployment;
        let seen = params.host(name, "").look()?;
        let platform = Platform::of(&seen.system, &seen.machine).ok_or_else(|| {
            Error::new(
                Code::Unavailable,
                format!(
                    "`{}` is {} on {}, for which there is no `fettle-serve`",
                    params.host, seen.system, seen.machine
                ),
            )
        })?;
        let there = There {
            base: seen.base(&params.folder, name)?,
            systemd: match params.kept_by {
                KeptBy::Whichever => seen.has_systemd,
                KeptBy::Script => false,
                KeptBy::Systemd if seen.has_systemd => true,
                KeptBy::Systemd => {
                    return Err(Error::new(
                        Code::Unavailable,
                        format!("systemd of the user of `{}` does not run", params.host),
                    )
                    .hint(
                        "set `kept_by` to `script`, or let an administrator call `loginctl enable-linger`",
                    ));
                }
            },
            ..There::default()
        };
        work.progress.step("packing it", 1, Some(5))?;
        let tree = tree(params, work, platform)?;
        let packed = pack::tar_gz(&tree)?;
        let to = work.fresh_dir()?.join("revision.tar.gz");
        store::files::write_atomic(&to, &packed)?;
        let mut placed = Placed {
            digest: Some(format!("sha256:{}", sha256(tree.checksums()?.as_bytes()))),
            place: Some(format!("{}:{}", params.host, there.base)),
            ..Placed::default()
        };
        there.keep(&mut placed);
        Ok(placed)
    }

    fn apply(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        let mut there = There::of(placed)?;
        let host = params.host(work.site.deployment, &there.base);
        let revision = work.revision.to_string();
        host.send(&work.site.built_dir(work.revision).join("revision.tar.gz"), work.progress)?;
        super::remove_dir(&work.site.built_dir(work.revision))?;
        work.progress.step("trying it there beside what serves", 3, Some(5))?;
        let port = host.call("trial", &[&revision])?;
        there.trial = port.trim().parse().ok();
        if there.trial.is_none() {
            return Err(Error::new(
                Code::DeployFailed,
                "the other machine does not say where the trial listens",
            )
            .because(port));
        }
        there.keep(placed);
        Ok(())
    }

    fn probe(&self, params: &Params, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers> {
        let there = There::of(placed)?;
        let host = params.host(work.site.deployment, &there.base);
        let tunnel = Tunnel::open(&host, there.trial.unwrap_or(params.port))?;
        let path = http::path(work.site.model, Some(placed.version));
        http::probe(&process::url(tunnel.port), work.site.token, &path, &rows.rows)
    }

    fn switch(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        work.progress.step("switching to it", 4, Some(5))?;
        let mut there = There::of(placed)?;
        there.trial = None;
        there.switched = true;
        there.keep(placed);
        let before = work.before.filter(|before| Self::is_same_server(params, &there, before));
        let how = if before.is_some() { "keep" } else { "renew" };
        self.turn(params, work, &there, (work.revision, how))?;
        let host = params.host(work.site.deployment, &there.base);
        let before = work.before.map(|before| before.revision.to_string());
        let stays = [Some(work.revision.to_string()), before];
        host.call("prune", &stays.iter().flatten().map(String::as_str).collect::<Vec<_>>())?;
        let is_open = params.listen.parse().is_ok_and(|ip: std::net::IpAddr| !ip.is_loopback());
        placed.url = if is_open { Some(format!("http://{}:{}", host.address()?, params.port)) } else { None };
        Ok(())
    }

    fn withdraw(&self, params: &Params, work: &Work, placed: &Placed) -> Result<Option<Placed>> {
        super::remove_dir(&work.site.built_dir(work.revision))?;
        let there = There::of(placed)?;
        let host = params.host(work.site.deployment, &there.base);
        let Some(before) = work.before else {
            if there.switched {
                host.call("stop", &[])?;
            }
            host.call("prune", &[])?;
            return Ok(None);
        };
        if there.switched {
            let own: Params = flow::kind::read_params(&before.params).map_err(|misfit| misfit.error)?;
            self.turn(&own, work, &There::of(before)?, (before.revision, "renew"))?;
        }
        host.call("prune", &[&before.revision.to_string()])?;
        Ok(None)
    }

    fn is_up(&self, params: &Params, site: &Site, placed: &Placed) -> bool {
        There::of(placed)
            .and_then(|there| params.host(site.deployment, &there.base).call("status", &[]))
            .is_ok_and(|state| state.trim() == "runs")
    }

    fn log(&self, params: &Params, site: &Site, placed: &Placed) -> Result<String> {
        params.host(site.deployment, &There::of(placed)?.base).call("log", &[])
    }

    fn stop(&self, params: &Params, site: &Site, placed: &Placed) -> Result<()> {
        params.host(site.deployment, &There::of(placed)?.base).call("stop", &[]).map(drop)
    }

    fn remove(&self, params: &Params, site: &Site, placed: &Placed) -> Result<()> {
        params.host(site.deployment, &There::of(placed)?.base).call("remove", &[]).map(drop)
    }
}

impl OverSsh {
    /// True if the server of a revision before can go on with another model.
    fn is_same_server(params: &Params, there: &There, before: &Placed) -> bool {
        let own = flow::kind::read_params::<Params>(&before.params).ok();
        let was = There::of(before).unwrap_or_default();
        own.is_some_and(|own| own.settings() == params.settings() && own.host == params.host)
            && (&was.base, was.systemd) == (&there.base, there.systemd)
    }

    /// Turns `current` to a revision and sees that a server serves it.
    fn turn(&self, params: &Params, work: &Work, there: &There, to: (u32, &str)) -> Result<()> {
        let host = params.host(work.site.deployment, &there.base);
        let said = host.call("switch", &[&to.0.to_string(), to.1, Params::mode(there)])?;
        let tunnel = Tunnel::open(&host, params.port)?;
        if said.lines().any(|line| line == "load") {
            return process::reload(tunnel.port, work.site.token);
        }
        host::wait_until_ready(&host, tunnel.port)
    }
}

/// What is copied there: a bundle with its token.
fn tree(params: &Params, work: &Work, platform: Platform) -> Result<Tree> {
    let contents = Contents {
        model: work.site.model,
        version: work.version,
        package: work.package,
        program: &program::for_platform(platform)?,
        platform,
        host: &params.listen,
        port: params.port,
        example: None,
    };
    let mut tree = contents.tree()?;
    tree.text("systemd/unit", &UNIT.replace("@NAME@", work.site.deployment));
    tree.add("token", Content::Bytes(work.site.token.as_bytes().to_vec()), 0o600);
    Ok(tree)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_shell_or_ssh_would_read_as_something_else_is_refused() {
        let with = |host: &str, folder: &str| {
            Params { host: host.to_owned(), folder: folder.to_owned(), ..Params::default() }.check()
        };
        assert!(with("ml@edge-1.example.com", ".local/share/fettle").is_ok());
        for (host, folder) in [
            ("", "a"),
            ("-oProxyCommand=x", "a"),
            ("a b", "a"),
            ("a;b", "a"),
            ("a/b", "a"),
            ("a", ""),
            ("a", "-a"),
            ("a", "../a"),
            ("a", "$HOME"),
            ("a", "a b"),
        ] {
            assert!(with(host, folder).is_err(), "{host} {folder}");
        }
        let wrong = Params { host: "a".to_owned(), listen: "everywhere".to_owned(), ..Params::default() };
        assert!(wrong.check().expect_err("no address").message.contains("everywhere"));
    }

    #[test]
    fn a_server_is_started_anew_when_its_settings_change() {
        let params = Params { host: "a".to_owned(), ..Params::default() };
        let there = There { base: "/b".to_owned(), ..There::default() };
        let mut before =
            Placed { params: json!(params).as_object().cloned().unwrap_or_default(), ..Placed::default() };
        there.keep(&mut before);
        assert!(OverSsh::is_same_server(&params, &there, &before));
        let other = Params { port: 1234, ..params.clone() };
        assert!(!OverSsh::is_same_server(&other, &there, &before));
        let moved = There { base: "/c".to_owned(), ..there };
        assert!(!OverSsh::is_same_server(&params, &moved, &before));
    }
}
