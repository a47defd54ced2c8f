//! A bundle: one folder, gzipped tar or zip that runs anywhere after unpacking.

use std::path::{Path, PathBuf};

use base::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::process::{self, Start};
use super::program::{self, Platform};
use super::{
    Answers, Declaration, Endpoint, Placed, Probe, Site, Target, Work, absolute, http, remove_dir,
    remove_file, tail,
};
use crate::artifacts::{Tree, pack, sha256};

const CONTROL: &str = include_str!("bundle/control.sh");
const CONTROL_WINDOWS: &str = include_str!("bundle/control.ps1");
const UNIT: &str = include_str!("bundle/unit.service");
const README: &str = include_str!("bundle/README.md");

/// The target `bundle`.
pub(crate) struct Bundle;

/// How a bundle is packed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// A gzipped tar, for Linux and macOS.
    #[default]
    TarGz,
    /// A zip, for Windows.
    Zip,
    /// A folder.
    Folder,
}

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The folder to write it in; the deployment's own if left out.
    #[schemars(extend("x-first" = true))]
    to: Option<PathBuf>,
    /// How it is packed.
    #[schemars(extend("x-first" = true))]
    format: Format,
    /// What it is to run on.
    #[schemars(extend("x-first" = true))]
    platform: Platform,
    /// The address that it listens on: 127.0.0.1 for the same machine, 0.0.0.0 for others too.
    host: String,
    /// The port.
    port: u16,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            to: None,
            format: Format::TarGz,
            platform: Platform::ThisOne,
            host: "127.0.0.1".to_owned(),
            port: 8080,
        }
    }
}

/// What a bundle holds besides the model.
pub(crate) struct Contents<'a> {
    pub(crate) model: &'a str,
    pub(crate) version: u32,
    pub(crate) package: &'a Path,
    pub(crate) program: &'a Path,
    pub(crate) platform: Platform,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// A row to show in the README.
    pub(crate) example: Option<Map<String, Value>>,
}

impl Contents<'_> {
    /// The files. They hold no secret and no moment, so that the same model gives the same bytes.
    pub(crate) fn tree(&self) -> Result<Tree> {
        let mut tree = Tree::default();
        let host = if self.host == "0.0.0.0" { "localhost" } else { self.host };
        let example = self.example.clone().unwrap_or_default();
        let body = json!({ "dataframe_records": [example] }).to_string().replace('\'', "'\\''");
        let fill = |text: &str| {
            text.replace("@NAME@", self.model)
                .replace("@VERSION@", &self.version.to_string())
                .replace("@ADDRESS@", &format!("http://{host}:{}", self.port))
                .replace("@BODY@", &body)
                .replace("@PLATFORM@", &self.platform.name())
                .replace("@SUFFIX@", self.platform.suffix())
        };
        let config = serde_json::to_string_pretty(&json!({
            "host": self.host,
            "port": self.port,
            "tokenFile": "token",
            "models": [{
                "name": self.model,
                "current": self.version.to_string(),
                "versions": [{ "version": self.version.to_string(), "package": "model" }],
            }],
        }));
        let config = config.map_err(|e| Error::internal("cannot write a configuration").because(e))?;
        tree.program(&format!("bin/fettle-serve{}", self.platform.suffix()), self.program);
        tree.folder_of("model", self.package)?;
        tree.text("serve.json", &(config + "\n"));
        tree.script("control.sh", CONTROL);
        tree.text("control.ps1", &fill(CONTROL_WINDOWS));
        tree.text(&format!("systemd/{}.service", self.model), &fill(UNIT));
        tree.text("README.md", &fill(README));
        let checksums = tree.checksums()?;
        tree.text("checksums.txt", &checksums);
        Ok(tree)
    }
}

impl Params {
    fn name(&self, work: &Work) -> String {
        let name = format!("{}-v{}-{}", work.site.model, work.version, self.platform.name());
        match self.format {
            Format::TarGz => format!("{name}.tar.gz"),
            Format::Zip => format!("{name}.zip"),
            Format::Folder => name,
        }
    }

