//! Kubernetes: an image in a registry and the files that run it, applied by the user's own `kubectl` or
//! only written. A pod on trial is asked before any service leads to the new version.

mod kubectl;
mod manifests;

use std::path::{Path, PathBuf};

use base::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::kubectl::Kubectl;
use self::manifests::{Manifests, PORT};
use super::image::{self, Access};
use super::program::Platform;
use super::{Answers, Declaration, Placed, Probe, Site, Target, Work, absolute, http, process, remove_dir};
use crate::artifacts::registry::Reference;
use crate::artifacts::yaml;

/// How long pods may take until they are ready.
const READY: &str = "--timeout=180s";

/// The target `kubernetes`.
pub(crate) struct Kubernetes;

/// What runs the image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// A Deployment and a Service, which every cluster knows.
    #[default]
    Deployment,
    /// An InferenceService, where KServe is installed.
    InferenceService,
}

/// Its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Params {
    /// The image's name with its registry, such as `registry.example.com/team/penguins`; the cluster must
    /// be able to pull it.
    #[schemars(extend("x-first" = true))]
    image: String,
    /// Pushes the image. Without it you bring it there, as with `kind load image-archive`.
    push: bool,
    /// Speaks plain HTTP to the registry, which this computer's own always get.
    plain_http: bool,
    /// The processor of the cluster's machines.
    platform: Platform,
    /// Applies the files with `kubectl`; without it they are only written.
    apply: bool,
    /// The folder to write the files in; the deployment's own if left out.
    to: Option<PathBuf>,
    /// The context of kubectl; its current one if left out.
    context: Option<String>,
    /// The namespace, which must be there.
    #[schemars(extend("x-first" = true))]
    namespace: String,
    /// What runs the image.
    #[schemars(extend("x-first" = true))]
    kind: Kind,
    /// Pods that serve, at least.
    #[schemars(range(min = 1, max = 1000))]
    #[schemars(extend("x-first" = true))]
    replicas: u16,
    /// Pods that serve under load, at most; 0 for always the same number.
    #[schemars(range(min = 0, max = 1000))]
    most_replicas: u16,
    /// The processor's share that a pod is sure of.
    cpu: String,
    /// The memory that a pod is sure of.
    memory: String,
    /// The memory at which a pod is ended.
    memory_limit: String,
    /// The Secret with the login of the registry, if it needs one.
    pull_secret: Option<String>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            image: String::new(),
            push: true,
            plain_http: false,
            platform: Platform::LinuxX86,
            apply: true,
            to: None,
            context: None,
            namespace: "default".to_owned(),
            kind: Kind::Deployment,
            replicas: 2,
            most_replicas: 0,
            cpu: "100m".to_owned(),
            memory: "64Mi".to_owned(),
            memory_limit: "512Mi".to_owned(),
            pull_secret: None,
        }
    }
}

