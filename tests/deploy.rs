//! Models put elsewhere: a bundle that runs in a fresh folder, an image that other people's tools take,
//! and what a version that is not right does not do.
#![cfg(target_os = "linux")]

mod testkit;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{World, text};

/// A world with the sample's model, deployed nowhere.
fn with_model() -> World {
    let world = World::new();
    world.ok(&["demo", "--stop"]);
    world
}

fn deploy(world: &World, target: &str, name: &str, settings: &[String]) -> Value {
    let mut words =
        vec!["-p", "demo", "deployment", "create", "penguins", "--target", target, "--name", name];
    for setting in settings {
        words.extend(["--set", setting]);
    }
    world.ok(&words)
}

fn status(world: &World, name: &str) -> Value {
    world.ok(&["-p", "demo", "deployment", "status", name])
}

fn run(program: &str, arguments: &[&str]) -> std::process::Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// True if a program of other people is here; says so if not.
fn is_here(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: there is no `{program}` here");
    }
    found
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// Asks for the sample row until somebody answers.
fn predicted(port: u16, token: &str, sample: &Value) -> Value {
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let started = Instant::now();
    loop {
        let sent = agent
            .post(format!("http://127.0.0.1:{port}/invocations"))
            .header("Authorization", format!("Bearer {token}"))
            .send_json(json!({ "dataframe_records": [sample] }));
        match sent {
            Ok(mut answer) => {
                return answer.body_mut().read_json::<Value>().expect("JSON")["predictions"][0].clone();
            }
            Err(error) => assert!(started.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// Ends a process with the test.
struct Kept(Child);

impl Drop for Kept {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn unpack(bundle: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir_all(to).expect("a folder");
    run("tar", &["-xzf", text(bundle), "-C", text(to)]);
    let only = std::fs::read_dir(to).expect("it lists").next().expect("one folder").expect("an entry");
    only.path()
}

#[test]
fn a_bundle_runs_where_it_is_unpacked_and_the_same_version_gives_the_same_bytes() {
    let world = with_model();
    let port = free_port();
    let made: Vec<PathBuf> = ["one", "two"]
        .iter()
        .map(|name| {
            let to = world.path(name);
            let settings = [format!("to={}", text(&to)), format!("port={port}")];
            let deployed = deploy(&world, "bundle", name, &settings);
            PathBuf::from(deployed["url"].as_str().expect("a place"))
        })
        .collect();
    let bytes = std::fs::read(&made[0]).expect("it was written");
    assert!(bytes == std::fs::read(&made[1]).expect("it was written"), "two bundles of one version differ");
    let sample = status(&world, "one")["sample"].clone();
    let expected = world.ok(&["-p", "demo", "deployment", "try", "one"])["outputs"].clone();

    let root = unpack(&made[0], &world.path("fresh folder"));
    let sums = Command::new("sha256sum").args(["--quiet", "-c", "checksums.txt"]).current_dir(&root).status();
    assert!(sums.expect("sha256sum runs").success());
    let control = |verb: &str| {
        let output = Command::new("sh").arg(root.join("control.sh")).arg(verb).output().expect("sh runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    assert_eq!(control("status"), (Some(3), "stopped".to_owned()));
    assert_eq!(control("start"), (Some(0), "started".to_owned()));
    let token = control("token").1;
    assert_eq!(predicted(port, &token, &sample)["label"], expected["label"]);
    // A server that is killed comes back.
    let pid = std::fs::read_to_string(root.join("server.pid")).expect("its id is written down");
    run("kill", &["-KILL", pid.trim()]);
    assert_eq!(predicted(port, &token, &sample)["label"], expected["label"]);
    assert_eq!(control("start"), (Some(0), "runs already".to_owned()));
    assert_eq!(control("stop").0, Some(0));
    assert_eq!(control("status").0, Some(3));

    world.ok(&["-p", "demo", "deployment", "remove", "one"]);
    assert!(!made[0].exists() && made[1].exists());
    world.fails(2, &["-p", "demo", "deployment", "status", "one"]);
}

#[test]
fn an_image_is_taken_by_the_tools_of_others_and_answers_from_its_own_files() {
    let world = with_model();
    let settings = [format!("to={}", text(&world.path("images")))];
    let deployed = deploy(&world, "oci", "image", &settings);
    assert_eq!(deployed["url"], "localhost/penguins:1");
    let tar = world.path("images/penguins-v1-image.tar");
    let log = world.ok(&["-p", "demo", "deployment", "log", "image"]);
    let digest = log["text"].as_str().expect("a text").lines().nth(1).expect("a digest").to_owned();
    let again = [format!("to={}", text(&world.path("again")))];
    deploy(&world, "oci", "again", &again);
    let bytes = std::fs::read(&tar).expect("it was written");
    assert!(bytes == std::fs::read(world.path("again/penguins-v1-image.tar")).expect("it was written"));

    if is_here("skopeo") {
        for kind in ["oci-archive", "docker-archive"] {
            let output = run("skopeo", &["inspect", &format!("{kind}:{}", text(&tar))]);
            let said: Value = serde_json::from_slice(&output.stdout).expect("JSON");
            assert_eq!(said["Architecture"], "amd64");
            assert!(kind != "oci-archive" || said["Digest"] == digest.as_str(), "{said}");
        }
    }
    let expected = world.ok(&["-p", "demo", "deployment", "try", "image"])["outputs"].clone();
    let sample = status(&world, "image")["sample"].clone();
    if is_here("umoci") && is_here("runc") && is_root() {
        let layout = world.path("layout");
        std::fs::create_dir(&layout).expect("a folder");
        run("tar", &["-xf", text(&tar), "-C", text(&layout)]);
        let bundle = world.path("bundle");
        run("umoci", &["unpack", "--image", &format!("{}:1", text(&layout)), text(&bundle)]);
        let port = free_port();
        harden(&bundle.join("config.json"), port);
        let name = format!("fettle-test-{port}");
        let mut command = Command::new("runc");
        command.args(["--root", text(&world.path("runc")), "run", "-b", text(&bundle), &name]);
        let _server = Kept(command.stdout(Stdio::null()).spawn().expect("runc runs"));
        assert_eq!(predicted(port, TOKEN, &sample)["label"], expected["label"]);
        run("runc", &["--root", text(&world.path("runc")), "kill", &name, "TERM"]);
    }
}

/// The token that callers of containers send.
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|text| text.contains("Uid:\t0\t"))
}

/// Lets a bundle of runc write nowhere, do nothing but serve, and listen at a port of this machine.
fn harden(config: &Path, port: u16) {
    let read = std::fs::read(config).expect("umoci writes it");
    let mut told: Value = serde_json::from_slice(&read).expect("JSON");
    let variables = told["process"]["env"].as_array_mut().expect("variables");
    variables.extend([json!(format!("PORT={port}")), json!(format!("FETTLE_TOKEN={TOKEN}"))]);
    told["process"]["terminal"] = json!(false);
    told["process"]["capabilities"] = json!({});
    // To raise them needs a right that builders do not have.
    told["process"]["rlimits"] = json!([]);
    told["root"]["readonly"] = json!(true);
    let spaces = told["linux"]["namespaces"].as_array_mut().expect("namespaces");
    spaces.retain(|space| space["type"] != "network");
    std::fs::write(config, told.to_string()).expect("writes");
}

/// podman with a store of its own, away from what else runs on this machine.
struct Podman<'a>(&'a World);

impl<'a> Podman<'a> {
    /// None where podman cannot run.
    fn new(world: &'a World) -> Option<Self> {
        let store = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
            text(&world.path("graph")),
            text(&world.path("run"))
        );
        world.file("storage.conf", store);
        let engine = "[containers]\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=1024:1024\"]\n\
                      [engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\n";
        world.file("containers.conf", engine);
        let podman = Self(world);
        let works = is_here("podman")
            && is_root()
            && podman.command(&["info"]).output().is_ok_and(|said| said.status.success());
        if !works {
            eprintln!("skipped: podman does not run here");
        }
        works.then_some(podman)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("podman");
        command.args(words);
        command.env("CONTAINERS_STORAGE_CONF", self.0.path("storage.conf"));
        command.env("CONTAINERS_CONF", self.0.path("containers.conf"));
        command
    }

    fn ok(&self, words: &[&str]) {
        let output = self.command(words).output().expect("podman runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Podman<'_> {
    fn drop(&mut self) {
        for words in [["pod", "rm", "-fa"].as_slice(), &["rm", "-fa"]] {
            // What is left goes with the folder.
            let _ = self.command(words).output();
        }
    }
}

#[test]
fn podman_runs_the_image_without_any_right_and_serves_from_the_files_for_kubernetes() {
    let world = with_model();
    let Some(podman) = Podman::new(&world) else { return };
    deploy(&world, "oci", "image", &[format!("to={}", text(&world.path("images")))]);
    podman.ok(&["load", "-i", text(&world.path("images/penguins-v1-image.tar"))]);
    let sample = status(&world, "image")["sample"].clone();
    let expected = world.ok(&["-p", "demo", "deployment", "try", "image"])["outputs"].clone();
    let (port, token) = (free_port(), format!("FETTLE_TOKEN={TOKEN}"));
    let (place, image) = (format!("127.0.0.1:{port}:8080"), "localhost/penguins:1");
    let hardened = ["run", "-d", "--read-only", "--cap-drop=all", "--security-opt", "no-new-privileges"];
    let told = ["--memory", "64m", "-e", &token, "-p", &place, image];
    podman.ok(&[&hardened[..], &told].concat());
    assert_eq!(predicted(port, TOKEN, &sample)["label"], expected["label"]);

    let to = world.path("files");
    let settings = ["apply=false", "push=false", "image=localhost/penguins", "replicas=1"].map(str::to_owned);
    deploy(&world, "kubernetes", "pods", &[&settings[..], &[format!("to={}", text(&to))]].concat());
    // podman has no services: the port of the machine leads to the pod itself.
    let port = free_port();
    let file = std::fs::read_to_string(to.join("pods-deployment.yaml")).expect("it was written");
    let listening = "- containerPort: 8080\n";
    let file = file.replace(listening, &format!("{listening}              hostPort: {port}\n"));
    assert!(file.contains("hostPort"), "{file}");
    let file = world.file("pods.yaml", file);
    // This release of podman wants the secret as its own.
    let secret = world.file("secret.json", format!("{{\"token\":\"{}\"}}", TOKEN_BASE64));
    podman.ok(&["secret", "create", "pods-token", text(&secret)]);
    podman.ok(&["play", "kube", text(&file)]);
    assert_eq!(predicted(port, TOKEN, &sample)["label"], expected["label"]);
}

/// As a Secret of Kubernetes keeps [`TOKEN`].
const TOKEN_BASE64: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[test]
fn an_image_is_pushed_to_a_registry_that_asks_for_a_password_and_pulled_from_it() {
    if !is_here("docker-registry") || !is_here("skopeo") || !is_here("htpasswd") {
        return;
    }
    let world = with_model();
    let port = free_port();
    let users = run("htpasswd", &["-Bbn", "ada", "secret"]).stdout;
    let users = world.file("users", users);
    let config = format!(
        "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n\
         auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
        text(&world.path("registry")),
        text(&users)
    );
    let config = world.file("registry.yml", config);
    let mut registry = Command::new("docker-registry");
    registry.args(["serve", text(&config)]).stdout(Stdio::null()).stderr(Stdio::null());
    let _registry = Kept(registry.spawn().expect("it starts"));
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "the registry does not listen");
        std::thread::sleep(Duration::from_millis(30));
    }
    let image = format!("image=127.0.0.1:{port}/team/penguins");
    let words = ["-p", "demo", "deployment", "create", "penguins", "--target", "oci", "--name", "pushed"];
    let words = [&words[..], &["--set", &image, "--set", "push=true"]].concat();
    let push = |user: &str, password: &str| {
        let mut command = world.command(&words);
        command.env("DOCKER_CONFIG", world.path("none"));
        command.env("FETTLE_REGISTRY_USER", user).env("FETTLE_REGISTRY_PASSWORD", password);
        command.output().expect("it runs")
    };
    let refused = push("ada", "wrong");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(7) && said.contains("lets nobody in"), "{said}");
    let pushed = push("ada", "secret");
    assert!(pushed.status.success(), "{}", String::from_utf8_lossy(&pushed.stderr));
    let reference = format!("docker://127.0.0.1:{port}/team/penguins:1");
    let copy = format!("oci:{}:1", text(&world.path("pulled")));
    run("skopeo", &["copy", "--src-tls-verify=false", "--src-creds", "ada:secret", &reference, &copy]);
    let index = std::fs::read(world.path("pulled/index.json")).expect("it was pulled");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    let mut log = world.command(&["-p", "demo", "deployment", "log", "pushed"]);
    log.env("FETTLE_REGISTRY_USER", "ada").env("FETTLE_REGISTRY_PASSWORD", "secret");
    let log = String::from_utf8_lossy(&log.output().expect("it runs").stdout).into_owned();
    assert!(log.contains(index["manifests"][0]["digest"].as_str().expect("a digest")), "{log}");
    assert!(log.contains("the registry has it"), "{log}");
}

#[test]
fn a_plan_changes_nothing_and_wrong_parameters_are_named() {
    let world = with_model();
    let create = ["-p", "demo", "deployment", "create", "penguins", "--name", "b"];
    let plan = world.ok(&[&create[..], &["--target", "bundle", "--plan"]].concat());
    assert_eq!(plan["steps"].as_array().map(Vec::len), Some(3), "{plan}");
    let list = world.ok(&["-p", "demo", "deployment", "list"]);
    assert!(!list.to_string().contains("\"name\":\"b\""), "{list}");
    let error = world.fails(2, &[&create[..], &["--target", "bundle", "--set", "fomat=zip"]].concat());
    assert!(error.to_string().contains("fomat") && error.to_string().contains("format"), "{error}");
    let error = world.fails(2, &[&create[..], &["--target", "nowhere"]].concat());
    assert!(error.to_string().contains("bundle"), "{error}");
}

/// A server of OpenSSH on a port of its own, with a key that only this test has.
struct Sshd {
    _server: Kept,
    config: PathBuf,
}

/// Starts one; none if it is not installed.
fn sshd(world: &World) -> Option<Sshd> {
    let program = Path::new("/usr/sbin/sshd");
    if !program.exists() {
        eprintln!("skipped: there is no sshd here");
        return None;
    }
    // Where it separates its privileges; a system that has started it by itself has it.
    let _ = std::fs::create_dir_all("/run/sshd");
    for name in ["host_key", "user_key"] {
        run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", text(&world.path(name))]);
    }
    let port = free_port();
    let server = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nUsePAM no\n\
         StrictModes no\nPasswordAuthentication no\nLogLevel ERROR\n",
        text(&world.path("host_key")),
        text(&world.path("user_key.pub")),
    );
    let server = world.file("sshd_config", server);
    let mut command = Command::new(program);
    command.args(["-D", "-e", "-f", text(&server)]).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Kept(command.spawn().expect("sshd starts"));
    let started = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "sshd does not listen");
        std::thread::sleep(Duration::from_millis(30));
    }
    let user = String::from_utf8(run("id", &["-un"]).stdout).expect("a name");
    let client = |name: &str, port: u16| {
        format!(
            "Host {name}\n  HostName 127.0.0.1\n  Port {port}\n  User {}\n  IdentityFile {}\n  \
             IdentitiesOnly yes\n  UserKnownHostsFile {}\n  StrictHostKeyChecking accept-new\n",
            user.trim(),
            text(&world.path("user_key")),
            text(&world.path("known_hosts")),
        )
    };
    let config = world.file("ssh_config", client("edge", port) + &client("nowhere", free_port()));
    Some(Sshd { _server: server, config })
}