    fn folder(&self, site: &Site) -> PathBuf {
        self.to.clone().unwrap_or_else(|| site.folder.join("bundles"))
    }
}

impl Target for Bundle {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "bundle",
            title: "Bundle",
            summary: "One folder, tar.gz or zip with the server, the model and a control script; runs anywhere.",
            doc: "Unpack it and call `control.sh start`. The same version always gives the same bytes. Before it \
                  is written where you want it, it is unpacked, started and asked for the golden rows here, if it \
                  is made for this platform.",
            runs: false,
            is_remote: false,
        }
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        absolute("to", params.to.as_deref())?;
        let program = program::for_platform(params.platform)?;
        params.host.parse::<std::net::IpAddr>().map_err(|_| {
            Error::invalid(format!("`{}` is no IP address to listen on", params.host.escape_debug()))
        })?;
        let gate = match params.platform.name() == Platform::ThisOne.name() {
            true => "start it from a fresh folder on this computer and ask it for the golden rows",
            false => {
                "ask the package for the golden rows in this program, since it is made for another platform"
            }
        };
        Ok(vec![
            format!("pack the model, `{}`, a control script and a unit", program.display()),
            gate.to_owned(),
            format!("write `{}`", params.folder(&work.site).join(params.name(work)).display()),
        ])
    }

    fn build(&self, params: &Params, work: &Work) -> Result<Placed> {
        work.progress.step("packing the bundle", 0, Some(3))?;
        let package = work.load()?;
        let contents = Contents {
            model: work.site.model,
            version: work.version,
            package: work.package,
            program: &program::for_platform(params.platform)?,
            platform: params.platform,
            host: &params.host,
            port: params.port,
            example: package.card().and_then(|card| Some(card.golden.as_ref()?.inputs.clone())),
        };
        let tree = contents.tree()?;
        let name = format!("{}-v{}", work.site.model, work.version);
        let folder = work.fresh_dir()?;
        let to = folder.join(params.name(work));
        let digest = match params.format {
            Format::TarGz => write(&to, &pack::tar_gz(&tree.below(&name))?)?,
            Format::Zip => write(&to, &pack::zip(&tree.below(&name))?)?,
            Format::Folder => {
                tree.write_to(&to)?;
                sha256(tree.checksums()?.as_bytes())
            }
        };
        Ok(Placed { digest: Some(format!("sha256:{digest}")), ..Placed::default() })
    }

    /// Nothing is put anywhere before the gate.
    fn apply(&self, _params: &Params, _work: &Work, _placed: &mut Placed) -> Result<()> {
        Ok(())
    }

    fn probe(&self, params: &Params, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers> {
        if params.platform.name() != Platform::ThisOne.name() {
            return rows.here(work);
        }
        let made = match placed.files.first() {
            Some(file) => file.clone(),
            None => work.site.built_dir(work.revision).join(params.name(work)),
        };
        let fresh = tempfile::tempdir().map_err(|e| Error::internal("no temporary folder").because(e))?;
        let root = unpack(&made, params.format, fresh.path())?;
        ask(&root, work, rows)
    }

    fn switch(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        work.progress.step("writing it", 2, Some(3))?;
        let folder = params.folder(&work.site);
        std::fs::create_dir_all(&folder).map_err(|e| Error::io("create", &folder, &e))?;
        let (from, to) =
            (work.site.built_dir(work.revision).join(params.name(work)), folder.join(params.name(work)));
        if params.format == Format::Folder {
            replace_folder(&from, &to)?;
        } else {
            let bytes = std::fs::read(&from).map_err(|e| Error::io("read", &from, &e))?;
            store::files::write_atomic(&to, &bytes)?;
        }
        remove_dir(&work.site.built_dir(work.revision))?;
        placed.place = Some(to.display().to_string());
        placed.files = vec![to];
        Ok(())
    }

    fn withdraw(&self, _params: &Params, work: &Work, _placed: &Placed) -> Result<Option<Placed>> {
        remove_dir(&work.site.built_dir(work.revision))?;
        Ok(None)
    }

    fn is_up(&self, params: &Params, _site: &Site, placed: &Placed) -> bool {
        let Some(file) = placed.files.first() else { return false };
        match params.format {
            Format::Folder => file.join("checksums.txt").is_file(),
            Format::TarGz | Format::Zip => std::fs::read(file)
                .is_ok_and(|bytes| placed.digest == Some(format!("sha256:{}", sha256(&bytes)))),
        }
    }

    fn log(&self, _params: &Params, _site: &Site, placed: &Placed) -> Result<String> {
        // One that was started where it was written has a log there; elsewhere it has its own.
        placed.files.first().map_or(Ok(String::new()), |file| tail(&file.join("server.log")))
    }

    fn remove(&self, _params: &Params, _site: &Site, placed: &Placed) -> Result<()> {
        placed
            .files
            .iter()
            .try_for_each(|file| if file.is_dir() { remove_dir(file) } else { remove_file(file) })
    }
}

