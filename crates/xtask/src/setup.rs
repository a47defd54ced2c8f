//! Installs what is missing. What is there is left alone, so a second call costs a moment.

use std::path::PathBuf;

use crate::process::{command, is_found, output, private_folder, root, run};
use crate::{Result, pages};

/// To compile the window: the system's web view and what it draws with.
const WINDOW: [&str; 6] = [
    "build-essential",
    "pkg-config",
    "libwebkit2gtk-4.1-dev",
    "libgtk-3-dev",
    "librsvg2-dev",
    "libayatana-appindicator3-dev",
];
/// To drive the window in tests: a display, a driver, a hand, and a program to drag files from.
const JOURNEYS: [&str; 6] =
    ["xvfb", "webkit2gtk-driver", "xdotool", "python3-gi", "gir1.2-gtk-3.0", "fonts-dejavu-core"];
/// Servers that tests ask: a database, what makes certificates for it, a registry of images, and a
/// machine that is reached over SSH.
const SERVERS: [&str; 5] = ["postgresql", "openssl", "docker-registry", "apache2-utils", "openssh-server"];
/// Other people's tools that take the images that we write, and run them.
const IMAGES: [&str; 5] = ["skopeo", "umoci", "runc", "podman", "catatonit"];
const WEB_SERVER: [&str; 1] = ["nginx-light"];
const COMPILER: [&str; 1] = ["build-essential"];
const PYTHON: [&str; 2] = ["python3", "python3-venv"];
const NODE_MAJOR: u32 = 20;

/// What it takes to compile the programs without the window.
pub fn compiler() -> Result<()> {
    system_packages(&COMPILER)
}

/// The servers of other people that the tests start for themselves.
pub fn servers() -> Result<()> {
    system_packages(&SERVERS)?;
    system_packages(&IMAGES)
}

/// What it takes to compile the window.
pub fn window() -> Result<()> {
    system_packages(&WINDOW)?;
    node()?;
    pages::install()
}

/// What it takes to drive the window.
pub fn journeys() -> Result<()> {
    system_packages(&JOURNEYS)
}

/// All of it.
pub fn everything() -> Result<()> {
    window()?;
    servers()?;
    journeys()?;
    python().map(drop)
}

/// A web server to compare ours with.
pub fn web_server() -> Result<()> {
    system_packages(&WEB_SERVER)
}

/// A Python environment of our own, outside git. Gives back its interpreter.
pub fn python() -> Result<PathBuf> {
    python_in("venv")
}

/// The same under another name, for packages that do not go with the others.
fn python_in(name: &str) -> Result<PathBuf> {
    let folder = private_folder().join(name);
    let python = if cfg!(windows) { folder.join("Scripts/python.exe") } else { folder.join("bin/python") };
    if !python.exists() {
        system_packages(&PYTHON)?;
        let system = if cfg!(windows) { "python" } else { "python3" };
        let mut make = command(system, &["-m", "venv"]);
        make.arg(&folder);
        run(make)?;
    }
    Ok(python)
}

/// The Python of an environment with what somebody else's program needs, as a requirements file of ours
/// names it. Each has its own, since they do not go together.
pub fn peer(name: &str, requirements: &str) -> Result<PathBuf> {
    let python = python_in(&format!("peer-{name}"))?;
    python_packages(&python, &root().join(requirements))?;
    Ok(python)
}

/// Installs the packages that a requirements file names, when the file is another than last time.
pub fn python_packages(python: &PathBuf, requirements: &std::path::Path) -> Result<()> {
    let wanted =
        std::fs::read(requirements).map_err(|error| format!("`{}`: {error}", requirements.display()))?;
    let name =
        requirements.strip_prefix(root()).unwrap_or(requirements).to_string_lossy().replace(['/', '\\'], "-");
    let mark = private_folder().join(format!("installed-{name}"));
    if std::fs::read(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut install =
        command(python, &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    install.arg(requirements);
    run(install)?;
    std::fs::write(&mark, wanted).map_err(|error| format!("`{}`: {error}", mark.display()))
}

/// Node is asked for, not installed: Debian's own is often too old, and people have theirs.
pub fn node() -> Result<()> {
    let advice = format!("install Node {NODE_MAJOR} or newer from your system or https://nodejs.org");
    let version =
        output(command("node", &["--version"])).map_err(|_| format!("Node is missing: {advice}"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < NODE_MAJOR) || !is_found("npm") {
        return Err(format!("Node {} is too old or has no npm: {advice}", version.trim()));
    }
    Ok(())
}

/// The Debian packages that are not there yet, through apt; elsewhere the names of what is needed.
fn system_packages(packages: &[&str]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    if !is_found("apt-get") {
        // Nothing tells on other systems what is missing, and the build will say it if something is.
        eprintln!("xtask: not a Debian: make sure that you have what Debian calls {}", packages.join(" "));
        return Ok(());
    }
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("xtask: installing {}", missing.join(" "));
    apt(&["update", "-q"], &[])
        .and_then(|()| apt(&["install", "-y", "-q", "--no-install-recommends"], &missing))
        .map_err(|error| {
            format!("{error}\nrun as root: apt-get update && apt-get install -y {}", missing.join(" "))
        })
}

fn is_installed(package: &str) -> bool {
    output(command("dpkg-query", &["-W", "-f=${Status}", package]))
        .is_ok_and(|status| status.trim() == "install ok installed")
}

fn apt(arguments: &[&str], packages: &[&str]) -> Result<()> {
    let is_root = output(command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
    let mut install =
        if is_root { command("apt-get", arguments) } else { command("sudo", &["-n", "apt-get"]) };
    if !is_root {
        install.args(arguments);
    }
    install.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    // Only the outcome matters to somebody who waits for a window.
    output(install).map(drop)
}