/// Asks an endpoint over and over until it is told to stop, and counts what did not come back.
fn load(port: u16, token: String, sample: Value) -> impl FnOnce() -> (u32, u32) {
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        let (mut good, mut bad) = (0, 0);
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let sent = agent
                .post(format!("http://127.0.0.1:{port}/invocations"))
                .header("Authorization", format!("Bearer {token}"))
                .send_json(json!({ "dataframe_records": [sample] }));
            if sent.is_ok() { good += 1 } else { bad += 1 }
        }
        (good, bad)
    });
    move || {
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        thread.join().expect("it counts")
    }
}

#[test]
fn a_machine_over_ssh_gets_versions_without_a_failed_request_and_keeps_the_one_that_works() {
    let world = with_model();
    let Some(sshd) = sshd(&world) else { return };
    let (port, folder) = (free_port(), world.path("there"));
    let settings = [
        "host=edge".to_owned(),
        format!("ssh_config={}", text(&sshd.config)),
        format!("folder={}", text(&folder)),
        format!("port={port}"),
        "kept_by=script".to_owned(),
    ];
    let base = folder.join("edge");
    deploy(&world, "ssh", "edge", &settings);
    let shown = status(&world, "edge");
    let token = shown["token"].as_str().expect("a token").to_owned();
    let expected = world.ok(&["-p", "demo", "deployment", "try", "edge"])["outputs"].clone();
    let ask = || predicted(port, &token, &shown["sample"])["label"].clone();
    assert_eq!(ask(), expected["label"]);
    let pid = std::fs::read_to_string(base.join("state/server.pid")).expect("its id is written down");
    run("kill", &["-KILL", pid.trim()]);
    assert_eq!(ask(), expected["label"], "it comes back");

    let count = load(port, token.clone(), shown["sample"].clone());
    deploy(&world, "ssh", "edge", &[]);
    world.ok(&["-p", "demo", "deployment", "rollback", "edge"]);
    let (good, bad) = count();
    assert!(good > 20 && bad == 0, "{good} answered, {bad} failed");
    assert_eq!(status(&world, "edge")["revisions"].as_array().map(Vec::len), Some(3));
    let left = std::fs::read_dir(base.join("revisions")).expect("it lists").count();
    assert_eq!(left, 2, "only what serves and what served before stay there");

    // A server that cannot do there what it did on trial.
    let real = std::env::var("FETTLE_SERVE_BIN").map(PathBuf::from).unwrap_or_else(|_| serve_program());
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *'--port 0'*) exec {} \"$@\";; esac\necho broken here\nexit 2\n",
        text(&real)
    );
    let broken = world.path("broken");
    std::fs::create_dir(&broken).expect("a folder");
    std::fs::write(broken.join("fettle-serve-linux-x86_64"), script).expect("writes");
    let mut command = world.command(&["-p", "demo", "deployment", "create", "penguins", "--name", "edge"]);
    let failed = command.env("FETTLE_SERVE_DIR", &broken).output().expect("it runs");
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert_eq!(failed.status.code(), Some(7), "{said}");
    assert_eq!(ask(), expected["label"], "{said}");
    assert_eq!(status(&world, "edge")["summary"]["state"], "healthy");

    world.ok(&["-p", "demo", "deployment", "stop", "edge"]);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "it is stopped");
    world.ok(&["-p", "demo", "deployment", "start", "edge"]);
    assert_eq!(ask(), expected["label"]);
    let log = world.ok(&["-p", "demo", "deployment", "log", "edge"]);
    assert!(log["text"].as_str().is_some_and(|text| text.contains("listening")), "{log}");
    world.ok(&["-p", "demo", "deployment", "remove", "edge"]);
    assert!(!base.exists() && std::net::TcpStream::connect(("127.0.0.1", port)).is_err());

    let create = ["-p", "demo", "deployment", "create", "penguins", "--target", "ssh", "--name", "no"];
    let away = [&create[..], &["--set", "host=nowhere", "--set", &settings[1]]].concat();
    let error = world.fails(7, &away).to_string();
    assert!(error.contains("cannot reach `nowhere`") && error.contains("ssh nowhere"), "{error}");
    let error = world.fails(2, &[&create[..], &["--set", "host=-oProxyCommand=x"]].concat());
    assert!(error.to_string().contains("`host`"), "{error}");
}