fn write(to: &Path, bytes: &[u8]) -> Result<String> {
    store::files::write_atomic(to, bytes)?;
    Ok(sha256(bytes))
}

/// Puts a folder where another one may be. For a moment neither is there.
fn replace_folder(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(to);
    let staged = store::files::StagedDir::new_in(parent)?;
    copy_folder(from, staged.path())?;
    remove_dir(to)?;
    staged.publish(to)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from).map_err(|e| Error::io("read", from, &e))? {
        let entry = entry.map_err(|e| Error::io("read", from, &e))?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir(&target).map_err(|e| Error::io("create", &target, &e))?;
            copy_folder(&entry.path(), &target)?;
        } else {
            // The permissions go along.
            std::fs::copy(entry.path(), &target).map_err(|e| Error::io("write", &target, &e))?;
        }
    }
    Ok(())
}

/// Unpacks a bundle as its user would, and gives back the folder in it.
fn unpack(made: &Path, format: Format, to: &Path) -> Result<PathBuf> {
    let fail = |e: std::io::Error| Error::io("unpack", made, &e);
    match format {
        Format::Folder => copy_folder(made, to)?,
        Format::Zip => {
            let file = std::fs::File::open(made).map_err(fail)?;
            let mut archive = zip::ZipArchive::new(file).map_err(|e| fail(std::io::Error::other(e)))?;
            archive.extract(to).map_err(|e| fail(std::io::Error::other(e)))?;
        }
        Format::TarGz => {
            let bytes = std::fs::read(made).map_err(fail)?;
            crate::artifacts::tar::unpack_gz(&bytes, to)?;
        }
    }
    if format == Format::Folder {
        return Ok(to.to_owned());
    }
    let only = std::fs::read_dir(to).map_err(fail)?.next();
    Ok(only.ok_or_else(|| Error::internal("a bundle holds nothing"))?.map_err(fail)?.path())
}

/// Starts an unpacked bundle's own server on a free port, asks it, and stops it.
pub(crate) fn ask(root: &Path, work: &Work, rows: &Probe) -> Result<Answers> {
    let config = root.join("serve.json");
    let text = std::fs::read(&config).map_err(|e| Error::io("read", &config, &e))?;
    let mut settings: Value =
        serde_json::from_slice(&text).map_err(|e| Error::internal("a bundle's configuration").because(e))?;
    let port = process::free_port(None)?;
    settings["host"] = json!("127.0.0.1");
    settings["port"] = json!(port);
    settings["instance"] = json!(work.instance);
    store::files::write_atomic(&config, settings.to_string().as_bytes())?;
    store::files::write_atomic(&root.join("token"), work.site.token.as_bytes())?;
    let program = root.join(format!("bin/fettle-serve{}", std::env::consts::EXE_SUFFIX));
    let started = process::start(&Start {
        program: &program,
        before: &[],
        config: &config,
        log: &root.join("server.log"),
        port,
        instance: work.instance,
        token: work.site.token,
        remember: &|_: &Endpoint| Ok(()),
    })?;
    let path = http::path(work.site.model, Some(work.version));
    let answers = http::probe(&process::url(port), work.site.token, &path, &rows.rows);
    process::stop(&started, work.site.token)?;
    answers
}
