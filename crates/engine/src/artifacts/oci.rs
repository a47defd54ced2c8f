//! Images as the Open Container Initiative specifies them (image-spec 1.1), written without a
//! container engine. One layout serves all: with its `manifest.json` the same tar is what
//! `docker load`, `podman load` and `skopeo` take. The same files give the same digest.

use std::collections::BTreeMap;

use base::{Error, Result};
use serde_json::{Value, json};

use super::{Content, Tree, pack, sha256, tar};

/// The moment that everything in an image bears.
const EPOCH: &str = "1970-01-01T00:00:00Z";
/// The media types of the specification.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What an image is to be.
pub(crate) struct Spec {
    /// `amd64` or `arm64`.
    pub(crate) architecture: &'static str,
    /// Its layers, lowest first, each with what made it. One that did not change is not pushed again.
    pub(crate) layers: Vec<(&'static str, Tree)>,
    /// The program and its first arguments.
    pub(crate) entrypoint: Vec<String>,
    /// Arguments that a user may replace.
    pub(crate) arguments: Vec<String>,
    /// Who runs it, such as `65532:65532`.
    pub(crate) user: String,
    /// The port that it listens on.
    pub(crate) port: u16,
    /// `NAME=value`, sorted.
    pub(crate) environment: Vec<String>,
    /// Labels of the image.
    pub(crate) labels: BTreeMap<String, String>,
}

/// An image: its blobs by digest.
pub(crate) struct Image {
    blobs: BTreeMap<String, Vec<u8>>,
    /// The digest of its manifest, `sha256:…`, which names the image beyond doubt.
    pub(crate) digest: String,
    /// What the manifest points to, in the order of a push.
    pub(crate) parts: Vec<String>,
    config: String,
    layers: Vec<String>,
    architecture: &'static str,
}

impl Image {
    /// Builds an image in memory.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn build(spec: &Spec) -> Result<Self> {
        let mut blobs = BTreeMap::new();
        let (mut layers, mut unpacked, mut history) = (Vec::new(), Vec::new(), Vec::new());
        for (made_by, tree) in &spec.layers {
            let plain = tar::tar(tree)?;
            unpacked.push(format!("sha256:{}", sha256(&plain)));
            layers.push(descriptor(&mut blobs, LAYER, pack::gzip(&plain)?));
            history.push(json!({ "created": EPOCH, "created_by": made_by }));
        }
        let port = format!("{}/tcp", spec.port);
        let config = json!({
            "created": EPOCH,
            "architecture": spec.architecture,
            "os": "linux",
            "config": {
                "User": spec.user,
                "ExposedPorts": { port: {} },
                "Env": spec.environment,
                "Entrypoint": spec.entrypoint,
                "Cmd": spec.arguments,
                "WorkingDir": "/",
                "StopSignal": "SIGTERM",
                "Labels": spec.labels,
            },
            "rootfs": { "type": "layers", "diff_ids": unpacked },
            "history": history,
        });
        let config = descriptor(&mut blobs, CONFIG, bytes(&config)?);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config,
            "layers": layers,
            "annotations": spec.labels,
        });
        let digest_of = |descriptor: &Value| descriptor["digest"].as_str().unwrap_or_default().to_owned();
        let layers: Vec<String> = layers.iter().map(digest_of).collect();
        let config = digest_of(&config);
        let digest = digest_of(&descriptor(&mut blobs, MANIFEST, bytes(&manifest)?));
        let parts = layers.iter().chain([&config]).cloned().collect();
        Ok(Self { blobs, digest, parts, config, layers, architecture: spec.architecture })
    }

    /// The bytes of a part, or of the manifest.
    pub(crate) fn blob(&self, digest: &str) -> &[u8] {
        self.blobs.get(digest).map_or(&[], Vec::as_slice)
    }

    /// The files of a layout: `index.json` for tools of today, `manifest.json` for older ones.
    /// `reference` is the whole name, such as `localhost/penguins:3`.
    ///
    /// # Errors
    /// None in practice: JSON of our own making.
    pub(crate) fn layout(&self, reference: &str) -> Result<Tree> {
        let path = |digest: &str| format!("blobs/{}", digest.replace(':', "/"));
        let mut tree = Tree::default();
        for (digest, blob) in &self.blobs {
            tree.add(&path(digest), Content::Bytes(blob.clone()), 0o644);
        }
        let tag = reference.rsplit_once(':').map_or("latest", |(_, tag)| tag);
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": MANIFEST,
                "digest": self.digest,
                "size": self.blob(&self.digest).len(),
                "annotations": {
                    "io.containerd.image.name": reference,
                    "org.opencontainers.image.ref.name": tag,
                },
                "platform": { "architecture": self.architecture, "os": "linux" },
            }],
        });
        let layers: Vec<String> = self.layers.iter().map(|digest| path(digest)).collect();
        let docker = json!([{ "Config": path(&self.config), "RepoTags": [reference], "Layers": layers }]);
        for (name, value) in [
            ("oci-layout", json!({ "imageLayoutVersion": "1.0.0" })),
            ("index.json", index),
            ("manifest.json", docker),
        ] {
            tree.add(name, Content::Bytes(bytes(&value)?), 0o644);
        }
        Ok(tree)
    }
}

/// Adds a blob and describes it.
fn descriptor(blobs: &mut BTreeMap<String, Vec<u8>>, media_type: &str, blob: Vec<u8>) -> Value {
    let digest = format!("sha256:{}", sha256(&blob));
    let described = json!({ "mediaType": media_type, "digest": digest, "size": blob.len() });
    blobs.insert(digest, blob);
    described
}

fn bytes(value: &Value) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::internal("cannot write JSON").because(e))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::artifacts) fn image(text: &str) -> Image {
        let mut program = Tree::default();
        program.script("usr/bin/run", "#!/bin/sh\n");
        let mut model = Tree::default();
        model.text("model/a.txt", text);
        let spec = Spec {
            architecture: "amd64",
            layers: vec![("program", program), ("model", model)],
            entrypoint: vec!["/usr/bin/run".to_owned()],
            arguments: Vec::new(),
            user: "65532:65532".to_owned(),
            port: 8080,
            environment: vec!["PATH=/usr/bin".to_owned()],
            labels: BTreeMap::from([("org.opencontainers.image.title".to_owned(), "m".to_owned())]),
        };
        Image::build(&spec).expect("builds")
    }

    #[test]
    fn the_same_files_give_the_same_digest_and_a_changed_model_shares_the_program() {
        let (one, same, other) = (image("one"), image("one"), image("two"));
        assert_eq!(one.digest, same.digest);
        let layout =
            |image: &Image| tar::tar(&image.layout("localhost/m:1").expect("lays out")).expect("packs");
        assert_eq!(layout(&one), layout(&same));
        assert_ne!(one.digest, other.digest);
        assert_eq!(one.layers[0], other.layers[0]);
        assert_ne!(one.layers[1], other.layers[1]);
    }

    #[test]
    fn every_digest_in_the_manifest_is_that_of_its_blob() {
        let image = image("one");
        for (digest, blob) in &image.blobs {
            assert_eq!(*digest, format!("sha256:{}", sha256(blob)));
        }
        assert!(image.parts.iter().all(|part| !image.blob(part).is_empty()));
    }
}
