//! Starting an endpoint when its user signs in: a file where the system looks for such things. Only
//! the file is written; nothing is started or stopped by it now.

use std::path::{Path, PathBuf};

use base::{Code, Error, Result};

use super::{Site, local, program, remove_file};

/// The systems that know such files, each in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum System {
    /// A user unit of systemd.
    Linux,
    /// A LaunchAgent.
    Mac,
    /// A script in the Startup folder: a task of the scheduler would need an administrator.
    Windows,
}

/// Writes or removes the file of a deployment.
pub(crate) fn set(site: Site, is_wanted: bool) -> Result<()> {
    let (file, link) = match path(site.deployment) {
        Ok(file) => (file.clone(), enabled_by(&file)),
        Err(error) => return if is_wanted { Err(error) } else { Ok(()) },
    };
    if !is_wanted {
        if let Some(link) = &link {
            remove_file(link)?;
        }
        return remove_file(&file);
    }
    let text = text(system(), site.deployment, &program::here()?, &local::config_file(site.folder, false))?;
    write(&file, &text)?;
    #[cfg(unix)]
    if let Some(link) = &link {
        // What `systemctl --user enable` does: the link is all there is to it.
        let folder = link.parent().unwrap_or(link);
        std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
        remove_file(link)?;
        std::os::unix::fs::symlink(&file, link).map_err(|e| Error::io("link", link, &e))?;
    }
    Ok(())
}

/// Where the file of a deployment is.
///
/// # Errors
/// [`Code::Unavailable`] if the system names no home folder.
pub(crate) fn path(deployment: &str) -> Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let home = || variable("HOME");
    let place = match system() {
        System::Linux => variable("XDG_CONFIG_HOME")
            .or_else(|| Some(home()?.join(".config")))
            .map(|config| config.join(format!("systemd/user/fettle-{deployment}.service"))),
        System::Mac => {
            home().map(|home| home.join(format!("Library/LaunchAgents/dev.fettle.{deployment}.plist")))
        }
        System::Windows => variable("APPDATA").map(|data| {
            data.join(format!("Microsoft/Windows/Start Menu/Programs/Startup/fettle-{deployment}.cmd"))
        }),
    };
    place.ok_or_else(|| Error::new(Code::Unavailable, "cannot tell where this user's files go"))
}

fn system() -> System {
    match std::env::consts::OS {
        "macos" => System::Mac,
        "windows" => System::Windows,
        _ => System::Linux,
    }
}

fn enabled_by(file: &Path) -> Option<PathBuf> {
    let folder = file.parent()?.join("default.target.wants");
    (system() == System::Linux).then(|| Some(folder.join(file.file_name()?))).flatten()
}

fn text(system: System, deployment: &str, program: &Path, config: &Path) -> Result<String> {
    let (program, config) = (plain(program)?, plain(config)?);
    Ok(match system {
        System::Linux => format!(
            "[Unit]\nDescription=Fettle endpoint {deployment}\nAfter=network.target\n\n\
             [Service]\nExecStart=\"{program}\" --config \"{config}\"\nExecReload=/bin/kill -HUP $MAINPID\n\
             Restart=on-failure\nRestartSec=2\nNoNewPrivileges=yes\n\n[Install]\nWantedBy=default.target\n"
        ),
        System::Mac => format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n\
             <plist version=\"1.0\">\n<dict>\n  <key>Label</key><string>dev.fettle.{deployment}</string>\n  \
             <key>ProgramArguments</key>\n  <array>\n    <string>{}</string>\n    <string>--config</string>\n    \
             <string>{}</string>\n  </array>\n  <key>RunAtLoad</key><true/>\n  <key>KeepAlive</key>\n  \
             <dict><key>SuccessfulExit</key><false/></dict>\n</dict>\n</plist>\n",
            xml(&program),
            xml(&config)
        ),
        System::Windows => {
            format!("@start \"fettle-{deployment}\" /min \"{program}\" --config \"{config}\"\r\n")
        }
    })
}

/// A path that none of the formats reads as something else.
fn plain(path: &Path) -> Result<String> {
    let text = path.to_str().filter(|text| !text.contains(['"', '\n', '%', '$', '\\']) || cfg!(windows));
    text.map(str::to_owned).ok_or_else(|| {
        Error::invalid(format!("`{}` cannot stand in a file that starts programs", path.display()))
            .hint("move the workspace to a folder without quotes, `%` and `$` in its name")
    })
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn write(file: &Path, text: &str) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create", folder, &e))?;
    store::files::write_atomic(file, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_gets_its_own_file_with_the_program_and_its_configuration() {
        let (program, config) = (Path::new("/opt/a & b/fettle-serve"), Path::new("/home/ada/serve.json"));
        for (system, begins) in
            [(System::Linux, "[Unit]"), (System::Mac, "<?xml"), (System::Windows, "@start")]
        {
            let text = text(system, "m", program, config).expect("plain paths");
            assert!(text.starts_with(begins) && text.contains("/home/ada/serve.json"), "{text}");
        }
        let mac = text(System::Mac, "m", program, config).expect("plain paths");
        assert!(mac.contains("/opt/a &amp; b/fettle-serve"));
        assert!(text(System::Linux, "m", Path::new("/a\"b"), config).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn systemd_finds_nothing_wrong_with_the_unit() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("fettle-m.service");
        let text = text(System::Linux, "m", Path::new("/bin/true"), Path::new("/etc/hostname"));
        std::fs::write(&file, text.expect("plain paths")).expect("writes");
        let Ok(output) = std::process::Command::new("systemd-analyze").arg("verify").arg(&file).output()
        else {
            eprintln!("skipped: there is no systemd-analyze here");
            return;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
