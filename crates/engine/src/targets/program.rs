//! Where the program `fettle-serve` is, for this computer and for others.

use std::path::PathBuf;

use base::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a program is made for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Platform {
    /// As this computer.
    #[default]
    ThisOne,
    /// Linux on a processor of Intel or AMD.
    #[serde(rename = "linux-x86_64")]
    LinuxX86,
    /// Linux on ARM.
    #[serde(rename = "linux-aarch64")]
    LinuxArm,
    /// macOS on ARM.
    #[serde(rename = "macos-aarch64")]
    MacArm,
    /// macOS on Intel.
    #[serde(rename = "macos-x86_64")]
    MacX86,
    /// Windows on a processor of Intel or AMD.
    #[serde(rename = "windows-x86_64")]
    WindowsX86,
}

impl Platform {
    /// The one that `uname -s` and `uname -m` speak of.
    pub(crate) fn of(system: &str, machine: &str) -> Option<Self> {
        match (system, machine) {
            ("Linux", "x86_64" | "amd64") => Some(Self::LinuxX86),
            ("Linux", "aarch64" | "arm64") => Some(Self::LinuxArm),
            ("Darwin", "arm64" | "aarch64") => Some(Self::MacArm),
            ("Darwin", "x86_64") => Some(Self::MacX86),
            _ => None,
        }
    }

    /// Its name in the names of programs.
    pub(crate) fn name(self) -> String {
        match self {
            Self::ThisOne => format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            Self::LinuxX86 => "linux-x86_64".to_owned(),
            Self::LinuxArm => "linux-aarch64".to_owned(),
            Self::MacArm => "macos-aarch64".to_owned(),
            Self::MacX86 => "macos-x86_64".to_owned(),
            Self::WindowsX86 => "windows-x86_64".to_owned(),
        }
    }

    /// The end of a program's name there.
    pub(crate) fn suffix(self) -> &'static str {
        if self.name().starts_with("windows") { ".exe" } else { "" }
    }
}

/// `fettle-serve` for this computer: named by FETTLE_SERVE_BIN, or beside this program.
pub(crate) fn here() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("FETTLE_SERVE_BIN") {
        return Ok(PathBuf::from(program));
    }
    let name = format!("fettle-serve{}", std::env::consts::EXE_SUFFIX);
    beside(&name)?.ok_or_else(|| {
        Error::new(Code::Unavailable, format!("the program `{name}` is missing beside this one"))
            .hint("reinstall Fettle, or build it with `cargo build -p serving`")
    })
}

/// `fettle-serve` for a platform: `fettle-serve-<platform>` beside this program, or in the folder that
/// FETTLE_SERVE_DIR names; for this computer's own platform also the one that runs here.
pub(crate) fn for_platform(platform: Platform) -> Result<PathBuf> {
    let wanted = platform.name();
    let name = format!("fettle-serve-{wanted}{}", platform.suffix());
    if let Some(folder) = std::env::var_os("FETTLE_SERVE_DIR") {
        let place = PathBuf::from(folder).join(&name);
        if place.is_file() {
            return Ok(place);
        }
    }
    if let Some(place) = beside(&name)? {
        return Ok(place);
    }
    if wanted == Platform::ThisOne.name() {
        return here();
    }
    Err(Error::new(Code::Unavailable, format!("there is no `fettle-serve` for {wanted} on this computer"))
        .hint(format!(
            "put `{name}` of the same release beside Fettle, or name its folder in FETTLE_SERVE_DIR"
        )))
}

fn beside(name: &str) -> Result<Option<PathBuf>> {
    let own = std::env::current_exe().map_err(|e| Error::internal("cannot find this program").because(e))?;
    // Test programs are one folder below the programs they test.
    let mut places = own.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    Ok(places.find(|place| place.is_file()))
}
