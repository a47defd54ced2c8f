//! The daemon: its socket, its token, its place in the workspace, and when it leaves.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base::{Code, Error, Result};
use engine::Engine;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::routes::{App, Tokens};

/// A client that has not sent its headers by then is dropped.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long running requests may take once the daemon is told to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How long the daemon stays without anybody listening and without anything to do.
const IDLE: Duration = Duration::from_secs(30);

/// How to run a daemon.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port; 0 for the one of last time, or a free one.
    pub port: u16,
    /// The token for what scripts log; the workspace's own if none.
    pub tracking_token: Option<String>,
    /// Where the built screens are.
    pub screens: Option<PathBuf>,
    /// True to stay even when nobody listens.
    pub stays: bool,
}

/// A daemon that is ready.
#[derive(Debug, Clone)]
pub struct Daemon {
    /// Its address, such as `http://127.0.0.1:4321`.
    pub url: String,
    /// What callers must send.
    pub token: String,
}

/// Serves the engine until it is told to stop, or until nobody needs it. `ready` is called once
/// with the address and the token, before the first request is taken.
///
/// # Errors
/// [`Code::Unavailable`] if the port is taken.
pub fn serve(
    engine: Arc<Engine>,
    options: &Options,
    ready: impl FnOnce(&Daemon) -> Result<()>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|e| Error::internal("cannot start the daemon's threads").because(e))?;
    let ended = runtime.block_on(run(engine, options, ready));
    // Commands that still run are jobs' beginnings or reads; the store keeps either whole.
    runtime.shutdown_timeout(GRACE);
    ended
}

async fn run(
    engine: Arc<Engine>,
    options: &Options,
    ready: impl FnOnce(&Daemon) -> Result<()>,
) -> Result<()> {
    let listener = listen(&engine, options.port).await?;
    let port =
        listener.local_addr().map_err(|e| Error::internal("a socket has no address").because(e))?.port();
    engine.remember_port(port)?;
    let tracking = match &options.tracking_token {
        Some(token) => engine.set_tracking_token(token)?,
        None => engine.tracking_token()?,
    };
    let token = base::RunId::new().as_str().to_owned() + base::RunId::new().as_str();
    let instance = base::JobId::new().as_str().to_owned();
    let tokens = Tokens { all: token.clone(), tracking };
    let app = App::new(engine, tokens, port, instance, options.screens.clone());
    ready(&Daemon { url: format!("http://127.0.0.1:{port}"), token })?;

    let mut server = auto::Builder::new(TokioExecutor::new());
    // Without a timer the header timeout is silently not there.
    server.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let server = server.http1_only();
    let graceful = GracefulShutdown::new();
    let mut idle = tokio::time::interval(Duration::from_secs(1));
    let mut idle_for = Duration::ZERO;
    let mut interrupted = std::pin::pin!(interruption());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let service = TowerToHyperService::new(app.router());
                let connection = server.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
                let watched = graceful.watch(connection);
                // A connection's end, good or bad, is the client's matter.
                tokio::spawn(async move { watched.await.ok() });
            }
            () = app.stopped() => break,
            () = &mut interrupted => break,
            _ = idle.tick() => {
                let is_needed = options.stays || app.listeners() > 0 || app.engine().is_busy();
                idle_for = if is_needed { Duration::ZERO } else { idle_for + Duration::from_secs(1) };
                if idle_for >= IDLE && !app.engine().keeps_running() {
                    break;
                }
            }
        }
    }
    drop(listener);
    app.engine().stop();
    // Event streams never end by themselves, so they are cut after the grace.
    tokio::time::timeout(GRACE, graceful.shutdown()).await.ok();
    Ok(())
}

/// Scripts keep the address that they were given, so the port is that of last time where nobody asks
/// for another and it is still free.
async fn listen(engine: &Engine, port: u16) -> Result<TcpListener> {
    let at = |port: u16| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if port == 0
        && let Some(last) = engine.last_port()
        && let Ok(listener) = at(last).await
    {
        return Ok(listener);
    }
    at(port).await.map_err(|e| {
        Error::new(Code::Unavailable, format!("cannot listen on port {port}"))
            .hint("choose another port, or 0 for a free one")
            .because(e)
    })
}

#[cfg(unix)]
async fn interruption() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => (),
        _ = terminate.recv() => (),
    }
}

#[cfg(not(unix))]
async fn interruption() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