impl Params {
    fn check(&self) -> Result<()> {
        let is_name = |text: &str| {
            !text.is_empty()
                && text.len() <= 253
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        };
        let names = [("namespace", Some(&self.namespace)), ("pull_secret", self.pull_secret.as_ref())];
        for (parameter, name) in names.into_iter().filter_map(|(parameter, name)| Some((parameter, name?))) {
            if !is_name(name) {
                return Err(Error::invalid(format!("`{parameter}` cannot be `{}`", name.escape_debug()))
                    .hint("Kubernetes takes lower-case letters, digits, `-` and `.`"));
            }
        }
        let is_amount = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
        };
        for (name, text) in
            [("cpu", &self.cpu), ("memory", &self.memory), ("memory_limit", &self.memory_limit)]
        {
            if !is_amount(text) {
                return Err(Error::invalid(format!("`{name}` cannot be `{}`", text.escape_debug()))
                    .hint("write it as `250m` or `2` for processors, as `128Mi` or `1Gi` for memory"));
            }
        }
        if self.replicas == 0 {
            return Err(Error::invalid("`replicas` cannot be 0").hint("stop the deployment instead"));
        }
        if self.image.is_empty() {
            return Err(Error::invalid("a cluster needs an image that it can pull")
                .hint("set `image` to a name such as `registry.example.com/team/model`"));
        }
        absolute("to", self.to.as_deref())
    }

    fn image(&self) -> image::Params {
        image::Params {
            image: Some(self.image.clone()),
            push: self.push,
            plain_http: self.plain_http,
            platform: self.platform,
            access: Access::Token,
            port: PORT,
            ..image::Params::default()
        }
    }

    fn kubectl(&self) -> Kubectl<'_> {
        Kubectl { context: self.context.as_deref(), namespace: &self.namespace }
    }

    fn folder(&self, site: &Site) -> PathBuf {
        self.to.clone().unwrap_or_else(|| site.folder.join("kubernetes"))
    }

    /// The files of a revision that has its image.
    fn manifests<'a>(&'a self, site: &Site<'a>, placed: &Placed) -> Result<Manifests<'a>> {
        let name = placed.place.as_deref().unwrap_or_default();
        let reference = Reference::parse(name, &placed.version.to_string())?;
        let image = match (&placed.digest, self.push) {
            // Only a digest says for sure which image a pod runs.
            (Some(digest), true) => format!("{}/{}@{digest}", reference.registry, reference.repository),
            _ => reference.to_string(),
        };
        Ok(Manifests {
            name: manifests::name(site.deployment),
            version: placed.version,
            image,
            token: site.token,
            params: self,
        })
    }

    /// What `kubectl` calls that of which the pods are.
    fn workload(&self, name: &str) -> String {
        match self.kind {
            Kind::Deployment => format!("deployment/{name}"),
            Kind::InferenceService => format!("inferenceservice/{name}"),
        }
    }
}

impl Target for Kubernetes {
    type Params = Params;

    fn declaration(&self) -> Declaration {
        Declaration {
            kind: "kubernetes",
            title: "Kubernetes",
            summary: "Pods behind a Service, or an InferenceService of KServe; applied by your kubectl or only written.",
            doc: "The image goes to your registry, the rest to your cluster. One pod of the new version is asked for \
                  the golden rows before it serves; then Kubernetes replaces pod by pod, each only when its \
                  follower is ready. Pods run without root, with a read-only file system and no capabilities.",
            runs: true,
            is_remote: true,
        }
    }

    fn unavailable(&self) -> Option<String> {
        super::find("oci").ok()?.unavailable()
    }

    fn plan(&self, params: &Params, work: &Work) -> Result<Vec<String>> {
        params.check()?;
        if params.apply
            && let Some(why) = Kubectl::unavailable()
        {
            return Err(Error::new(Code::Unavailable, why)
                .hint("install it, or set `apply` to false to have the files written only"));
        }
        let reference = params.image().reference(work)?;
        let mut steps =
            vec![format!("build the image `{reference}`, run its files here and ask for the golden rows")];
        if params.push {
            steps.push(format!("push it to {}", reference.registry));
        }
        if params.apply {
            let place = params.context.as_deref().unwrap_or("kubectl's current context");
            steps.push(format!("start one pod on trial in `{}` of {place} and ask it", params.namespace));
            steps.push(format!(
                "apply {} and wait until its pods are ready",
                params.workload(&manifests::name(work.site.deployment))
            ));
        }
        steps.push(format!("write the files to `{}`", params.folder(&work.site).display()));
        Ok(steps)
    }

    fn build(&self, params: &Params, work: &Work) -> Result<Placed> {
        work.progress.step("building the image", 0, Some(5))?;
        let image = params.image();
        let digest = image.build(work)?.digest;
        Ok(Placed {
            digest: Some(digest),
            place: Some(image.reference(work)?.to_string()),
            ..Placed::default()
        })
    }

    fn apply(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        if params.push {
            work.progress.step("pushing the image", 1, Some(5))?;
            params.image().built_and_pushed(work)?;
        }
        if params.apply {
            work.progress.step("starting one pod on trial", 2, Some(5))?;
            let manifests = params.manifests(&work.site, placed)?;
            placed.state.insert("trial".to_owned(), json!(true));
            let trial = yaml::documents(&[manifests.secret(), manifests.trial()]);
            let kubectl = params.kubectl();
            kubectl.call(&["apply", "-f", "-"], &trial)?;
            kubectl
                .call(&["rollout", "status", &format!("deployment/{}", manifests.trial_name()), READY], "")?;
        }
        Ok(())
    }

