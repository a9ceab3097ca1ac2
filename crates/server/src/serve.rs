//! Accepts connections, watches the tasks, and stops in order.

mod files;
mod guard;
mod patience;
mod seats;

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::config::listen::ListenConfig;
use crate::http::{Peer, answer::answer};
use crate::telemetry::throttle::Throttle;

use self::guard::{Guard, Verdict};
use self::patience::Patience;
use self::seats::{Seat, Seats};

/// When no more files can be opened, waiting helps; trying at once does not.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A fresh connection sends its first request at once, or takes the place of one that would.
const FIRST_HEAD_MOST: Duration = Duration::from_secs(5);

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

/// Resolves when the process is told to stop: SIGTERM, SIGINT (Ctrl-C), or SIGHUP (its terminal was closed).
///
/// # Errors
/// When the signals cannot be listened to.
pub fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
        let mut hang_up = signal(SignalKind::hangup()).context("cannot listen to SIGHUP")?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hang_up.recv() => {}
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
    seats: Seats,
    stop: CancellationToken,
    first_head: Duration,
    patience: Duration,
    shutdown_timeout: Duration,
}

impl Connections {
    fn new(router: Router, listen: &ListenConfig) -> Self {
        let mut http = http1::Builder::new();
        // A client may say that it sends no more and still wait for its answer, as `nc -N` does. Answers are never kept
        // back for the next request (hyper's `pipeline_flush`): a stray byte would keep them back for ever.
        http.timer(TokioTimer::new())
            .header_read_timeout(listen.header_timeout())
            .max_buf_size(MAX_HEADER_BYTES)
            .half_close(true)
            .writev(false);
        Self {
            router,
            http,
            seats: Seats::new(files::connections_most(listen.max_connections)),
            stop: CancellationToken::new(),
            first_head: FIRST_HEAD_MOST.min(listen.header_timeout()),
            patience: listen.body_timeout(),
            shutdown_timeout: listen.shutdown_timeout(),
        }
    }

    async fn accept(&mut self, listener: TcpListener) -> Never {
        let failures = Throttle::new();
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let permit = self.seats.take().await;
                    self.serve_one(stream, peer, permit);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if let Some(times) = failures.note() {
                        tracing::warn!(%error, times, "no connection can be accepted");
                    }
                    self.seats.make_room();
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
        let seat = self.seats.seat();
        let service = service(self.router.clone(), peer.ip(), seat.clone());
        let stream = Patience::new(stream, self.patience);
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        let (stop, first_head) = (self.stop.clone(), self.first_head);
        self.seats.spawn(seat.clone(), async move {
            let mut connection = pin!(connection);
            let mut guard = Guard::new(&seat, &stop, first_head);
            let ended = loop {
                tokio::select! {
                    biased;
                    ended = connection.as_mut() => break ended,
                    verdict = guard.verdict() => match verdict {
                        Verdict::Finish => connection.as_mut().graceful_shutdown(),
                        Verdict::Cut => break Ok(()),
                    },
                }
            };
            // How a connection ends is the client's affair: cut off, timed out, not HTTP at all.
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended");
            }
            drop(permit);
        });
    }

    /// Answers what was accepted, for as long as the settings say; then cuts the rest off.
    async fn drain(mut self) {
        self.stop.cancel();
        let ended = self.seats.all_left();
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
    seat: Arc<Seat>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response,
    Error = std::convert::Infallible,
    Future: Send,
> {
    service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        seat.asks();
        let answer = answer(router.clone(), request.map(Body::new));
        let seat = seat.clone();
        async move {
            let answer = answer.await;
            seat.waits();
            Ok(answer)
        }
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
