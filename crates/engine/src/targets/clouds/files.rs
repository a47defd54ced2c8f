//! The files that the tools of each service take, and the scripts that call them.

use serde_json::{Value, json};

use super::{Params, Service};
use crate::artifacts::Tree;
use crate::artifacts::yaml::yaml;

const PORT: u16 = 8080;

/// What is deployed.
pub(super) struct Subject<'a> {
    /// What everything is called.
    pub(super) name: String,
    pub(super) model: &'a str,
    pub(super) version: u32,
    pub(super) image: String,
}

/// A name as each of the services takes it: at most 32 lower-case letters, digits and `-`.
pub(super) fn name(deployment: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = deployment.chars().map(plain).take(30).collect();
    let name = name.trim_matches('-');
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("m-{name}") } else { name.to_owned() }
}

/// The files for a service.
pub(super) fn tree(params: &Params, subject: &Subject) -> Tree {
    match params.service {
        Service::CloudRun => cloud_run(params, subject),
        Service::VertexAi => vertex_ai(params, subject),
        Service::SageMaker => sagemaker(params, subject),
        Service::AzureMl => azure_ml(params, subject),
    }
}

fn or<'a>(text: &'a Option<String>, other: &'a str) -> &'a str {
    text.as_deref().filter(|text| !text.is_empty()).unwrap_or(other)
}

fn script(lines: &str) -> String {
    format!("#!/bin/sh\nset -eu\ncd \"$(dirname \"$0\")\"\n{lines}")
}

/// A service as Knative describes one; its token is a secret of the project.
fn cloud_run(params: &Params, subject: &Subject) -> Tree {
    let (name, region, project) = (&subject.name, &params.region, &params.account);
    let service = json!({
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": { "name": name, "labels": { "version": format!("v{}", subject.version) } },
        "spec": { "template": {
            "metadata": { "annotations": {
                "autoscaling.knative.dev/minScale": params.instances.to_string(),
                "run.googleapis.com/startup-cpu-boost": "true",
            } },
            "spec": {
                "containerConcurrency": 80,
                "containers": [{
                    "image": subject.image,
                    "ports": [{ "containerPort": PORT }],
                    "env": [{
                        "name": "FETTLE_TOKEN",
                        "valueFrom": { "secretKeyRef": { "name": format!("{name}-token"), "key": "latest" } },
                    }],
                    "resources": { "limits": { "cpu": "1", "memory": or(&params.machine, "512Mi") } },
                    "startupProbe": {
                        "httpGet": { "path": "/v2/health/ready", "port": PORT },
                        "periodSeconds": 1,
                        "failureThreshold": 60,
                    },
                }],
            },
        } },
    });
    let mut tree = Tree::default();
    tree.text("service.yaml", &yaml(&service));
    tree.script(
        "deploy.sh",
        &script(&format!(
            "# The token that callers send, in FETTLE_TOKEN at the first time.\n\
             if ! gcloud secrets describe {name}-token --project {project} > /dev/null 2>&1; then\n  \
             printf %s \"$FETTLE_TOKEN\" | gcloud secrets create {name}-token --project {project} --data-file=-\nfi\n\
             gcloud run services replace service.yaml --project {project} --region {region}\n"
        )),
    );
    tree.script(
        "remove.sh",
        &script(&format!(
            "gcloud run services delete {name} --project {project} --region {region} --quiet\n\
             gcloud secrets delete {name}-token --project {project} --quiet\n"
        )),
    );
    tree
}