    fn probe(&self, params: &Params, work: &Work, placed: &Placed, rows: &Probe) -> Result<Answers> {
        if !params.apply {
            return image::ask(&params.image(), work, rows);
        }
        let manifests = params.manifests(&work.site, placed)?;
        let to = match (placed.state.contains_key("trial"), params.kind) {
            (true, _) => format!("deployment/{}", manifests.trial_name()),
            (false, Kind::Deployment) => format!("deployment/{}", manifests.name),
            (false, Kind::InferenceService) => format!("deployment/{}-predictor", manifests.name),
        };
        let forward = params.kubectl().forward(&to, PORT)?;
        let path = http::path(work.site.model, Some(placed.version));
        http::probe(&process::url(forward.port), work.site.token, &path, &rows.rows)
    }

    fn switch(&self, params: &Params, work: &Work, placed: &mut Placed) -> Result<()> {
        let manifests = params.manifests(&work.site, placed)?;
        if params.apply {
            work.progress.step("replacing pod by pod", 3, Some(5))?;
            placed.state.insert("switched".to_owned(), json!(true));
            Self::roll_out(params, &manifests)?;
            Self::end_trial(params, &manifests)?;
            placed.state.remove("trial");
            placed.url = match params.kind {
                Kind::Deployment => Some(format!("http://{}.{}.svc", manifests.name, params.namespace)),
                Kind::InferenceService => {
                    Some(format!("http://{}-predictor.{}.svc", manifests.name, params.namespace))
                }
            };
        }
        work.progress.step("writing the files", 4, Some(5))?;
        placed.files = write(&params.folder(&work.site), &manifests)?;
        Ok(())
    }

    fn withdraw(&self, params: &Params, work: &Work, placed: &Placed) -> Result<Option<Placed>> {
        if !params.apply {
            return Ok(None);
        }
        let manifests = params.manifests(&work.site, placed)?;
        if placed.state.contains_key("trial") {
            Self::end_trial(params, &manifests)?;
        }
        if placed.state.contains_key("switched") {
            match work.before {
                None => Self::delete(params, &manifests)?,
                Some(before) => {
                    let own: Params =
                        flow::kind::read_params(&before.params).map_err(|misfit| misfit.error)?;
                    Self::roll_out(&own, &own.manifests(&work.site, before)?)?;
                }
            }
        }
        Ok(None)
    }

    fn is_up(&self, params: &Params, site: &Site, placed: &Placed) -> bool {
        if !params.apply {
            return !placed.files.is_empty() && placed.files.iter().all(|file| file.is_file());
        }
        let ready = match params.kind {
            Kind::Deployment => "jsonpath={.status.readyReplicas}",
            Kind::InferenceService => "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}",
        };
        let workload = params.workload(&manifests::name(site.deployment));
        let said = params.kubectl().call(&["get", &workload, "-o", ready], "");
        said.is_ok_and(|said| !matches!(said.trim(), "" | "0" | "False" | "Unknown"))
    }

    fn log(&self, params: &Params, site: &Site, placed: &Placed) -> Result<String> {
        if !params.apply {
            let files = placed.files.iter().map(|file| format!("wrote {}\n", file.display()));
            return Ok(files.collect());
        }
        let name = manifests::name(site.deployment);
        let pods = match params.kind {
            Kind::Deployment => format!("app.kubernetes.io/name={name}"),
            Kind::InferenceService => format!("serving.kserve.io/inferenceservice={name}"),
        };
        params.kubectl().call(&["logs", "--selector", &pods, "--tail=1000", "--prefix"], "")
    }

    fn stop(&self, params: &Params, site: &Site, _placed: &Placed) -> Result<()> {
        let name = manifests::name(site.deployment);
        if !params.apply || params.kind == Kind::InferenceService {
            return Err(Error::new(
                Code::Conflict,
                format!("`{}` cannot be stopped from here", site.deployment),
            )
            .hint("remove the deployment instead"));
        }
        params.kubectl().call(&["scale", &format!("deployment/{name}"), "--replicas=0"], "").map(drop)
    }