/// `fettle-serve` as the other tests build it.
fn serve_program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_fettle")).with_file_name("fettle-serve")
}

/// A `kubectl` that keeps what it is told, and leads to a server of the newest revision.
const KUBECTL: &str = r#"#!/bin/sh
here=$(dirname "$0")
while :; do case "$1" in --context | --namespace) echo "$1=$2" >> "$here/calls"; shift 2 ;; *) break ;; esac; done
echo "$*" >> "$here/calls"
case "$1" in
  apply) cat > "$here/applied.new" && cat "$here/applied.new" >> "$here/applied" ;;
  delete) cat >> "$here/deleted" ;;
  rollout) case "$3" in *-trial) ;; *) if [ -e "$here/refuse" ] && rm "$here/refuse"; then echo "0 of 3 updated" >&2; exit 1; fi ;; esac ;;
  get) echo 2 ;;
  logs) echo "[pod/a] listening" ;;
  port-forward)
    package=$(ls -dt "$FETTLE_WORKSPACE"/*/*/revision-*[0-9] | head -n 1)
    log=$here/log.$$
    "$FETTLE_SERVE_BIN" --model "$package" --name penguins --version 1 --token-file "$package/../token" --port 0 \
      > "$log" 2>&1 < /dev/null &
    echo $! >> "$here/servers"
    until grep -q listening "$log"; do sleep 0.05; done
    echo "Forwarding from $(sed -n 's/.*http:..\([0-9.:]*\)".*/\1/p' "$log" | head -n 1) -> 8080"
    exec sleep 60 ;;
