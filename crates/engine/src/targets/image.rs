//! An OCI image, written without a container engine: as one tar that docker, podman and skopeo take,
//! and pushed to a registry.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::process::{self, Start};
use super::program::{self, Platform};
use super::{
    Answers, Declaration, Endpoint, Placed, Probe, Site, Target, Work, absolute, http, remove_dir,
    remove_file,
};
use crate::artifacts::elf::{self, Program};
use crate::artifacts::oci::{self, Spec};
use crate::artifacts::registry::{self, Reference, Registry};
use crate::artifacts::{Tree, sha256, tar};

/// Where the server and the model are in the image.
const PROGRAM: &str = "usr/bin/fettle-serve";
const MODEL: &str = "model";
const CONFIG: &str = "etc/fettle/serve.json";

/// The target `oci`.
pub(crate) struct Image;

/// Who may ask the server in the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// Whoever sends the token, which the container gets in the variable FETTLE_TOKEN; it does not start
    /// without.
    #[default]
    Token,
    /// Everybody who reaches the port: for clouds that check callers themselves.
    Open,
}

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The image's name, such as `registry.example.com/team/penguins`; `localhost/<model>` if left out.
    /// Without a tag it gets the version's number.
    #[schemars(extend("x-first" = true))]
    pub(crate) image: Option<String>,
    /// Pushes it to its registry, with the login of docker or podman, or that of the variables
    /// FETTLE_REGISTRY_USER and FETTLE_REGISTRY_PASSWORD.
    #[schemars(extend("x-first" = true))]
    pub(crate) push: bool,
    /// Speaks plain HTTP to the registry, which this computer's own always get.
    pub(crate) plain_http: bool,
    /// Writes the image as one tar in this folder, for `docker load` and `podman load`; the
    /// deployment's own folder if left out.
    #[schemars(extend("x-first" = true))]
    pub(crate) to: Option<PathBuf>,
    /// The processor that it is for.
    pub(crate) platform: Platform,
    /// Who may ask.
    pub(crate) access: Access,
    /// The port that it listens on; the variable PORT overrules it.
    pub(crate) port: u16,
    /// The user that it runs as; SageMaker wants `0:0`.
    pub(crate) user: String,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            image: None,
            push: false,
            plain_http: false,
            to: None,
            platform: Platform::LinuxX86,
            access: Access::Token,
            port: 8080,
            user: "65532:65532".to_owned(),
        }
    }
}

