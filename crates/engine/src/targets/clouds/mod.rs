//! Clouds that run an image: it is pushed, and the files that their own tools take are written, with a
//! script that calls them. Nothing is made in the cloud by us: who pays says when.

mod files;

use std::path::PathBuf;

use base::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::image::{self, Access};
use super::program::Platform;
use super::{Answers, Declaration, Placed, Probe, Site, Target, Work, absolute, remove_file};
use crate::artifacts::Tree;
use crate::artifacts::registry::Reference;

/// The target `cloud`.
pub(crate) struct Cloud;

/// The service that runs the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Service {
    /// Cloud Run of Google.
    #[default]
    CloudRun,
    /// Vertex AI of Google: an endpoint with a deployed model.
    VertexAi,
    /// SageMaker of Amazon: a real-time endpoint.
    #[serde(rename = "sagemaker")]
    SageMaker,
    /// Azure Machine Learning: a managed online endpoint.
    AzureMl,
}

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The service.
    #[schemars(extend("x-first" = true))]
    service: Service,
    /// The image's name in a registry that the service may pull from.
    #[schemars(extend("x-first" = true))]
    image: String,
    /// Pushes the image.
    push: bool,
    /// Speaks plain HTTP to the registry, which this computer's own always get.
    plain_http: bool,
    /// The folder to write the files in; the deployment's own if left out.
    to: Option<PathBuf>,
    /// The region, such as `europe-west1`, `eu-central-1` or `westeurope`.
    #[schemars(extend("x-first" = true))]
    region: String,
    /// The project of Google, or the workspace of Azure; the role's ARN of Amazon.
    #[schemars(extend("x-first" = true))]
    account: String,
    /// The resource group of Azure.
    resource_group: Option<String>,
    /// The kind of machine; one that is small at each service if left out.
    machine: Option<String>,
    /// Instances that serve, at least.
    #[schemars(range(min = 0, max = 100))]
    instances: u16,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            service: Service::CloudRun,
            image: String::new(),
            push: true,
            plain_http: false,
            to: None,
            region: String::new(),
            account: String::new(),
            resource_group: None,
            machine: None,
            instances: 1,
        }
    }
}

impl Params {
    fn check(&self) -> Result<()> {
        absolute("to", self.to.as_deref())?;
        let mut needed = vec![("image", &self.image), ("region", &self.region), ("account", &self.account)];
        let (group, machine) =
            (self.resource_group.clone().unwrap_or_default(), self.machine.clone().unwrap_or_default());
        if self.service == Service::AzureMl {
            needed.push(("resource_group", &group));
        }
        for (name, value) in needed {
            if value.is_empty() {
                let service = self.service.title();
                return Err(Error::invalid(format!("{service} needs `{name}`"))
                    .hint(format!("set it as `--set {name}=…`, or in the form")));
            }
        }
        let others = [("resource_group", &group), ("machine", &machine)];
        for (name, value) in [("region", &self.region), ("account", &self.account)].into_iter().chain(others)
        {
            // They go into scripts as they are.
            if !value.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:/+=@".contains(c)) {
                return Err(Error::invalid(format!("`{name}` cannot be `{}`", value.escape_debug())));
            }
        }
        Ok(())
    }

    /// The image as the service wants it.
    fn image(&self) -> image::Params {
        image::Params {
            image: Some(self.image.clone()),
            push: self.push,
            plain_http: self.plain_http,
            platform: Platform::LinuxX86,
            // These let only those in who may ask; Cloud Run can be open to everybody.
            access: if self.service == Service::CloudRun { Access::Token } else { Access::Open },
            // SageMaker mounts what only root may read.
            user: if self.service == Service::SageMaker { "0:0" } else { "65532:65532" }.to_owned(),
            ..image::Params::default()
        }
    }

    fn folder(&self, site: &Site) -> PathBuf {
        self.to.clone().unwrap_or_else(|| site.folder.join("cloud"))
    }

    fn tree(&self, site: &Site, version: u32, reference: &Reference, digest: &str) -> Tree {
        let image = match self.push {
            true => format!("{}/{}@{digest}", reference.registry, reference.repository),
            false => reference.to_string(),
        };
        files::tree(
            self,
            &files::Subject { name: files::name(site.deployment), model: site.model, version, image },
        )
    }
}

