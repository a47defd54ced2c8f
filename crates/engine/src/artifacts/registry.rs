//! Pushes images by the distribution API (distribution-spec 1.1), signed in as the registry asks:
//! with a password, or with a token that is fetched with one.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::{Code, Error, Progress, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use super::oci::{Image, MANIFEST};

/// A push may take so long for one blob.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The name of an image: `registry/repository:tag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Host, with a port where one is given.
    pub(crate) registry: String,
    /// The path of the image there.
    pub(crate) repository: String,
    /// The tag.
    pub(crate) tag: String,
}

impl Reference {
    /// Reads `registry/repository`, with or without a tag. As with docker, a first part without a dot,
    /// a port or the name `localhost` belongs to the repository, and the registry is Docker Hub.
    ///
    /// # Errors
    /// What it cannot be.
    pub(crate) fn parse(text: &str, default_tag: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::invalid(format!("`{}` cannot be the name of an image: {why}", text.escape_debug())).hint(
                "write it as `registry.example.com/team/model` or `registry.example.com/team/model:tag`",
            )
        };
        let (path, tag) = match text.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, tag),
            _ => (text, default_tag),
        };
        let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
        let (registry, repository) = match path.split_once('/') {
            Some((first, rest)) if is_host(first) => (first.to_owned(), rest.to_owned()),
            Some(_) => ("registry-1.docker.io".to_owned(), path.to_owned()),
            None => ("registry-1.docker.io".to_owned(), format!("library/{path}")),
        };
        let is_part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
        };
        if repository.is_empty() || !repository.split('/').all(is_part) {
            return Err(wrong("the parts between `/` are of lower-case letters, digits, `.`, `_` and `-`"));
        }
        let is_tag = !tag.is_empty() && tag.len() <= 128 && !tag.starts_with(['.', '-']);
        if !is_tag || !tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            return Err(wrong("a tag is of letters, digits, `.`, `_` and `-`"));
        }
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if !registry.chars().all(is_host) {
            return Err(wrong("the registry is no host"));
        }
        Ok(Self { registry, repository, tag: tag.to_owned() })
    }

    fn is_here(&self) -> bool {
        let host = self.registry.rsplit_once(':').map_or(self.registry.as_str(), |(host, _)| host);
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}:{}", self.registry, self.repository, self.tag)
    }
}

