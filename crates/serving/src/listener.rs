//! The accept loop. It is our own because the time limits that matter live here: hyper's limit
//! for headers only works with a timer that somebody hands it, nothing limits how slowly a
//! client may read, and a stop must not wait for those who sent half a header.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

use crate::tls::Tls;

/// A request's head must arrive within this time (or the shorter one that a whole request has),
/// and so must the next one on a connection that is kept open.
const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// A client that takes no byte of an answer for so long is let go.
const WRITE_TIMEOUT: Duration = Duration::from_secs(20);
/// The head of a request may be so large, with so many headers.
const HEADER_BYTES: usize = 64 * 1024;
const HEADERS: usize = 100;
/// More connections than this wait in the system's queue.
const CONNECTIONS: usize = 12_000;
/// After the last answer was handed over, connections get so long to send it.
const QUIET: Duration = Duration::from_millis(200);

/// How long a server waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a whole request.
    pub request: Duration,
    /// For running requests once it is told to stop.
    pub drain: Duration,
}

/// Serves connections until `stop` says so, then lets running requests end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    mut stop: watch::Receiver<bool>,
    patience: Patience,
) {
    let header_timeout = HEADER_TIMEOUT.min(patience.request);
    let busy = Arc::new(AtomicUsize::new(0));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stopped| *stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept(), if connections.len() < CONNECTIONS => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                // Answers are written whole; waiting for more to send with them only delays them.
                let _ = stream.set_nodelay(true);
                let service = Counted { router: router.clone(), busy: Arc::clone(&busy) };
                match &tls {
                    None => {
                        connections.spawn(connection(stream, service, stop.clone(), header_timeout));
                    }
                    Some(tls) => {
                        let (acceptor, stop) = (tls.acceptor(), stop.clone());
                        connections.spawn(async move {
                            let shaken = tokio::time::timeout(header_timeout, acceptor.accept(stream)).await;
                            // Who does not shake hands is let go; there is nobody to tell.
                            if let Ok(Ok(stream)) = shaken {
                                connection(stream, service, stop, header_timeout).await;
                            }
                        });
                    }
                }
            }
            // Out of file descriptors, or the client has gone already: neither ends the server.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    drop(listener);
    let deadline = Instant::now() + patience.drain;
    let mut quiet_since = Instant::now();
    while !connections.is_empty() && Instant::now() < deadline {
        if busy.load(Ordering::Acquire) > 0 {
            quiet_since = Instant::now();
        } else if quiet_since.elapsed() > QUIET {
            break;
        }
        tokio::select! {
            _ = connections.join_next() => {}
            () = tokio::time::sleep(Duration::from_millis(10)) => {}
        }
    }
    connections.shutdown().await;
}

/// The router, with a count of the requests that it is answering.
struct Counted {
    router: Router,
    busy: Arc<AtomicUsize>,
}

async fn connection<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    counted: Counted,
    mut stop: watch::Receiver<bool>,
    header_timeout: Duration,
) {
    let router = TowerToHyperService::new(counted.router);
    let service = service_fn(move |request: Request<Incoming>| {
        let guard = Busy::new(&counted.busy);
        let answered = router.call(request.map(Body::new));
        async move { answered.await.map(|response| response.map(|body| Tracked { body, _busy: guard })) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(Timed::new(stream)), service);
    tokio::pin!(serving);
    // How a connection ends is the client's affair; what it asked was answered or counted.
    let ended = tokio::select! {
        _ = serving.as_mut() => true,
        _ = stop.wait_for(|stopped| *stopped) => false,
    };
    if !ended {
        serving.as_mut().graceful_shutdown();
        let _ = serving.await;
    }
}

/// A request that is being answered, until its answer is handed over.
struct Busy(Arc<AtomicUsize>);

impl Busy {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(count))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The body of an answer, which keeps its request busy until hyper has taken it.
struct Tracked {
    body: Body,
    _busy: Busy,
}

impl hyper::body::Body for Tracked {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection whose writes may not stand still.
struct Timed<S> {
    stream: S,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Timed<S> {
    fn new(stream: S) -> Self {
        Self { stream, deadline: None }
    }

    /// Passes a finished write on; one that waits is given up once the deadline has come.
    fn limit<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.deadline = None;
            return written;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIMEOUT)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.limit(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.limit(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.limit(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