impl Service {
    fn title(self) -> &'static str {
        match self {
            Self::CloudRun => "Cloud Run",
            Self::VertexAi => "Vertex AI",
            Self::SageMaker => "SageMaker",
            Self::AzureMl => "Azure ML",
        }
    }
}

impl Target for Cloud {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "cloud",
            title: "Cloud service",
            summary: "The image and the files for Cloud Run, Vertex AI, SageMaker or Azure ML, with a script that applies them.",
            doc: "Fettle pushes the image and writes the files; `deploy.sh` among them calls the service's own tool, with \
                  your login, and `remove.sh` takes everything away. Except on Cloud Run, the server answers whoever \
                  the service lets through.",
            runs: false,
            is_remote: false,
        }
    }

    fn unavailable(&self) -> Option<String> {
        super::find("oci").ok()?.unavailable()
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        params.check()?;
        let reference = params.image().reference(work)?;
        let mut steps =
            vec![format!("build the image `{reference}`, run its files here and ask for the golden rows")];
        if params.push {
            steps.push(format!("push it to {}", reference.registry));
        }
        let folder = params.folder(&work.site);
        steps.push(format!("write the files for {} to `{}`", params.service.title(), folder.display()));
        Ok(steps)
    }

    fn build(&self, params: &Params, work: &Work) -> Result<Placed> {
        work.progress.step("building the image", 0, Some(3))?;
        let image = params.image();
        Ok(Placed {
            digest: Some(image.build(work)?.digest),
            place: Some(image.reference(work)?.to_string()),
            ..Placed::default()
        })
    }

    /// Nothing is put anywhere before the gate.
    fn apply(&self, _params: &Params, _work: &Work, _placed: &mut Placed) -> Result<()> {
        Ok(())
    }

    fn probe(&self, params: &Params, work: &Work, _placed: &Placed, rows: &Probe) -> Result<Answers> {
        image::ask(&params.image(), work, rows)
    }

    fn switch(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        if params.push {
            work.progress.step("pushing the image", 1, Some(3))?;
            params.image().built_and_pushed(work)?;
        }
        work.progress.step("writing the files", 2, Some(3))?;
        let reference = params.image().reference(work)?;
        let tree =
            params.tree(&work.site, work.version, &reference, placed.digest.as_deref().unwrap_or_default());
        let folder = params.folder(&work.site);
        tree.write_to(&folder)?;
        placed.files = tree.entries().map(|(path, _)| folder.join(path)).collect();
        placed.place = Some(folder.display().to_string());
        Ok(())
    }

    fn withdraw(&self, _params: &Params, work: &Work, _placed: &Placed) -> Result<Option<Placed>> {
        let Some(before) = work.before else { return Ok(None) };
        // The files of what served before may be overwritten already; it is known what they were.
        let own: Params = flow::kind::read_params(&before.params).map_err(|misfit| misfit.error)?;
        let tag = before.version.to_string();
        let reference = Reference::parse(&own.image, &tag)?;
        let tree =
            own.tree(&work.site, before.version, &reference, before.digest.as_deref().unwrap_or_default());
        tree.write_to(&own.folder(&work.site))?;
        Ok(None)
    }

    fn is_up(&self, _params: &Params, _site: &Site, placed: &Placed) -> bool {
        !placed.files.is_empty() && placed.files.iter().all(|file| file.is_file())
    }

    fn log(&self, params: &Params, _site: &Site, placed: &Placed) -> Result<String> {
        let files: String = placed.files.iter().map(|file| format!("wrote {}\n", file.display())).collect();
        Ok(format!("{files}{} keeps the log of what runs\n", params.service.title()))
    }

    fn remove(&self, _params: &Params, _site: &Site, placed: &Placed) -> Result<()> {
        placed.files.iter().try_for_each(|file| remove_file(file))?;
        // The folder may hold more than ours; then it stays.
        let _ = placed.files.first().and_then(|file| file.parent()).map(std::fs::remove_dir);
        Ok(())
    }
}
