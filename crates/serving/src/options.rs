//! The flags and environment variables of `fettle-serve`. There are few, and this program should
//! stay small, so they are read by hand.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base::{Error, Result};

/// What `fettle-serve --help` prints.
pub const HELP: &str = "\
Serves one model package over HTTP: Open Inference Protocol v2, MLflow scoring, V1 predict.

usage: fettle-serve --model DIR [options]

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
  --log-dir DIR        write requests with inputs and answers to DIR/requests-<day>.jsonl
  --body-limit-mb N    refuse larger requests (default: 8)
  --concurrency N      rows are scored for so many requests at once (default: twice the cores)
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
    /// The package.
    pub model: PathBuf,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 takes a free one.
    pub port: u16,
    /// Where the token is.
    pub token: TokenSource,
    /// The model's name in URLs.
    pub name: String,
    /// The model's version.
    pub version: String,
    /// Tells this process from another.
    pub instance: Option<String>,
    /// Where requests are logged.
    pub log_dir: Option<PathBuf>,
    /// The largest body, after decompression too.
    pub body_limit_bytes: usize,
    /// How many requests are scored at once.
    pub concurrency: usize,
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

/// Reads the arguments (without the program's name) and the environment.
///
/// # Errors
/// [`base::Code::InvalidInput`] naming the flag.
pub fn parse(
    arguments: impl IntoIterator<Item = String>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Command> {
    let mut options = defaults(&environment)?;
    let (mut is_check, mut may_be_open, mut name) = (false, false, None);
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        let (flag, inline) = match argument.split_once('=') {
            Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        };
        let mut value = || {
            let value = inline.clone().or_else(|| arguments.next());
            value.ok_or_else(|| usage(format!("the flag `{flag}` needs a value")))
        };
        match flag.as_str() {
            "--model" => options.model = value()?.into(),
            "--host" => options.host = host(&value()?)?,
            "--port" => options.port = number(&flag, &value()?)?,
            "--token-file" => options.token = TokenSource::File(value()?.into()),
            "--name" => name = Some(value()?),
            "--version" => options.version = value()?,
            "--instance" => options.instance = Some(value()?),
            "--log-dir" => options.log_dir = Some(value()?.into()),
            "--body-limit-mb" => {
                options.body_limit_bytes = number::<u16>(&flag, &value()?)? as usize * 1_000_000
            }
            "--concurrency" => options.concurrency = number::<u16>(&flag, &value()?)?.max(1).into(),
            "--timeout-s" => {
                options.timeout = Duration::from_secs(number::<u16>(&flag, &value()?)?.max(1).into())
            }
            "--drain-s" => options.drain = Duration::from_secs(number::<u16>(&flag, &value()?)?.into()),
            "--no-token" => may_be_open = true,
            "--check" => is_check = true,
            "--help" | "-h" => return Ok(Command::Help),
            "-V" => return Ok(Command::Version),
            // SageMaker starts every image with this word.
            "serve" => {}
            other => return Err(usage(format!("there is no flag `{other}`"))),
        }
    }
    options.name = match name {
        Some(name) => name,
        None => {
            options.model.file_name().map_or("model".to_owned(), |name| name.to_string_lossy().into_owned())
        }
    };
    if options.name.is_empty() || options.name.contains(['/', ':', '?', '#']) {
        return Err(usage(format!("`{}` cannot be a model's name in a URL", options.name)));
    }
    if is_check {
        return Ok(Command::Check(options));
    }
    if options.token == TokenSource::Nowhere && !options.host.is_loopback() && !may_be_open {
        return Err(usage(format!(
            "listening on {} lets others reach the model without a token",
            options.host
        ))
        .hint("give `--token-file`, or `--no-token` if something in front asks for one"));
    }
    Ok(Command::Serve(options))
}

fn defaults(environment: &impl Fn(&str) -> Option<String>) -> Result<Options> {
    let port = environment("AIP_HTTP_PORT").or_else(|| environment("PORT"));
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let route = |name: &str| {
        environment(name).filter(|path| path.starts_with('/') && !path.contains(['{', '}', '*']))
    };
    Ok(Options {
        model: "/opt/ml/model".into(),
        host: IpAddr::from([127, 0, 0, 1]),
        port: port.map_or(Ok(8080), |port| number("PORT", &port))?,
        token: environment("FETTLE_TOKEN").map_or(TokenSource::Nowhere, TokenSource::Given),
        name: String::new(),
        version: "1".to_owned(),
        instance: None,
        log_dir: None,
        body_limit_bytes: 8_000_000,
        concurrency: 2 * cores,
        timeout: Duration::from_secs(30),
        drain: Duration::from_secs(10),
        health_route: route("AIP_HEALTH_ROUTE"),
        predict_route: route("AIP_PREDICT_ROUTE"),
    })
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
        assert_eq!((options.port, options.name.as_str()), (9, "wine"));
        assert_eq!(options.health_route.as_deref(), Some("/h"));
    }

    #[test]
    fn other_machines_need_a_token_or_a_clear_word() {
        assert!(read(&["--host", "0.0.0.0"], &[]).is_err());
        assert!(read(&["--host", "0.0.0.0", "--no-token"], &[]).is_ok());
        assert!(read(&["--host", "::1"], &[]).is_ok());
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
