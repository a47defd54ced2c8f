//! The flags and environment variables of `fettle-serve`. There are few, and this program should
//! stay small, so they are read by hand.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base::{Error, Result};

use crate::config::{self, Config, ModelEntry, TlsFiles};
use crate::request_log::Policy;

/// What `fettle-serve --help` prints.
pub const HELP: &str = "\
Serves one model package over HTTP: Open Inference Protocol v2, MLflow scoring, V1 predict.

usage: fettle-serve --model DIR [options]
       fettle-serve --config FILE [options]

  --config FILE        a JSON file with several models and versions and what the flags say; a POST
                       to /v2/repository/reload, or the signal HUP, reads its models again
  --model DIR          the package: an MLflow model directory with an ONNX model
                       (default: /opt/ml/model)
  --host H             the address to listen on (default: 127.0.0.1)
  --port N             the port; 0 takes a free one (default: AIP_HTTP_PORT, PORT or 8080)
  --token-file F       a file that only its owner may read, holding the bearer token
                       (or the variable FETTLE_TOKEN)
  --no-token           listen on other than this machine without a token
  --name NAME          the model's name in URLs (default: the name of the folder)
  --version V          the model's version (default: 1)
  --instance ID        an id that GET /v2 repeats, to tell this process from another
  --tls-cert F, --tls-key F
                       speak TLS with this certificate (and chain) and key, PEM
  --log-dir DIR        write requests with inputs and answers to DIR/requests-<day>.jsonl
  --log-share-pct N    write only so many of 100 answered requests (default: 100)
  --redact COLUMN      leave the values of a column out of the log; may be given again
  --body-limit-mb N    refuse larger requests (default: 8)
  --concurrency N      rows are scored for so many requests at once (default: twice the cores)
  --batch-rows N       score up to so many rows of several requests together; 0 does not (default: 0)
  --timeout-s N        give up on a request after this time (default: 30)
  --drain-s N          on stop, finish running requests for so long (default: 10)
  --check              score the golden row of the package, print the result as JSON and exit
  --help, -V           print this, or the version of the program

AIP_HTTP_PORT, AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE and the argument `serve` are understood, so
that the same program runs on SageMaker and Vertex AI.
";

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is served.
    pub models: Vec<ModelEntry>,
    /// The file that says so, if it is read again on a reload.
    pub config: Option<PathBuf>,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Where the token is.
    pub token: TokenSource,
    /// Where the certificate is.
    pub tls: Option<TlsFiles>,
    /// Tells this process from another.
    pub instance: Option<String>,
    /// Where requests are logged.
    pub log_dir: Option<PathBuf>,
    /// What is logged of them.
    pub log_policy: Policy,
    /// The largest body, after decompression too.
    pub body_limit_bytes: usize,
    /// How many requests are scored at once.
    pub concurrency: usize,
    /// So many rows of several requests are scored together; 0 or 1 for each alone.
    pub batch_rows: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// How long a stop waits for running requests.
    pub drain: Duration,
    /// A further path that answers like `/ping`.
    pub health_route: Option<String>,
    /// A further path that answers like `/invocations`.
    pub predict_route: Option<String>,
}

/// Where the bearer token comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    /// A file that only its owner may read.
    File(PathBuf),
    /// The environment.
    Given(String),
    /// Nowhere: everyone who reaches the port may ask.
    Nowhere,
}

/// What the command line asks for.
#[derive(Debug)]
pub enum Command {
    /// Serve.
    Serve(Options),
    /// Score the golden row and exit.
    Check(Options),
    /// Print the help.
    Help,
    /// Print the version of the program.
    Version,
}