/// A model of the registry there, and an endpoint to which it is deployed.
fn vertex_ai(params: &Params, subject: &Subject) -> Tree {
    let (name, image, model) = (&subject.name, &subject.image, subject.model);
    let at = format!("--project={} --region={}", params.account, params.region);
    let machine = or(&params.machine, "n1-standard-2");
    let instances = params.instances.max(1);
    let mut tree = Tree::default();
    tree.script(
        "deploy.sh",
        &script(&format!(
            "gcloud ai models upload {at} --display-name={name} --version-aliases=v{version} \\\n  \
             --container-image-uri={image} --container-ports={PORT} \\\n  \
             --container-health-route=/v2/health/ready --container-predict-route=/v1/models/{model}:predict\n\
             model=$(gcloud ai models list {at} --filter=display_name={name} --format='value(name)' | head -n 1)\n\
             endpoint=$(gcloud ai endpoints list {at} --filter=display_name={name} --format='value(name)' | head -n 1)\n\
             if [ -z \"$endpoint\" ]; then\n  gcloud ai endpoints create {at} --display-name={name}\n  \
             endpoint=$(gcloud ai endpoints list {at} --filter=display_name={name} --format='value(name)' | head -n 1)\nfi\n\
             # All traffic goes to the new model once it is up.\n\
             gcloud ai endpoints deploy-model \"$endpoint\" {at} --model=\"$model\" --display-name={name}-v{version} \\\n  \
             --machine-type={machine} --min-replica-count={instances} --traffic-split=0=100\n",
            version = subject.version,
        )),
    );
    tree.script(
        "remove.sh",
        &script(&format!(
            "endpoint=$(gcloud ai endpoints list {at} --filter=display_name={name} --format='value(name)' | head -n 1)\n\
             for id in $(gcloud ai endpoints describe \"$endpoint\" {at} --format='value[delimiter=\" \"](deployedModels.id)'); do\n  \
             gcloud ai endpoints undeploy-model \"$endpoint\" {at} --deployed-model-id=\"$id\"\ndone\n\
             gcloud ai endpoints delete \"$endpoint\" {at} --quiet\n"
        )),
    );
    tree
}

/// A model, a configuration and an endpoint. The names carry the version, since none can be changed.
fn sagemaker(params: &Params, subject: &Subject) -> Tree {
    let name = &subject.name;
    let versioned = format!("{name}-v{}", subject.version);
    let model = json!({
        "ModelName": versioned,
        "ExecutionRoleArn": params.account,
        "PrimaryContainer": { "Image": subject.image },
        "EnableNetworkIsolation": true,
    });
    let config = json!({
        "EndpointConfigName": versioned,
        "ProductionVariants": [{
            "VariantName": "current",
            "ModelName": versioned,
            "InstanceType": or(&params.machine, "ml.t2.medium"),
            "InitialInstanceCount": params.instances.max(1),
            "InitialVariantWeight": 1.0,
        }],
    });
    let endpoint = json!({ "EndpointName": name, "EndpointConfigName": versioned });
    let mut tree = Tree::default();
    for (file, value) in
        [("model.json", model), ("endpoint-config.json", config), ("endpoint.json", endpoint)]
    {
        tree.text(file, &pretty(&value));
    }
    let aws = format!("aws sagemaker --region {}", params.region);
    tree.script(
        "deploy.sh",
        &script(&format!(
            "{aws} create-model --cli-input-json file://model.json\n\
             {aws} create-endpoint-config --cli-input-json file://endpoint-config.json\n\
             # An endpoint that is there goes over to it once it is up.\n\
             if {aws} describe-endpoint --endpoint-name {name} > /dev/null 2>&1; then\n  \
             {aws} update-endpoint --cli-input-json file://endpoint.json\nelse\n  \
             {aws} create-endpoint --cli-input-json file://endpoint.json\nfi\n\
             {aws} wait endpoint-in-service --endpoint-name {name}\n"
        )),
    );
    tree.script(
        "remove.sh",
        &script(&format!(
            "{aws} delete-endpoint --endpoint-name {name}\n\
             {aws} delete-endpoint-config --endpoint-config-name {versioned}\n\
             {aws} delete-model --model-name {versioned}\n"
        )),
    );
    tree
}

