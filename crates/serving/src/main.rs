//! The program `fettle-serve`: one model package over HTTP, small enough to put anywhere. It is
//! one process per endpoint, started by Fettle, by a container or by hand.

#[cfg(test)]
mod any_request;
mod app;
mod body;
mod failure;
mod guard;
mod ids;
mod infer;
mod listener;
mod metrics;
mod mlflow;
mod oip;
mod options;
mod request_log;
mod routes;
mod tree;
mod web;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base::{Code, Error, Result};
use score::Package;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::app::App;
use crate::guard::Guard;
use crate::listener::Patience;
use crate::metrics::Metrics;
use crate::options::{Command, HELP, Options};
use crate::request_log::RequestLog;

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
    let answer = Package::load(&options.model).and_then(|package| package.check_golden());
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
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(cores.clamp(2, 4))
        .max_blocking_threads(options.concurrency.max(1))
        .thread_stack_size(1 << 20)
        .enable_all()
        .build()
        .map_err(|error| Error::internal("cannot start").because(error))?;
    let package = Package::load(&options.model)?;
    runtime.block_on(run(options, package))?;
    // A request that ran into its time limit may still be scored by a thread; it is not awaited.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn run(options: &Options, package: Package) -> Result<()> {
    let listener =
        TcpListener::bind((options.host, options.port)).await.map_err(|error| busy(options, &error))?;
    let address = listener.local_addr().map_err(|error| busy(options, &error))?;
    let guard = Guard::new(&options.token, address)?;
    let metrics = Arc::new(Metrics::default());
    let opened = options.log_dir.as_deref().map(|folder| RequestLog::open(folder, Arc::clone(&metrics)));
    let (log, writer) = opened.transpose()?.unzip();
    let app = Arc::new(App::new(package, options, guard, metrics, log)?);
    let router = routes::router(&app, options.health_route.as_deref(), options.predict_route.as_deref());
    let (stopper, stop) = watch::channel(false);
    let signals = tokio::spawn(async move {
        wait_for_stop().await;
        // The receiver lives in the accept loop; if that has ended there is nobody to tell.
        let _ = stopper.send(true);
    });
    println!(
        "{}",
        json!({
            "listening": format!("http://{address}"),
            "name": app.name,
            "version": app.version,
            "instance": app.instance,
            "pid": std::process::id(),
        })
    );
    let patience = Patience { request: options.timeout, drain: options.drain };
    listener::serve(listener, router, stop, patience).await;
    signals.abort();
    drop(app);
    if let Some(writer) = writer {
        // A thread that still scores for nobody holds the log open; it is not waited for.
        let joined = tokio::task::spawn_blocking(|| writer.join());
        let _ = tokio::time::timeout(Duration::from_secs(2), joined).await;
    }
    // Whoever started the server may be gone, and its end of the pipe with it.
    let _ = writeln!(std::io::stderr(), "fettle-serve: stopped");
    Ok(())
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