esac
"#;

#[test]
fn a_cluster_gets_a_pod_on_trial_first_and_keeps_the_files_that_worked() {
    let bin = tempfile::tempdir().expect("a folder");
    let kubectl = bin.path().join("kubectl");
    std::fs::write(&kubectl, KUBECTL).expect("writes");
    run("chmod", &["755", text(&kubectl)]);
    let path = format!("{}:{}", text(bin.path()), std::env::var("PATH").expect("a path"));
    let world = World::new().with("PATH", path.into()).with("FETTLE_SERVE_BIN", serve_program());
    world.ok(&["demo", "--stop"]);
    let said = |name: &str| std::fs::read_to_string(bin.path().join(name)).unwrap_or_default();
    let settings = ["image=localhost:5000/team/penguins", "push=false", "namespace=ml", "context=kind-test"];
    let settings: Vec<String> = settings.iter().map(|one| (*one).to_owned()).collect();
    deploy(&world, "kubernetes", "pods", &settings);
    let calls = said("calls");
    let order = [
        "apply -f -",
        "rollout status deployment/pods-trial",
        "port-forward --address 127.0.0.1 deployment/pods-trial :8080",
        "apply -f -",
        "rollout status deployment/pods --timeout",
        "delete deployment/pods-trial",
        "port-forward --address 127.0.0.1 deployment/pods :8080",
    ];
    let mut at = 0;
    for step in order {
        let found = calls[at..].find(step).unwrap_or_else(|| panic!("`{step}` is missing in\n{calls}"));
        at += found + step.len();
    }
    assert!(calls.contains("--context=kind-test") && calls.contains("--namespace=ml"), "{calls}");
    let shown = status(&world, "pods");
    assert_eq!(shown["summary"]["url"], "http://pods.ml.svc");
    assert!(
        said("applied.new").contains("image: \"localhost:5000/team/penguins:1\""),
        "{}",
        said("applied.new")
    );
    assert!(!calls.contains(shown["token"].as_str().expect("a token")), "the token is in no command line");

    std::fs::write(bin.path().join("refuse"), "").expect("writes");
    let more = ["-p", "demo", "deployment", "create", "penguins", "--name", "pods", "--set", "replicas=3"];
    let error = world.fails(7, &more).to_string();
    assert!(error.contains("0 of 3 updated"), "{error}");
    assert!(said("applied").contains("replicas: 3") && said("applied.new").contains("replicas: 2"));
    assert_eq!(status(&world, "pods")["params"]["replicas"], 2);
    world.ok(&["-p", "demo", "deployment", "try", "pods"]);
    let log = world.ok(&["-p", "demo", "deployment", "log", "pods"]);
    assert!(log["text"].as_str().is_some_and(|text| text.contains("pod/a")), "{log}");
    world.ok(&["-p", "demo", "deployment", "stop", "pods"]);
    assert!(said("calls").contains("scale deployment/pods --replicas=0"));
    world.ok(&["-p", "demo", "deployment", "remove", "pods"]);
    assert!(said("deleted").contains("kind: Secret") && said("deleted").contains("kind: Service"));
    for pid in said("servers").lines() {
        // It may have ended already.
        let _ = Command::new("kill").arg(pid).status();
    }
}