/// A managed online endpoint and a deployment of it, which gets the traffic once it is up.
fn azure_ml(params: &Params, subject: &Subject) -> Tree {
    let name = &subject.name;
    let versioned = format!("v{}", subject.version);
    let endpoint = json!({
        "$schema": "https://azuremlschemas.azureedge.net/latest/managedOnlineEndpoint.schema.json",
        "name": name,
        "auth_mode": "key",
    });
    let route = |path: &str| json!({ "path": path, "port": PORT });
    let deployment = json!({
        "$schema": "https://azuremlschemas.azureedge.net/latest/managedOnlineDeployment.schema.json",
        "name": versioned,
        "endpoint_name": name,
        "environment": {
            "image": subject.image,
            "inference_config": {
                "liveness_route": route("/v2/health/live"),
                "readiness_route": route("/v2/health/ready"),
                "scoring_route": route("/invocations"),
            },
        },
        "instance_type": or(&params.machine, "Standard_DS1_v2"),
        "instance_count": params.instances.max(1),
    });
    let at = format!(
        "--resource-group {} --workspace-name {}",
        params.resource_group.as_deref().unwrap_or_default(),
        params.account
    );
    let mut tree = Tree::default();
    tree.text("endpoint.yaml", &yaml(&endpoint));
    tree.text("deployment.yaml", &yaml(&deployment));
    tree.script(
        "deploy.sh",
        &script(&format!(
            "if ! az ml online-endpoint show --name {name} {at} > /dev/null 2>&1; then\n  \
             az ml online-endpoint create --file endpoint.yaml {at}\nfi\n\
             az ml online-deployment create --file deployment.yaml {at}\n\
             az ml online-endpoint update --name {name} --traffic {versioned}=100 {at}\n"
        )),
    );
    tree.script("remove.sh", &script(&format!("az ml online-endpoint delete --name {name} --yes {at}\n")));
    tree
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(service: Service) -> Tree {
        let params = Params {
            service,
            image: "ghcr.io/team/m".to_owned(),
            region: "europe-west1".to_owned(),
            account: "acme".to_owned(),
            resource_group: Some("ml".to_owned()),
            ..Params::default()
        };
        params.check().expect("they fit");
        let image = "ghcr.io/team/m@sha256:00".to_owned();
        tree(&params, &Subject { name: name("Churn_2"), model: "churn", version: 3, image })
    }

    const ALL: [Service; 4] = [Service::CloudRun, Service::VertexAi, Service::SageMaker, Service::AzureMl];

    #[test]
    fn every_service_names_the_image_by_its_digest_and_has_a_way_there_and_back() {
        for service in ALL {
            let tree = files(service);
            let texts: Vec<(String, String)> = tree
                .entries()
                .map(|(path, entry)| {
                    let bytes = entry.bytes().expect("they are texts");
                    (path.to_owned(), String::from_utf8(bytes).expect("UTF-8"))
                })
                .collect();
            assert!(texts.iter().any(|(_, text)| text.contains("ghcr.io/team/m@sha256:00")), "{service:?}");
            assert!(texts.iter().any(|(_, text)| text.contains("churn-2")), "{service:?}");
            for script in ["deploy.sh", "remove.sh"] {
                let text = &texts.iter().find(|(path, _)| path == script).expect(script).1;
                let said = std::process::Command::new("sh").args(["-n", "-c", text]).output();
                assert!(said.is_ok_and(|said| said.status.success()), "{service:?} {script}\n{text}");
            }
        }
    }

    #[test]
    fn the_routes_are_those_that_the_server_has() {
        let text = |service, path: &str| {
            let tree = files(service);
            let entry = tree.entries().find(|(own, _)| *own == path).expect("it is there").1.clone();
            String::from_utf8(entry.bytes().expect("a text")).expect("UTF-8")
        };
        assert!(
            text(Service::VertexAi, "deploy.sh")
                .contains("--container-predict-route=/v1/models/churn:predict")
        );
        let azure = text(Service::AzureMl, "deployment.yaml");
        assert!(azure.contains("path: /invocations") && azure.contains("instance_count: 1"), "{azure}");
        let model: Value = serde_json::from_str(&text(Service::SageMaker, "model.json")).expect("JSON");
        assert_eq!(model["ModelName"], "churn-2-v3");
        assert!(text(Service::CloudRun, "service.yaml").contains("churn-2-token"));
    }

    #[test]
    fn what_a_service_needs_is_asked_for_by_name() {
        let params = Params { image: "m".to_owned(), region: "r".to_owned(), ..Params::default() };
        assert!(params.check().expect_err("no account").message.contains("`account`"));
        let params = Params { account: "a; rm -rf /".to_owned(), ..params };
        assert!(params.check().expect_err("a shell").message.contains("`account`"));
        let params = Params { account: "a".to_owned(), service: Service::AzureMl, ..params };
        assert!(params.check().expect_err("no group").message.contains("`resource_group`"));
    }
}