/// Who pushes.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// A registry and one repository in it.
pub(crate) struct Registry {
    agent: ureq::Agent,
    reference: Reference,
    base: String,
    login: Option<Login>,
    /// The value of the header that the registry has accepted.
    authorization: RefCell<Option<String>>,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Registry {
    /// The registry of a reference. Plain HTTP is spoken to this machine, and where `is_plain` says so.
    pub(crate) fn new(reference: &Reference, is_plain: bool, login: Option<Login>) -> Self {
        let scheme = if is_plain || reference.is_here() { "http" } else { "https" };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .tls_config(tls());
        Self {
            agent: config.build().new_agent(),
            base: format!("{scheme}://{}", reference.registry),
            reference: reference.clone(),
            login,
            authorization: RefCell::default(),
        }
    }

    /// Pushes what of an image is not there yet, and gives it the reference's tag.
    ///
    /// # Errors
    /// [`Code::Forbidden`] if the registry wants another login, [`Code::Unavailable`] if it does not
    /// answer or refuses.
    pub(crate) fn push(&self, image: &Image, progress: &Progress) -> Result<()> {
        for (at, part) in image.parts.iter().enumerate() {
            progress.step("pushing the image", at as u64, Some(image.parts.len() as u64))?;
            self.push_blob(part, image.blob(part))?;
        }
        let path = self.path(&format!("manifests/{}", self.reference.tag));
        let put = self.send(Method::PUT, &path, Some((MANIFEST, image.blob(&image.digest))))?;
        expect(&put, &[201, 200, 202], "take the manifest", self)?;
        match self.digest()? {
            Some(digest) if digest == image.digest => Ok(()),
            other => Err(Error::new(
                Code::DeployFailed,
                format!("{} has another image than was pushed", self.reference),
            )
            .because(format!("expected {}, got {}", image.digest, other.unwrap_or_default()))),
        }
    }

    /// The digest behind the reference's tag, if there is one.
    ///
    /// # Errors
    /// As [`Registry::push`].
    pub(crate) fn digest(&self) -> Result<Option<String>> {
        let path = self.path(&format!("manifests/{}", self.reference.tag));
        let got = self.send(Method::GET, &path, None)?;
        if got.status == 404 {
            return Ok(None);
        }
        expect(&got, &[200], "say what the tag stands for", self)?;
        Ok(Some(format!("sha256:{}", super::sha256(&got.body))))
    }

    fn push_blob(&self, digest: &str, blob: &[u8]) -> Result<()> {
        let there = self.send(Method::HEAD, &self.path(&format!("blobs/{digest}")), None)?;
        if there.status == 200 {
            return Ok(());
        }
        let begun =
            self.send(Method::POST, &self.path("blobs/uploads/"), Some(("application/octet-stream", b"")))?;
        expect(&begun, &[202], "begin an upload", self)?;
        let location =
            begun.headers.get("location").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let location =
            if location.starts_with('/') { format!("{}{location}", self.base) } else { location.to_owned() };
        let join = if location.contains('?') { '&' } else { '?' };
        let put = self.send(
            Method::PUT,
            &format!("{location}{join}digest={digest}"),
            Some(("application/octet-stream", blob)),
        )?;
        expect(&put, &[201], "take a layer", self)
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", self.base, self.reference.repository)
    }

    /// Sends a request, and once more when the registry says how to sign in.
    fn send(&self, method: Method, url: &str, body: Option<(&str, &[u8])>) -> Result<Answer> {
        let answer = self.send_once(method.clone(), url, body)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        let challenge = answer.headers.get("www-authenticate").and_then(|value| value.to_str().ok());
        let signed = self.sign_in(challenge.unwrap_or_default())?;
        *self.authorization.borrow_mut() = Some(signed);
        let again = self.send_once(method, url, body)?;
        if again.status == 401 { Err(self.refused("the login was not accepted")) } else { Ok(again) }
    }

    fn send_once(&self, method: Method, url: &str, body: Option<(&str, &[u8])>) -> Result<Answer> {
        let mut request = Request::builder().method(method).uri(url);
        request = request.header("accept", MANIFEST);
        // A registry may let another host take the bytes; the login is not for that one.
        let is_ours = url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'));
        if let Some(authorization) = self.authorization.borrow().as_ref().filter(|_| is_ours) {
            request = request.header("authorization", authorization);
        }
        let wrong = |e: ureq::http::Error| Error::internal("cannot ask the registry").because(e);
        let sent = match body {
            Some((kind, bytes)) => {
                self.agent.run(request.header("content-type", kind).body(bytes).map_err(wrong)?)
            }
            None => self.agent.run(request.body(()).map_err(wrong)?),
        };
        let mut sent = sent.map_err(|e| {
            Error::new(Code::Unavailable, format!("the registry {} does not answer", self.reference.registry))
                .because(e)
                .hint("is the name right, and does it speak https? `plain_http` is for one that does not")
        })?;
        let body = sent.body_mut().with_config().limit(4 << 20).read_to_vec().unwrap_or_default();
        Ok(Answer { status: sent.status().as_u16(), headers: sent.headers().clone(), body })
    }

    fn sign_in(&self, challenge: &str) -> Result<String> {
        let (scheme, rest) = challenge.split_once(' ').unwrap_or((challenge, ""));
        let basic = self
            .login
            .as_ref()
            .map(|login| format!("Basic {}", STANDARD.encode(format!("{}:{}", login.user, login.password))));
        if scheme.eq_ignore_ascii_case("basic") {
            return basic.ok_or_else(|| self.refused("it asks for a user and a password"));
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(self.refused("it asks for a login of a kind that is not known"));
        }
        let value = |name: &str| {
            parameters(rest).find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        };
        let realm = value("realm").ok_or_else(|| self.refused("it does not say where tokens come from"))?;
        if !realm.starts_with("https://") && self.base.starts_with("https://") {
            return Err(self.refused("it would have the password sent unencrypted"));
        }
        let scope = format!("repository:{}:pull,push", self.reference.repository);
        let mut request = self.agent.get(realm).query("scope", scope);
        if let Some(service) = value("service") {
            request = request.query("service", service);
        }
        if let Some(basic) = basic {
            request = request.header("authorization", basic);
        }
        let mut answer =
            request.call().map_err(|e| self.refused("its tokens cannot be fetched").because(e))?;
        if answer.status() != 200 {
            return Err(self.refused("it gives no token for this login"));
        }
        let said: Value = answer.body_mut().read_json().unwrap_or_default();
        let token = said["token"].as_str().or(said["access_token"].as_str());
        token.map(|token| format!("Bearer {token}")).ok_or_else(|| self.refused("its answer holds no token"))
    }

    fn refused(&self, why: &str) -> Error {
        let registry = &self.reference.registry;
        Error::new(Code::Forbidden, format!("the registry {registry} lets nobody in: {why}")).hint(format!(
            "sign in with `docker login {registry}` or `podman login {registry}`, or set FETTLE_REGISTRY_USER \
             and FETTLE_REGISTRY_PASSWORD"
        ))
    }
}

fn expect(answer: &Answer, statuses: &[u16], what: &str, registry: &Registry) -> Result<()> {
    if statuses.contains(&answer.status) {
        return Ok(());
    }
    let said: String = String::from_utf8_lossy(&answer.body).chars().take(300).collect();
    let name = &registry.reference.registry;
    let code = if answer.status == 403 { Code::Forbidden } else { Code::Unavailable };
    Err(Error::new(code, format!("the registry {name} did not {what} (status {})", answer.status))
        .because(said))
}

/// `realm="…",service="…"`, in which a value may hold commas.
fn parameters(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_start_matches([',', ' ']).trim();
        let (value, left) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(',').unwrap_or((after, "")),
        };
        rest = left;
        Some((name, value))
    })
}

