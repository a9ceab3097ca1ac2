//! A door: one listener, the connections that came in by it, and who serves them.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

use crate::telemetry::throttle::Throttle;

use super::loops::EventLoops;
use super::seats::{Idleness, Seat, Seats};

/// When no more files can be opened, waiting helps; trying at once does not.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// So often it is looked who has waited too long: they wait so much longer at most.
const SWEEP: Duration = Duration::from_millis(500);

/// A stop waits so long for a request whose head is half there: nobody has accepted that one.
const HALF_A_HEAD_MOST: Duration = Duration::from_secs(1);

/// Who serves the connections that come in by a door.
pub(super) trait Host {
    /// Serves one to its end. It leaves when its seat is told to.
    fn serve(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        seat: Arc<Seat>,
    ) -> impl Future<Output = ()> + Send + 'static;
}

/// A loop that does not end.
pub(super) enum Never {}

/// A listener's connections.
pub(super) struct Door<H> {
    host: Arc<H>,
    seats: Seats,
    loops: Arc<EventLoops>,
}

impl<H: Host + Send + Sync + 'static> Door<H> {
    /// A door for at most `most` connections at the same time.
    pub(super) fn new(host: H, most: u32, idleness: Idleness, loops: Arc<EventLoops>) -> Self {
        Self {
            host: Arc::new(host),
            seats: Seats::new(most, idleness),
            loops,
        }
    }

    /// Lets in who comes; for ever.
    pub(super) async fn accept(&mut self, listener: TcpListener) -> Never {
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
                    self.serve_one(stream, peer.ip(), permit);
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

    fn serve_one(&mut self, stream: TcpStream, peer: IpAddr, permit: OwnedSemaphorePermit) {
        // An answer is one small write: waiting for more would only delay it.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY cannot be set");
        }
        // The stream is taken from the event loop that accepts, and given to the one that will serve it.
        let stream = match stream.into_std() {
            Ok(stream) => stream,
            Err(error) => return tracing::warn!(%error, "a connection is lost"),
        };
        let (host, seat) = (self.host.clone(), self.seats.seat());
        self.seats
            .spawn(self.loops.next(), seat.clone(), async move {
                match TcpStream::from_std(stream) {
                    Ok(stream) => host.serve(stream, peer, seat).await,
                    Err(error) => tracing::warn!(%error, "a connection is lost"),
                }
                drop(permit);
            });
    }

    /// Answers what was accepted, until then; what is left is cut off when this is dropped.
    pub(super) async fn drain(&mut self, until: Instant) {
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
