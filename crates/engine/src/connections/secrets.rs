//! Passwords in the keychain of this machine's user: Keychain on macOS, Credential Manager on
//! Windows, and elsewhere the Secret Service (GNOME Keyring, KWallet) by its own program. Nothing
//! else ever holds one.

#[cfg(not(any(windows, target_os = "macos")))]
pub(crate) use by_program::{get, remove, set};
#[cfg(any(windows, target_os = "macos"))]
pub(crate) use by_system::{get, remove, set};

use base::{Code, Error};

/// Whose secrets these are.
const SERVICE: &str = "fettle";

fn no_keychain(why: impl std::fmt::Display) -> Error {
    Error::new(Code::Unavailable, "there is no keychain to keep the password in").because(why)
}

#[cfg(any(windows, target_os = "macos"))]
mod by_system {
    use base::Result;
    use keyring::{Entry, Error};

    use super::{SERVICE, no_keychain};

    pub(crate) fn set(account: &str, password: &str) -> Result<()> {
        Entry::new(SERVICE, account).and_then(|entry| entry.set_password(password)).map_err(no_keychain)
    }

    pub(crate) fn get(account: &str) -> Result<Option<String>> {
        match Entry::new(SERVICE, account).and_then(|entry| entry.get_password()) {
            Ok(password) => Ok(Some(password)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(no_keychain(error)),
        }
    }

    pub(crate) fn remove(account: &str) -> Result<()> {
        match Entry::new(SERVICE, account).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(no_keychain(error)),
        }
    }
}

#[cfg(not(any(windows, target_os = "macos")))]
mod by_program {
    use std::io::Write as _;
    use std::process::{Command, Output, Stdio};

    use base::Result;

    use super::{SERVICE, no_keychain};

    /// The program of libsecret.
    const PROGRAM: &str = "secret-tool";

    pub(crate) fn set(account: &str, password: &str) -> Result<()> {
        let label = format!("--label=Fettle: {account}");
        done(&run(&["store", &label, "service", SERVICE, "account", account], password)?)
    }

    pub(crate) fn get(account: &str) -> Result<Option<String>> {
        let output = run(&["lookup", "service", SERVICE, "account", account], "")?;
        // It is silent about a secret that is not there.
        if !output.status.success() && output.stderr.is_empty() {
            return Ok(None);
        }
        done(&output)?;
        Ok(Some(String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned()))
    }

    pub(crate) fn remove(account: &str) -> Result<()> {
        run(&["clear", "service", SERVICE, "account", account], "").map(drop)
    }

    /// The password goes through a pipe: what is an argument can be read by everybody.
    fn run(words: &[&str], input: &str) -> Result<Output> {
        let started = Command::new(PROGRAM)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = started.map_err(|e| no_keychain(format!("`{PROGRAM}` cannot be started: {e}")))?;
        if let Some(mut pipe) = child.stdin.take() {
            // A program that ends without reading says why by its status.
            let _ = pipe.write_all(input.as_bytes());
        }
        child.wait_with_output().map_err(no_keychain)
    }

    fn done(output: &Output) -> Result<()> {
        if output.status.success() {
            return Ok(());
        }
        Err(no_keychain(String::from_utf8_lossy(&output.stderr).trim()))
    }
}
