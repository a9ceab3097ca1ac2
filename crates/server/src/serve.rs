//! Accepts connections, watches the tasks, and stops in order.

mod files;
mod loops;
mod patience;
mod seats;
mod service;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, bail};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::app::App;
use crate::config::listen::ListenConfig;
use crate::http::dispatch::Dispatch;
use crate::telemetry::throttle::Throttle;

use self::loops::EventLoops;
use self::patience::Patience;
use self::seats::{Idleness, Seats, Verdict};

/// When no more files can be opened, waiting helps; trying at once does not.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A fresh connection sends its first request at once, or takes the place of one that would.
const FIRST_HEAD_MOST: Duration = Duration::from_secs(5);

/// So often it is looked who has waited too long: they wait so much longer at most.
const SWEEP: Duration = Duration::from_millis(500);

/// So much of the time that a stop has, one part of as many, is for what comes after the last answer: committing, closing.
const PART_FOR_CLOSING: u32 = 4;

/// A stop waits so long for a request whose head is half there: nobody has accepted that one.
const HALF_A_HEAD_MOST: Duration = Duration::from_secs(1);

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
    let mut connections = Connections::new(app.dispatch(), app.listen())?;
    let ended = tokio::select! {
        () = shutdown => None,
        task = app.task_ended() => Some(task),
        never = connections.accept(listener) => match never {},
    };
    tracing::info!("stopping: what was accepted is answered first");
    let time = app.listen().shutdown_timeout();
    let until = Instant::now() + time;
    connections.drain(until - time / PART_FOR_CLOSING).await;
    // The event loops must run on until then: what was decided on them is committed on them.
    app.close_until(until).await?;
    drop(connections);
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
    dispatch: Dispatch,
    http: http1::Builder,
    seats: Seats,
    loops: EventLoops,
    patience: Duration,
}

impl Connections {
    fn new(dispatch: Dispatch, listen: &ListenConfig) -> anyhow::Result<Self> {
        let mut http = http1::Builder::new();
        // A client may say that it sends no more and still wait for its answer, as `nc -N` does. Answers are never kept
        // back for the next request (hyper's `pipeline_flush`): a stray byte would keep them back for ever.
        // Who sends no request is cut off by the sweep: a timer for each request would cost more than the request is worth.
        http.header_read_timeout(None)
            .max_buf_size(MAX_HEADER_BYTES)
            .half_close(true)
            .writev(false);
        let idleness = Idleness {
            fresh: FIRST_HEAD_MOST.min(listen.header_timeout()),
            used: listen.header_timeout(),
        };
        Ok(Self {
            dispatch,
            http,
            seats: Seats::new(files::connections_most(listen.max_connections), idleness),
            loops: EventLoops::start().context("cannot start the event loops")?,
            patience: listen.body_timeout(),
        })
    }

    async fn accept(&mut self, listener: TcpListener) -> Never {
        let failures = Throttle::new();
        let mut sweep = sweeps();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = sweep.tick() => {
                    self.seats.sweep();
                    continue;
                }
            };
            match accepted {
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
        // The stream is taken from the event loop that accepts, and given to the one that will serve it.
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => return tracing::warn!(%error, "a connection is lost"),
        };
        let seat = self.seats.seat();
        let service = service::service(self.dispatch.clone(), peer.ip(), seat.clone());
        let (http, patience) = (self.http.clone(), self.patience);
        self.seats
            .spawn(self.loops.next(), seat.clone(), async move {
                let stream = match TcpStream::from_std(stream) {
                    Ok(stream) => TokioIo::new(Patience::new(stream, patience, seat.clone())),
                    Err(error) => return tracing::warn!(%error, "a connection is lost"),
                };
                let mut connection = pin!(http.serve_connection(stream, service));
                let ended = loop {
                    tokio::select! {
                        biased;
                        ended = connection.as_mut() => break ended,
                        verdict = seat.told() => match verdict {
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

    /// Answers what was accepted, until then; what is left is cut off when this is dropped.
    async fn drain(&mut self, until: Instant) {
        self.seats.finish(HALF_A_HEAD_MOST);
        let seats = &mut self.seats;
        let all_left = async move {
            let mut sweep = sweeps();
            loop {
                tokio::select! {
                    () = seats.all_left() => return,
                    _ = sweep.tick() => seats.sweep(),
                }
            }
        };
        let ended = tokio::time::timeout_at(until, all_left);
        if ended.await.is_err() {
            tracing::warn!("some connections did not end in time and are cut off");
        }
    }
}

/// The times of looking who has waited too long.
fn sweeps() -> Interval {
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    sweep
}

/// The client was gone before we took its connection: no fault of ours, and the next is waiting.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}