/// The certificates that are trusted: those of SSL_CERT_FILE, or those that browsers trust.
fn tls() -> ureq::tls::TlsConfig {
    use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
    let own = std::env::var_os("SSL_CERT_FILE").and_then(|path| std::fs::read(path).ok());
    let Some(own) = own else { return TlsConfig::default() };
    let certificates: Vec<_> = parse_pem(&own)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    TlsConfig::builder().root_certs(RootCerts::new_with_certs(&certificates)).build()
}

/// The login for a registry: from FETTLE_REGISTRY_USER and FETTLE_REGISTRY_PASSWORD, else from where
/// docker and podman keep theirs.
pub(crate) fn login(registry: &str) -> Option<Login> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let (Some(user), Some(password)) =
        (variable("FETTLE_REGISTRY_USER"), variable("FETTLE_REGISTRY_PASSWORD"))
    {
        return Some(Login { user, password });
    }
    let docker = variable("DOCKER_CONFIG")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(variable("HOME")?).join(".docker")));
    let podman = variable("XDG_RUNTIME_DIR").map(|folder| PathBuf::from(folder).join("containers/auth.json"));
    let files = [docker.map(|folder| folder.join("config.json")), podman];
    files.into_iter().flatten().find_map(|file| login_in(&file, registry))
}

/// The login in one file of docker's format.
pub(crate) fn login_in(file: &Path, registry: &str) -> Option<Login> {
    let config: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    // Docker Hub goes by the address that it had first.
    let names = match registry {
        "registry-1.docker.io" => vec!["https://index.docker.io/v1/", "docker.io", registry],
        _ => vec![registry],
    };
    names.into_iter().find_map(|name| {
        let stored = config["auths"][name]["auth"].as_str().and_then(|text| STANDARD.decode(text).ok());
        let stored = stored.and_then(|bytes| String::from_utf8(bytes).ok());
        let stored = stored.as_deref().and_then(|text| text.split_once(':'));
        if let Some((user, password)) = stored {
            return Some(Login { user: user.to_owned(), password: password.to_owned() });
        }
        let helper = config["credHelpers"][name].as_str().or(config["credsStore"].as_str())?;
        ask_helper(helper, name)
    })
}

/// A program that keeps logins, as docker's protocol for them has it.
fn ask_helper(helper: &str, name: &str) -> Option<Login> {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    if helper.contains(['/', '\\']) {
        return None;
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(name.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    let said: Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(Login { user: said["Username"].as_str()?.to_owned(), password: said["Secret"].as_str()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_docker_reads_them() {
        let read = |text: &str| Reference::parse(text, "3").map(|one| one.to_string());
        for (text, whole) in [
            ("ghcr.io/team/m", "ghcr.io/team/m:3"),
            ("localhost:5000/m:v1", "localhost:5000/m:v1"),
            ("localhost/m", "localhost/m:3"),
            ("team/m", "registry-1.docker.io/team/m:3"),
            ("m", "registry-1.docker.io/library/m:3"),
        ] {
            assert_eq!(read(text).expect(text), whole);
        }
        for wrong in
            ["", "ghcr.io/", "ghcr.io/Team/m", "ghcr.io/m:a b", "ghcr.io//m", "ghcr.io/m:", "ghcr.io/../m"]
        {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_challenge_is_read_with_commas_in_its_values() {
        let read: Vec<_> =
            parameters(r#"realm="https://a/t",service="r",scope="repository:a:pull,push""#).collect();
        assert_eq!(read, [("realm", "https://a/t"), ("service", "r"), ("scope", "repository:a:pull,push")]);
    }

    #[test]
    fn the_login_of_docker_is_found_by_the_name_of_the_registry() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.json");
        let auth = STANDARD.encode(b"ada:se:cret");
        std::fs::write(&file, format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{auth}"}}}}}}"#)).expect("writes");
        let login = login_in(&file, "ghcr.io").expect("it is there");
        assert_eq!((login.user.as_str(), login.password.as_str()), ("ada", "se:cret"));
        assert!(login_in(&file, "quay.io").is_none());
    }
}