/// Reads the arguments (without the program's name) and the environment. Flags win over the file of
/// `--config`, which wins over the environment.
///
/// # Errors
/// [`base::Code::InvalidInput`] naming the flag, or what is wrong in the file.
pub fn parse(
    arguments: impl IntoIterator<Item = String>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Command> {
    let mut flags = Flags::read(arguments)?;
    if let Some(command) = flags.command.take() {
        return Ok(command);
    }
    let mut options = defaults(&environment)?;
    let mut may_be_open = false;
    if let Some(path) = &flags.config {
        let config = Config::read(path)?;
        may_be_open = config.open;
        apply_file(&mut options, config)?;
        options.config = Some(path.clone());
    }
    apply_flags(&mut options, &flags)?;
    may_be_open |= flags.is_open;
    if flags.is_check {
        return Ok(Command::Check(options));
    }
    if options.token == TokenSource::Nowhere && !options.host.is_loopback() && !may_be_open {
        return Err(usage(format!(
            "listening on {} lets others reach the model without a token",
            options.host
        ))
        .hint("give `--token-file` or FETTLE_TOKEN, or `--no-token` if something in front asks for one"));
    }
    Ok(Command::Serve(options))
}

/// The arguments, not yet put together.
#[derive(Default)]
struct Flags {
    config: Option<PathBuf>,
    values: Vec<(String, String)>,
    is_check: bool,
    is_open: bool,
    command: Option<Command>,
}

impl Flags {
    fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self> {
        let mut flags = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (flag, inline) = match argument.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (argument, None),
            };
            match flag.as_str() {
                "--no-token" => flags.is_open = true,
                "--check" => flags.is_check = true,
                "--help" | "-h" => flags.command = Some(Command::Help),
                "-V" => flags.command = Some(Command::Version),
                // SageMaker starts every image with this word.
                "serve" => {}
                other if VALUED.contains(&other) => {
                    let value = inline.or_else(|| arguments.next());
                    let value = value.ok_or_else(|| usage(format!("the flag `{flag}` needs a value")))?;
                    if flag == "--config" {
                        flags.config = Some(value.into());
                    } else {
                        flags.values.push((flag, value));
                    }
                }
                other => return Err(usage(format!("there is no flag `{other}`"))),
            }
        }
        Ok(flags)
    }

    fn value(&self, flag: &str) -> Option<&str> {
        self.values.iter().rev().find(|(own, _)| own == flag).map(|(_, value)| value.as_str())
    }
}

/// The flags that need a value.
const VALUED: [&str; 18] = [
    "--config",
    "--model",
    "--host",
    "--port",
    "--token-file",
    "--name",
    "--version",
    "--instance",
    "--tls-cert",
    "--tls-key",
    "--log-dir",
    "--log-share-pct",
    "--redact",
    "--body-limit-mb",
    "--concurrency",
    "--batch-rows",
    "--timeout-s",
    "--drain-s",
];

fn apply_flags(options: &mut Options, flags: &Flags) -> Result<()> {
    let mut tls: (Option<PathBuf>, Option<PathBuf>) = (None, None);
    for (flag, value) in &flags.values {
        match flag.as_str() {
            "--host" => options.host = host(value)?,
            "--port" => options.port = number(flag, value)?,
            "--token-file" => options.token = TokenSource::File(value.into()),
            "--instance" => options.instance = Some(value.clone()),
            "--tls-cert" => tls.0 = Some(value.into()),
            "--tls-key" => tls.1 = Some(value.into()),
            "--log-dir" => options.log_dir = Some(value.into()),
            "--log-share-pct" => options.log_policy.share_pct = share(number(flag, value)?)?,
            "--redact" => options.log_policy.redacted.extend([value.clone()]),
            "--body-limit-mb" => options.body_limit_bytes = megabytes(number(flag, value)?),
            "--concurrency" => options.concurrency = at_least_one(number(flag, value)?),
            "--batch-rows" => options.batch_rows = number::<u16>(flag, value)?.into(),
            "--timeout-s" => options.timeout = seconds(number::<u16>(flag, value)?.max(1)),
            "--drain-s" => options.drain = seconds(number(flag, value)?),
            // Those that say what is served are looked at together.
            _ => {}
        }
    }
    options.tls = match tls {
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate, key }),
        (None, None) => options.tls.take(),
        _ => return Err(usage("`--tls-cert` and `--tls-key` go together".to_owned())),
    };
    let named = flags.value("--model").or(flags.value("--name")).or(flags.value("--version"));
    if options.config.is_some() {
        return match named {
            Some(_) => Err(usage(
                "`--config` says what is served, so that `--model`, `--name` and `--version` cannot"
                    .to_owned(),
            )),
            None => Ok(()),
        };
    }
    let folder = PathBuf::from(flags.value("--model").unwrap_or("/opt/ml/model"));
    let name = match flags.value("--name") {
        Some(name) => name.to_owned(),
        None => folder.file_name().map_or("model".to_owned(), |name| name.to_string_lossy().into_owned()),
    };
    let version = flags.value("--version").unwrap_or("1");
    for name in [name.as_str(), version] {
        config::check_name(name).map_err(|error| usage(error.message))?;
    }
    options.models = vec![ModelEntry::single(&name, version, &folder)];
    Ok(())
}

fn apply_file(options: &mut Options, config: Config) -> Result<()> {
    if let Some(text) = &config.host {
        options.host = host(text)?;
    }
    if let Some(port) = config.port {
        options.port = port;
    }
    if let Some(path) = config.token_file {
        options.token = TokenSource::File(path);
    }
    if let Some(share_pct) = config.log_share_pct {
        options.log_policy.share_pct = share(share_pct)?;
    }
    if let Some(limit) = config.body_limit_mb {
        options.body_limit_bytes = megabytes(limit);
    }
    if let Some(concurrency) = config.concurrency {
        options.concurrency = at_least_one(concurrency);
    }
    if let Some(timeout) = config.timeout_s {
        options.timeout = seconds(timeout.max(1));
    }
    if let Some(drain) = config.drain_s {
        options.drain = seconds(drain);
    }
    options.batch_rows = config.batch_rows.unwrap_or_default().into();
    options.log_policy.redacted.extend(config.redact);
    options.instance = config.instance;
    options.log_dir = config.log_dir;
    options.tls = config.tls;
    options.models = config.models;
    Ok(())
}