#[test]
fn files_are_scored_once_and_rows_that_cannot_be_read_are_set_aside() {
    let world = with_model();
    let penguins = std::fs::read_to_string(testkit::penguins()).expect("the sample");
    let input = world.path("in");
    std::fs::create_dir_all(input.join("deep")).expect("folders");
    std::fs::write(input.join("a.csv"), &penguins).expect("writes");
    let mut lines: Vec<String> = penguins.lines().take(4).map(str::to_owned).collect();
    let bill = lines[0].split(',').position(|name| name == "bill_length_mm").expect("the column");
    let mut cells: Vec<&str> = lines[2].split(',').collect();
    cells[bill] = "long";
    lines[2] = cells.join(",");
    std::fs::write(input.join("deep/b.csv"), lines.join("\n") + "\n").expect("writes");
    std::fs::write(input.join("c.csv"), "other,columns\n1,2\n").expect("writes");
    let output = world.path("out");
    let settings = [
        format!("input={}/**/*.csv", text(&input)),
        format!("output={}", text(&output)),
        "schedule=@daily".to_owned(),
    ];
    deploy(&world, "batch", "nightly", &settings);

    let score = |code: i32| {
        let called = world.call(&["-p", "demo", "deployment", "score", "nightly"]);
        assert_eq!(called.code, Some(code), "{}", called.said);
        let number = |name: &str| called.reply[name].as_u64().expect("a number");
        (number("files"), number("skipped"), number("failed"), number("rows"), number("rowErrors"))
    };
    let rows = penguins.lines().count() as u64 - 1;
    assert_eq!(score(3), (2, 0, 1, rows + 2, 1), "one file lacks the model's inputs");
    let scored = std::fs::read_to_string(output.join("a.csv.scored.csv")).expect("it was written");
    assert_eq!(scored.lines().count() as u64, rows + 1);
    assert!(scored.lines().next().is_some_and(|head| head.contains(",label,")), "{scored:.200}");
    let errors = std::fs::read_to_string(output.join("deep/b.csv.errors.jsonl")).expect("it was written");
    assert!(errors.contains("\"line\":3") && errors.contains("bill_length_mm"), "{errors}");
    assert!(!output.join("a.csv.errors.jsonl").exists() && !output.join("c.csv.done.json").exists());
    let log = world.ok(&["-p", "demo", "deployment", "log", "nightly"]);
    assert!(log["text"].as_str().is_some_and(|text| text.contains("c.csv: failed")), "{log}");

    std::fs::remove_file(input.join("c.csv")).expect("it goes");
    assert_eq!(score(0), (0, 2, 0, 0, 0), "what is done is done");
    // Cut off before the mark was set, or changed since: both are scored anew.
    std::fs::remove_file(output.join("deep/b.csv.done.json")).expect("it goes");
    std::fs::write(input.join("a.csv"), penguins.lines().take(11).collect::<Vec<_>>().join("\n"))
        .expect("writes");
    assert_eq!(score(0), (2, 0, 0, 12, 1));
    assert_eq!(std::fs::read_to_string(output.join("a.csv.scored.csv")).expect("anew").lines().count(), 11);

    world.ok(&["-p", "demo", "deployment", "remove", "nightly"]);
    assert!(output.join("a.csv.scored.csv").exists(), "the answers are the user's");
}
