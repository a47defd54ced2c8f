//! What a deployment is in Kubernetes: as `kubectl apply` takes it.

use serde_json::{Value, json};

use super::{Kind, Params};

/// The port that the server listens on in its container.
pub(super) const PORT: u16 = 8080;

/// What is put into a cluster.
pub(super) struct Manifests<'a> {
    /// What everything of the deployment is called.
    pub(super) name: String,
    /// The model's version.
    pub(super) version: u32,
    /// The image, by its digest where it was pushed.
    pub(super) image: String,
    /// What callers must send.
    pub(super) token: &'a str,
    pub(super) params: &'a Params,
}

impl Manifests<'_> {
    /// The token, apart from the rest so that the rest can be kept in a repository.
    pub(super) fn secret(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": self.secret_name(), "labels": self.labels(&self.name) },
            "type": "Opaque",
            "stringData": { "token": self.token },
        })
    }

    /// Everything but the token.
    pub(super) fn service(&self) -> Vec<Value> {
        match self.params.kind {
            Kind::InferenceService => vec![self.inference_service()],
            Kind::Deployment => {
                let mut all = vec![self.deployment(&self.name, self.params.replicas), self.access()];
                if self.params.most_replicas > self.params.replicas {
                    all.push(self.autoscaler());
                }
                all
            }
        }
    }

    /// One pod beside those that serve, which no service leads to.
    pub(super) fn trial(&self) -> Value {
        self.deployment(&self.trial_name(), 1)
    }

    pub(super) fn trial_name(&self) -> String {
        format!("{}-trial", self.name)
    }

    fn secret_name(&self) -> String {
        format!("{}-token", self.name)
    }

    /// `app.kubernetes.io/name` chooses the pods; the version is only told, since what chooses must stay.
    fn labels(&self, name: &str) -> Value {
        json!({
            "app.kubernetes.io/name": name,
            "app.kubernetes.io/version": self.version.to_string(),
            "app.kubernetes.io/managed-by": "fettle",
        })
    }

    fn deployment(&self, name: &str, replicas: u16) -> Value {
        let mut spec = json!({
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "selector": { "matchLabels": { "app.kubernetes.io/name": name } },
            // A pod goes only when another one is ready in its place.
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1, "maxUnavailable": 0 } },
            "template": {
                "metadata": { "labels": self.labels(name) },
                "spec": {
                    "automountServiceAccountToken": false,
                    "securityContext": {
                        "runAsNonRoot": true,
                        "runAsUser": 65532,
                        "runAsGroup": 65532,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    },
                    "containers": [self.container("serve")],
                    "terminationGracePeriodSeconds": 30,
                },
            },
        });
        if let (Some(secret), Some(pod)) =
            (&self.params.pull_secret, spec["template"]["spec"].as_object_mut())
        {
            pod.insert("imagePullSecrets".to_owned(), json!([{ "name": secret }]));
        }
        if name == self.name && self.params.most_replicas > self.params.replicas {
            // The autoscaler says how many; to say it here too would undo it at each apply.
            if let Some(spec) = spec.as_object_mut() {
                spec.shift_remove("replicas");
            }
        }
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": name, "labels": self.labels(name) },
            "spec": spec,
        })
    }

    fn container(&self, name: &str) -> Value {
        let probe = |path: &str, period_s: u16, failures: u16| {
            json!({
                "httpGet": { "path": path, "port": PORT },
                "periodSeconds": period_s,
                "failureThreshold": failures,
            })
        };
        let params = self.params;
        json!({
            "name": name,
            "image": self.image,
            "ports": [{ "containerPort": PORT, "protocol": "TCP" }],
            "env": [{
                "name": "FETTLE_TOKEN",
                "valueFrom": { "secretKeyRef": { "name": self.secret_name(), "key": "token" } },
            }],
            "resources": {
                "requests": { "cpu": params.cpu, "memory": params.memory },
                "limits": { "memory": params.memory_limit },
            },
            "startupProbe": probe("/v2/health/ready", 1, 60),
            "readinessProbe": probe("/v2/health/ready", 5, 2),
            "livenessProbe": probe("/v2/health/live", 10, 3),
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
        })
    }

    fn access(&self) -> Value {
        json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": self.name, "labels": self.labels(&self.name) },
            "spec": {
                "selector": { "app.kubernetes.io/name": self.name },
                "ports": [{ "name": "http", "port": 80, "targetPort": PORT, "protocol": "TCP" }],
            },
        })
    }

    fn autoscaler(&self) -> Value {
        json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": self.name, "labels": self.labels(&self.name) },
            "spec": {
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": self.name },
                "minReplicas": self.params.replicas,
                "maxReplicas": self.params.most_replicas,
                "metrics": [{
                    "type": "Resource",
                    "resource": { "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 70 } },
                }],
            },
        })
    }

    /// KServe brings its own Deployment, Service and autoscaler.
    fn inference_service(&self) -> Value {
        let mut predictor = json!({
            "minReplicas": self.params.replicas,
            "maxReplicas": self.params.most_replicas.max(self.params.replicas),
            "containers": [self.container("kserve-container")],
        });
        if let (Some(secret), Some(predictor)) = (&self.params.pull_secret, predictor.as_object_mut()) {
            predictor.insert("imagePullSecrets".to_owned(), json!([{ "name": secret }]));
        }
        json!({
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": { "name": self.name, "labels": self.labels(&self.name) },
            "spec": { "predictor": predictor },
        })
    }
}

/// A deployment's name as Kubernetes takes it (RFC 1123): lower case, digits and `-`.
pub(super) fn name(deployment: &str) -> String {
    let name: String = deployment
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .collect();
    // With `-trial` and `-predictor` behind it, it must stay below 63 letters.
    let name: String = name.chars().take(50).collect();
    let name = name.trim_matches('-');
    // A Service's name begins with a letter.
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("m-{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifacts::yaml::documents;

    fn manifests(params: &Params) -> Manifests<'_> {
        Manifests {
            name: "penguins".to_owned(),
            version: 3,
            image: "ghcr.io/team/penguins@sha256:00".to_owned(),
            token: "secret",
            params,
        }
    }

    #[test]
    fn names_are_those_that_kubernetes_takes() {
        for (name, expected) in [("Churn_v2.1", "churn-v2-1"), ("7days", "m-7days"), ("a-", "a")] {
            assert_eq!(super::name(name), expected);
        }
        assert_eq!(super::name(&"x".repeat(90)).len(), 50);
    }

    #[test]
    fn the_files_are_those_that_were_looked_at_and_held_against_the_schemas() {
        let scaled = Params { most_replicas: 6, ..Params::default() };
        let kserve = Params {
            kind: Kind::InferenceService,
            pull_secret: Some("regcred".to_owned()),
            ..Params::default()
        };
        for (params, golden) in [
            (&scaled, include_str!("golden/deployment.yaml")),
            (&kserve, include_str!("golden/inference-service.yaml")),
        ] {
            let manifests = manifests(params);
            let secret = manifests.secret();
            let all: Vec<Value> = manifests.service().into_iter().chain([secret]).collect();
            let text = documents(&all);
            assert!(text == golden, "it is now\n{text}");
        }
    }

    #[test]
    fn the_trial_is_chosen_by_no_service() {
        let params = Params::default();
        let manifests = manifests(&params);
        let trial = manifests.trial();
        assert_ne!(
            trial["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"],
            manifests.access()["spec"]["selector"]["app.kubernetes.io/name"]
        );
        assert_eq!(trial["spec"]["replicas"], 1);
    }
}