fn defaults(environment: &impl Fn(&str) -> Option<String>) -> Result<Options> {
    let port = environment("AIP_HTTP_PORT").or_else(|| environment("PORT"));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let route = |name: &str| {
        environment(name).filter(|path| path.starts_with('/') && !path.contains(['{', '}', '*']))
    };
    Ok(Options {
        models: Vec::new(),
        config: None,
        host: IpAddr::from([127, 0, 0, 1]),
        port: port.map_or(Ok(8080), |port| number("PORT", &port))?,
        token: environment("FETTLE_TOKEN").map_or(TokenSource::Nowhere, TokenSource::Given),
        tls: None,
        instance: None,
        log_dir: None,
        log_policy: Policy::default(),
        body_limit_bytes: 8_000_000,
        concurrency: 2 * cores,
        batch_rows: 0,
        timeout: Duration::from_secs(30),
        drain: Duration::from_secs(10),
        health_route: route("AIP_HEALTH_ROUTE"),
        predict_route: route("AIP_PREDICT_ROUTE"),
    })
}

fn megabytes(limit: u16) -> usize {
    usize::from(limit) * 1_000_000
}

fn at_least_one(count: u16) -> usize {
    usize::from(count.max(1))
}

fn seconds(seconds: u16) -> Duration {
    Duration::from_secs(seconds.into())
}

fn share(share_pct: u8) -> Result<u8> {
    if share_pct > 100 {
        return Err(usage(format!("a share of {share_pct} of 100 is too much")));
    }
    Ok(share_pct)
}

fn host(text: &str) -> Result<IpAddr> {
    if text == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.trim_matches(['[', ']']).parse().map_err(|_| usage(format!("`{text}` is not an IP address")))
}

fn number<T: std::str::FromStr>(flag: &str, text: &str) -> Result<T> {
    text.parse().map_err(|_| usage(format!("`{flag}` cannot be `{text}`")))
}

fn usage(message: String) -> Error {
    Error::invalid(message).hint("`fettle-serve --help` lists the flags")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Command> {
        let find =
            |name: &str| environment.iter().find(|(own, _)| *own == name).map(|(_, v)| (*v).to_owned());
        parse(arguments.iter().map(|text| (*text).to_owned()), find)
    }

    #[test]
    fn flags_win_over_the_environment_and_the_word_serve_is_passed_over() {
        let command =
            read(&["serve", "--model", "/m/wine", "--port=9"], &[("PORT", "7"), ("AIP_HEALTH_ROUTE", "/h")]);
        let Ok(Command::Serve(options)) = command else { panic!("{command:?}") };
        assert_eq!((options.port, options.models[0].name.as_str()), (9, "wine"));
        assert_eq!(options.health_route.as_deref(), Some("/h"));
    }

    #[test]
    fn other_machines_need_a_token_or_a_clear_word() {
        assert!(read(&["--host", "0.0.0.0"], &[]).is_err());
        assert!(read(&["--host", "0.0.0.0", "--no-token"], &[]).is_ok());
        assert!(read(&["--host", "::1"], &[]).is_ok());
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_the_environment() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("serve.json");
        let models = r#"[{"name":"m","current":"1","versions":[{"version":"1","package":"p"}]}]"#;
        std::fs::write(&path, format!(r#"{{"port":5,"timeoutS":7,"redact":["a"],"models":{models}}}"#))
            .expect("writes");
        let path = path.to_str().expect("UTF-8");
        let command = read(&["--config", path, "--timeout-s", "9", "--redact=b"], &[("PORT", "4")]);
        let Ok(Command::Serve(options)) = command else { panic!("{command:?}") };
        assert_eq!((options.port, options.timeout.as_secs()), (5, 9));
        assert_eq!(options.log_policy.redacted.iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(read(&["--config", path, "--model", "/m"], &[]).is_err());
        assert!(read(&["--tls-cert", "c"], &[]).is_err());
    }

    #[test]
    fn a_wrong_flag_is_named() {
        for (arguments, named) in
            [(vec!["--por", "1"], "--por"), (vec!["--port", "x"], "--port"), (vec!["--model"], "--model")]
        {
            assert!(read(&arguments, &[]).expect_err(named).message.contains(named));
        }
    }
}
