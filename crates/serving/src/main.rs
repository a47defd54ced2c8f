//! The program `fettle-serve`: model packages over HTTP, small enough to put anywhere. It is one
//! process per endpoint, started by Fettle, by a container or by hand.

#[cfg(test)]
mod any_request;
mod app;
mod batching;
mod body;
mod config;
mod failure;
mod feedback;
mod guard;
mod ids;
mod infer;
mod listener;
mod metrics;
mod mlflow;
mod models;
mod oip;
mod options;
mod request_log;
mod routes;
mod tls;
mod tree;
mod web;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base::{Code, Error, Result};
use score::Package;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use crate::app::{App, Logs};
use crate::feedback::Feedback;
use crate::guard::Guard;
use crate::listener::Patience;
use crate::models::Models;
use crate::options::{Command, HELP, Options};
use crate::request_log::{RequestLog, Writer};
use crate::tls::Tls;

fn main() -> ExitCode {
    let command = options::parse(std::env::args().skip(1), |name| std::env::var(name).ok());
    let outcome = match command {
        Ok(Command::Help) => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Ok(Command::Version) => {
            println!("fettle-serve {}", env!("CARGO_PKG_VERSION"));
            Ok(ExitCode::SUCCESS)
        }
        Ok(Command::Check(options)) => check(&options),
        Ok(Command::Serve(options)) => serve(&options),
        Err(error) => Err(error),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("fettle-serve: {error}");
        if let Some(hint) = &error.hint {
            eprintln!("  {hint}");
        }
        ExitCode::from(error.code.exit_code())
    })
}

/// Scores the golden row, prints what came out and fails if it is not what it should be.
fn check(options: &Options) -> Result<ExitCode> {
    let mut current = options.models.iter().flat_map(|model| {
        model.versions.iter().filter(move |one| one.version == model.current).map(|one| &one.package)
    });
    let folder = current.next().ok_or_else(|| Error::invalid("no model is to be served"))?;
    let answer = Package::load(folder).and_then(|package| package.check_golden());
    let (passed, report) = match answer {
        Ok(check) => {
            let passed = check.passed;
            let report = serde_json::to_value(check);
            (passed, report.map_err(|error| Error::internal("cannot write the result").because(error))?)
        }
        Err(error) => (false, json!({ "passed": false, "error": error })),
    };
    println!("{report}");
    Ok(ExitCode::from(u8::from(!passed)))
}

fn serve(options: &Options) -> Result<ExitCode> {
    raise_the_limit_of_connections();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, 4))
        .max_blocking_threads(options.concurrency.max(1))
        .thread_stack_size(1 << 20)
        .enable_all()
        .build()
        .map_err(|error| Error::internal("cannot start").because(error))?;
    let models = Models::load(&options.models, None)?;
    let tls = options.tls.as_ref().map(Tls::read).transpose()?.map(Arc::new);
    runtime.block_on(run(options, models, tls))?;
    // A request that ran into its time limit may still be scored by a thread; it is not awaited.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn run(options: &Options, models: Models, tls: Option<Arc<Tls>>) -> Result<()> {
    let listener =
        listen(SocketAddr::new(options.host, options.port)).map_err(|error| busy(options, &error))?;
    let address = listener.local_addr().map_err(|error| busy(options, &error))?;
    let guard = Guard::new(&options.token, address)?;
    let (logs, writers) = logs(options)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let app = Arc::new(App::new(models, options, guard, tls.clone(), logs));
    let router = routes::router(&app, options.health_route.as_deref(), options.predict_route.as_deref());
    let (stopper, stop) = watch::channel(false);
    let signals = tokio::spawn(async move {
        wait_for_stop().await;
        // The receiver lives in the accept loop; if that has ended there is nobody to tell.
        let _ = stopper.send(true);
    });
    let reloads = tokio::spawn(reload_on_signal(Arc::clone(&app)));
    println!("{}", hello(&app, &format!("{scheme}://{address}")));
    let patience = Patience { request: options.timeout, drain: options.drain };
    listener::serve(listener, router, tls, stop, patience).await;
    signals.abort();
    reloads.abort();
    // Aborted tasks let go of what they hold when the runtime comes to them.
    let _ = reloads.await;
    drop(app);
    // A thread that still scores for nobody holds the log open; it is not waited for.
    let joined = tokio::task::spawn_blocking(move || writers.into_iter().for_each(Writer::join));
    let _ = tokio::time::timeout(Duration::from_secs(2), joined).await;
    // Whoever started the server may be gone, and its end of the pipe with it.
    let _ = writeln!(std::io::stderr(), "fettle-serve: stopped");
    Ok(())
}

fn hello(app: &App, listening: &str) -> serde_json::Value {
    let models = app.models();
    let first = models.first();
    json!({
        "listening": listening,
        "name": first.name,
        "version": first.current.version,
        "instance": app.instance,
        "pid": std::process::id(),
    })
}

/// The request log, and a second one in a folder beside it for what shadows answer.
fn logs(options: &Options) -> Result<(Logs, Vec<Writer>)> {
    let mut logs = Logs::default();
    let mut writers = Vec::new();
    if let Some(folder) = &options.log_dir {
        logs.feedback = Some(Arc::new(Feedback::new(folder)));
        // Only a configuration can name a shadow.
        let beside = options.config.is_some().then(|| folder.join("shadow"));
        for (folder, log) in [(Some(folder.clone()), &mut logs.requests), (beside, &mut logs.shadow)] {
            let Some(folder) = folder else { continue };
            let (opened, writer) =
                RequestLog::open(&folder, options.log_policy.clone(), Arc::clone(&logs.counts))?;
            *log = Some(opened);
            writers.push(writer);
        }
    }
    Ok((logs, writers))
}

/// The signal HUP reads the configuration again, as it does in other servers.
async fn reload_on_signal(app: Arc<App>) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
        while hangups.recv().await.is_some() {
            let app = Arc::clone(&app);
            let outcome = tokio::task::spawn_blocking(move || app.reload()).await;
            let said = match outcome {
                Ok(Ok(models)) => models.json().to_string(),
                Ok(Err(error)) => format!("cannot reload: {error}"),
                Err(_) => "cannot reload: loading broke off".to_owned(),
            };
            let _ = writeln!(std::io::stderr(), "fettle-serve: {said}");
        }
    }
    #[cfg(not(unix))]
    drop(app);
}

/// Connections that come faster than they are taken wait in the system's queue. Beyond it a client
/// tries again only after a second, so the queue is longer than the usual 1024.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    const WAITING: u32 = 4096;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // On Windows this would let another program take the port.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}

/// Shells give a process 1024 files by habit, which as many slow clients would use up.
fn raise_the_limit_of_connections() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        // Where the system refuses, the limit stays what it was.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

fn busy(options: &Options, error: &std::io::Error) -> Error {
    Error::new(Code::Unavailable, format!("cannot listen on {}:{}", options.host, options.port))
        .because(error)
        .hint("another program may have the port; `--port 0` takes a free one")
}

async fn wait_for_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        // Without a handler either signal ends the process by itself.
        if let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
            }
        }
        std::future::pending::<()>().await;
    }
    #[cfg(not(unix))]
    {
        // Without a handler ctrl-c ends the process by itself.
        let _ = tokio::signal::ctrl_c().await;
    }
}
