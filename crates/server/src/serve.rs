//! Accepts connections, watches the tasks, and stops in order.

mod patience;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::app::App;
use crate::config::listen::ListenConfig;
use crate::http::Peer;

use self::patience::Patience;

/// When no more files can be opened, waiting helps; trying at once does not.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// More bytes of headers are answered with 431.
const MAX_HEADER_BYTES: usize = 32 * 1024;

/// Serves until `shutdown`: then accepts no more, answers what was accepted, commits, and closes the store.
///
/// # Errors
/// A task that ended though nobody stopped it; work that was not done when the deadline passed.
pub async fn serve(
    listener: TcpListener,
    mut app: App,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let mut connections = Connections::new(app.router(), app.listen());
    let ended = tokio::select! {
        () = shutdown => None,
        task = app.task_ended() => Some(task),
        never = connections.accept(listener) => match never {},
    };
    tracing::info!("stopping: what was accepted is answered first");
    connections.drain().await;
    app.close().await?;
    if let Some(task) = ended {
        bail!("{task} ended unexpectedly");
    }
    Ok(())
}

/// Resolves when the process is told to stop: SIGTERM, or SIGINT (Ctrl-C).
///
/// # Errors
/// When the signals cannot be listened to.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// A loop that does not end.
enum Never {}

struct Connections {
    router: Router,
    http: http1::Builder,
    graceful: GracefulShutdown,
    free: Arc<Semaphore>,
    tasks: JoinSet<()>,
    patience: Duration,
    shutdown_timeout: Duration,
}

impl Connections {
    fn new(router: Router, listen: &ListenConfig) -> Self {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(listen.header_timeout())
            .max_buf_size(MAX_HEADER_BYTES)
            .pipeline_flush(true);
        Self {
            router,
            http,
            graceful: GracefulShutdown::new(),
            free: Arc::new(Semaphore::new(listen.max_connections as usize)),
            tasks: JoinSet::new(),
            patience: listen.body_timeout(),
            shutdown_timeout: listen.shutdown_timeout(),
        }
    }

    async fn accept(&mut self, listener: TcpListener) -> Never {
        loop {
            let Ok(permit) = self.free.clone().acquire_owned().await else {
                // The semaphore is never closed.
                return std::future::pending().await;
            };
            match listener.accept().await {
                Ok((stream, peer)) => self.serve_one(stream, peer, permit),
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn serve_one(&mut self, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        // An answer is one small write: waiting for more would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        let service = service(self.router.clone(), peer.ip());
        let stream = Patience::new(stream, self.patience);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let watcher: Watcher = self.graceful.watcher();
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn(async move {
            // How a connection ends is the client's affair: cut off, timed out, not HTTP at all.
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(permit);
        });
    }

    /// Answers what was accepted, for as long as the settings say; then cuts the rest off.
    async fn drain(self) {
        let ended = self.graceful.shutdown();
        if tokio::time::timeout(self.shutdown_timeout, ended)
            .await
            .is_err()
        {
            tracing::warn!("some connections did not end in time and are cut off");
        }
        // What is left of the tasks ends with the set.
    }
}

fn service(
    router: Router,
    peer: IpAddr,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.clone().oneshot(request.map(Body::new))
    })
}

/// The client was gone before we took its connection: no fault of ours, and the next is waiting.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