impl Params {
    /// The whole name of the image.
    pub(crate) fn reference(&self, work: &Work) -> Result<Reference> {
        let tag = work.version.to_string();
        match self.image.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => Reference::parse(name, &tag),
            None => Reference::parse(&format!("localhost/{}", work.site.model.to_ascii_lowercase()), &tag),
        }
    }

    fn registry(&self, reference: &Reference) -> Registry {
        Registry::new(reference, self.plain_http, registry::login(&reference.registry))
    }

    /// Builds the image.
    pub(crate) fn build(&self, work: &Work) -> Result<oci::Image> {
        let program = program::for_platform(self.platform)?;
        let bytes = std::fs::read(&program).map_err(|e| Error::io("read", &program, &e))?;
        let headers = elf::read(&bytes).ok_or_else(|| {
            Error::new(Code::Unavailable, format!("`{}` is no program for Linux", program.display()))
                .hint("images need the `fettle-serve` for Linux; see the parameter `platform`")
        })?;
        let labels = BTreeMap::from(
            [
                ("org.opencontainers.image.title", work.site.model.to_owned()),
                ("org.opencontainers.image.version", work.version.to_string()),
                // Tells SageMaker that the server listens where it is told to.
                ("com.amazonaws.sagemaker.capabilities.accept-bind-to-port", "true".to_owned()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        oci::Image::build(&Spec {
            architecture: headers.architecture,
            layers: vec![
                ("fettle-serve", program_layer(&program, &headers)?),
                ("model", self.model_layer(work)?),
            ],
            entrypoint: vec![format!("/{PROGRAM}"), "--config".to_owned(), format!("/{CONFIG}")],
            arguments: vec!["serve".to_owned()],
            user: self.user.clone(),
            port: self.port,
            environment: vec!["PATH=/usr/bin".to_owned(), format!("PORT={}", self.port)],
            labels,
        })
    }

    fn model_layer(&self, work: &Work) -> Result<Tree> {
        let version = work.version.to_string();
        let config = json!({
            "host": "0.0.0.0",
            "open": self.access == Access::Open,
            "models": [{
                "name": work.site.model,
                "current": version,
                "versions": [{ "version": version, "package": format!("/{MODEL}") }],
            }],
        });
        let mut tree = Tree::default();
        tree.text(CONFIG, &format!("{config:#}\n"));
        tree.folder_of(MODEL, work.package)?;
        Ok(tree)
    }

    /// Builds the image, asks it for the rows where this computer can run it, and pushes it.
    pub(crate) fn built_and_pushed(&self, work: &Work) -> Result<(Reference, oci::Image)> {
        let reference = self.reference(work)?;
        let image = self.build(work)?;
        self.registry(&reference).push(&image, work.progress)?;
        Ok((reference, image))
    }
}

/// The server and what it needs: nothing if it is linked statically, else the loader and the libraries
/// of this machine.
fn program_layer(program: &Path, headers: &Program) -> Result<Tree> {
    let mut tree = Tree::default();
    tree.program(PROGRAM, program);
    for (path, file) in elf::companions(headers)? {
        tree.program(path.trim_start_matches('/'), &file);
    }
    tree.text("etc/passwd", "root:x:0:0::/:/bin/false\nserve:x:65532:65532::/:/bin/false\n");
    tree.text("etc/group", "root:x:0:\nserve:x:65532:\n");
    tree.folder("tmp", 0o1777);
    Ok(tree)
}

/// Lays the files of an image out in a folder, runs the server from there, with the loader and the
/// libraries of the image, and asks it.
pub(crate) fn ask(params: &Params, work: &Work, rows: &Probe) -> Result<Answers> {
    let program = program::for_platform(params.platform)?;
    let bytes = std::fs::read(&program).map_err(|e| Error::io("read", &program, &e))?;
    let headers = elf::read(&bytes).ok_or_else(|| Error::internal("an image holds no program for Linux"))?;
    let is_ours = cfg!(target_os = "linux")
        && headers.architecture == if cfg!(target_arch = "x86_64") { "amd64" } else { "arm64" };
    if !is_ours {
        return rows.here(work);
    }
    let fresh = tempfile::tempdir().map_err(|e| Error::internal("no temporary folder").because(e))?;
    let root = fresh.path();
    program_layer(&program, &headers)?.write_to(root)?;
    params.model_layer(work)?.write_to(root)?;
    let port = process::free_port(None)?;
    let version = work.version.to_string();
    let config = json!({
        "port": port,
        "tokenFile": "token",
        "instance": work.instance,
        "models": [{
            "name": work.site.model,
            "current": version,
            "versions": [{ "version": version, "package": MODEL }],
        }],
    });
    store::files::write_atomic(&root.join("serve.json"), config.to_string().as_bytes())?;
    store::files::write_atomic(&root.join("token"), work.site.token.as_bytes())?;
    let inside = |path: &str| root.join(path.trim_start_matches('/'));
    let (starter, before) = match &headers.loader {
        None => (inside(PROGRAM), Vec::new()),
        Some(loader) => {
            let companions = elf::companions(&headers)?;
            let folders =
                companions.keys().filter_map(|path| Some(inside(Path::new(path).parent()?.to_str()?)));
            let folders = std::env::join_paths(folders).unwrap_or_default();
            let before: Vec<OsString> = vec!["--library-path".into(), folders, inside(PROGRAM).into()];
            (inside(loader), before)
        }
    };
    let started = process::start(&Start {
        program: &starter,
        before: &before,
        config: &root.join("serve.json"),
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

impl Image {
    fn file(params: &Params, site: &Site, version: u32) -> PathBuf {
        let folder = params.to.clone().unwrap_or_else(|| site.folder.join("images"));
        folder.join(format!("{}-v{version}-image.tar", site.model))
    }
}

impl Target for Image {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "oci",
            title: "Container image",
            summary: "An image for docker, podman and Kubernetes, made without any of them, pushed or as one tar.",
            doc: "The image holds `fettle-serve`, the model and nothing else; no container engine is needed to make \
                  it. The same version always gives the same digest. A second version of a model pushes only the \
                  model's layer. Run it read-only and without capabilities: \
                  `podman run --read-only --cap-drop=all -e FETTLE_TOKEN=… -p 8080:8080 IMAGE`.",
            runs: false,
            is_remote: true,
        }
    }

    fn unavailable(&self) -> Option<String> {
        program::for_platform(Platform::LinuxX86)
            .or_else(|_| program::for_platform(Platform::LinuxArm))
            .err()
            .map(|error| error.to_string())
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        absolute("to", params.to.as_deref())?;
        let reference = params.reference(work)?;
        if params.push && params.image.is_none() {
            return Err(Error::invalid("an image without a registry in its name cannot be pushed")
                .hint("set `image` to a name such as `registry.example.com/team/model`"));
        }
        let mut steps = vec![
            format!(
                "build the image `{reference}` from `{}` and the model",
                program::for_platform(params.platform)?.display()
            ),
            "run its files on this computer, if they are made for it, and ask for the golden rows".to_owned(),
        ];
        if params.push {
            steps.push(format!("push it to {}", reference.registry));
        }
        steps.push(format!("write `{}`", Self::file(params, &work.site, work.version).display()));
        Ok(steps)
    }

    fn build(&self, params: &Params, work: &Work) -> Result<Placed> {
        work.progress.step("building the image", 0, Some(4))?;
        let reference = params.reference(work)?;
        let image = params.build(work)?;
        let to = work.fresh_dir()?.join("image.tar");
        store::files::write_atomic(&to, &tar::tar(&image.layout(&reference.to_string())?)?)?;
        Ok(Placed { digest: Some(image.digest), place: Some(reference.to_string()), ..Placed::default() })
    }

    fn apply(&self, _params: &Params, _work: &Work, _placed: &mut Placed) -> Result<()> {
        Ok(())
    }

    fn probe(&self, params: &Params, work: &Work, _placed: &Placed, rows: &Probe) -> Result<Answers> {
        ask(params, work, rows)
    }

    fn switch(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        if params.push {
            params.built_and_pushed(work)?;
        }
        work.progress.step("writing it", 3, Some(4))?;
        let (from, to) = (
            work.site.built_dir(work.revision).join("image.tar"),
            Self::file(params, &work.site, work.version),
        );
        let folder = to.parent().unwrap_or(&to);
        std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        let bytes = std::fs::read(&from).map_err(|e| Error::io("read", &from, &e))?;
        store::files::write_atomic(&to, &bytes)?;
        store::files::write_atomic(&checksum_file(&to), sha256(&bytes).as_bytes())?;
        remove_dir(&work.site.built_dir(work.revision))?;
        placed.files = vec![to];
        Ok(())
    }

    fn withdraw(&self, _params: &Params, work: &Work, _placed: &Placed) -> Result<Option<Placed>> {
        remove_dir(&work.site.built_dir(work.revision))?;
        Ok(None)
    }

    fn is_up(&self, params: &Params, _site: &Site, placed: &Placed) -> bool {
        let is_whole = |file: &PathBuf| {
            let (bytes, sum) = (std::fs::read(file), std::fs::read_to_string(checksum_file(file)));
            matches!((bytes, sum), (Ok(bytes), Ok(sum)) if sum.trim() == sha256(&bytes))
        };
        placed.files.iter().all(is_whole)
            && (!params.push || self.pushed(params, placed).is_ok_and(|same| same))
    }

    fn log(&self, params: &Params, _site: &Site, placed: &Placed) -> Result<String> {
        let (place, digest) =
            (placed.place.as_deref().unwrap_or_default(), placed.digest.as_deref().unwrap_or_default());
        let mut text = format!("{place}\n{digest}\n");
        if params.push {
            let is_there = self.pushed(params, placed)?;
            text.push_str(if is_there {
                "the registry has it\n"
            } else {
                "the registry has another image of that name\n"
            });
        }
        Ok(text)
    }

    fn remove(&self, _params: &Params, _site: &Site, placed: &Placed) -> Result<()> {
        // What was pushed stays: other machines may run it, and most registries let nobody delete.
        placed.files.iter().try_for_each(|file| {
            remove_file(&checksum_file(file))?;
            remove_file(file)
        })
    }
}

impl Image {
    fn pushed(&self, params: &Params, placed: &Placed) -> Result<bool> {
        let reference = Reference::parse(placed.place.as_deref().unwrap_or_default(), "latest")?;
        Ok(params.registry(&reference).digest()? == placed.digest)
    }
}

fn checksum_file(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".sha256");
    PathBuf::from(name)
}