    fn remove(&self, params: &Params, site: &Site, placed: &Placed) -> Result<()> {
        if params.apply {
            Self::delete(params, &params.manifests(site, placed)?)?;
        }
        placed.files.iter().try_for_each(|file| super::remove_file(file))?;
        // The folder may hold more than ours; then it stays.
        let _ = placed.files.first().and_then(|file| file.parent()).map(std::fs::remove_dir);
        remove_dir(&site.folder.join("kubernetes"))
    }
}

impl Kubernetes {
    /// Applies the files and waits until every pod is a new one.
    fn roll_out(params: &Params, manifests: &Manifests) -> Result<()> {
        let mut all = vec![manifests.secret()];
        all.extend(manifests.service());
        let kubectl = params.kubectl();
        kubectl.call(&["apply", "-f", "-"], &yaml::documents(&all))?;
        let workload = params.workload(&manifests.name);
        match params.kind {
            Kind::Deployment => kubectl.call(&["rollout", "status", &workload, READY], ""),
            Kind::InferenceService => kubectl.call(&["wait", "--for=condition=Ready", &workload, READY], ""),
        }
        .map(drop)
    }

    fn end_trial(params: &Params, manifests: &Manifests) -> Result<()> {
        let trial = format!("deployment/{}", manifests.trial_name());
        params.kubectl().call(&["delete", &trial, "--ignore-not-found", "--wait=false"], "").map(drop)
    }

    fn delete(params: &Params, manifests: &Manifests) -> Result<()> {
        let mut all = manifests.service();
        all.push(manifests.secret());
        let words = ["delete", "--ignore-not-found", "--wait=false", "-f", "-"];
        params.kubectl().call(&words, &yaml::documents(&all)).map(drop)
    }
}

/// Writes the files that a person would apply; the token in one of its own.
fn write(folder: &Path, manifests: &Manifests) -> Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
    let file = |kind: &Value| {
        let kind = kind["kind"].as_str().unwrap_or_default();
        let name = match kind {
            "HorizontalPodAutoscaler" => "autoscaler",
            "InferenceService" => "inference-service",
            "Service" => "service",
            _ => "deployment",
        };
        folder.join(format!("{}-{name}.yaml", manifests.name))
    };
    let mut written = Vec::new();
    for one in manifests.service() {
        let path = file(&one);
        store::files::write_atomic(&path, yaml::yaml(&one).as_bytes())?;
        written.push(path);
    }
    let secret = folder.join(format!("{}-token.secret.yaml", manifests.name));
    store::files::write_atomic(&secret, yaml::yaml(&manifests.secret()).as_bytes())?;
    private(&secret)?;
    written.push(secret);
    Ok(written)
}

fn private(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path, permissions).map_err(|e| Error::io("change", path, &e))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kubernetes_would_refuse_is_refused_here_and_named() {
        let good = Params { image: "ghcr.io/team/m".to_owned(), ..Params::default() };
        assert!(good.check().is_ok());
        for (wrong, named) in [
            (Params { image: String::new(), ..good.clone() }, "image"),
            (Params { namespace: "Team A".to_owned(), ..good.clone() }, "namespace"),
            (Params { cpu: "-1".to_owned(), ..good.clone() }, "cpu"),
            (Params { memory_limit: "1 GB".to_owned(), ..good.clone() }, "memory_limit"),
            (Params { replicas: 0, ..good.clone() }, "replicas"),
            (Params { pull_secret: Some("a_b".to_owned()), ..good.clone() }, "pull_secret"),
            (Params { to: Some("here".into()), ..good.clone() }, "to"),
        ] {
            assert!(wrong.check().expect_err(named).message.contains(named), "{named}");
        }
    }

    #[test]
    fn a_pushed_image_is_named_by_its_digest() {
        let params = Params { image: "ghcr.io/team/m".to_owned(), ..Params::default() };
        let site = Site { folder: Path::new("/f"), deployment: "M_1", model: "m", token: "t" };
        let placed = Placed {
            version: 4,
            place: Some("ghcr.io/team/m:4".to_owned()),
            digest: Some("sha256:ab".to_owned()),
            ..Placed::default()
        };
        let image = |params: &Params| params.manifests(&site, &placed).map(|one| one.image);
        assert_eq!(image(&params).expect("a name"), "ghcr.io/team/m@sha256:ab");
        let brought = Params { push: false, ..params };
        assert_eq!(image(&brought).expect("a name"), "ghcr.io/team/m:4");
    }
}
