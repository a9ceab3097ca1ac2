//! Who is connected, and who has waited longest without asking: that one makes room when all seats are taken.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::{Id, JoinSet, yield_now};
use tokio::time::{Instant, timeout};

/// One that was asked to leave has so long before the next is asked.
const LEAVING: Duration = Duration::from_millis(20);

/// The value of [`Seat::waiting_since`] while a request is answered.
const ASKING: u64 = u64::MAX;

/// The connections, as many as there may be.
#[derive(Debug)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    taken: HashMap<Id, Arc<Seat>>,
    tasks: JoinSet<()>,
    start: Instant,
    idleness: Idleness,
}

/// What is known of one connection.
#[derive(Debug)]
pub(super) struct Seat {
    start: Instant,
    /// Microseconds from `start` to when it began to wait for a whole request head, or [`ASKING`].
    waiting_since: AtomicU64,
    asked: AtomicBool,
    /// The client has not taken all of an answer yet.
    is_taking: AtomicBool,
    must_leave: AtomicBool,
    cut: AtomicBool,
    told: Notify,
}

/// How a connection must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// When what was asked is answered.
    Finish,
    /// At once.
    Cut,
}

/// How long a connection may be without a whole request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Idleness {
    /// A fresh one.
    pub(super) fresh: Duration,
    /// One that has asked before.
    pub(super) used: Duration,
}

#[cfg(test)]
impl Idleness {
    /// Nobody may wait at all.
    pub(super) const NONE: Self = Self {
        fresh: Duration::ZERO,
        used: Duration::ZERO,
    };
}

impl Seat {
    /// A request begins.
    pub(super) fn asks(&self) {
        self.asked.store(true, Ordering::Relaxed);
        self.waiting_since.store(ASKING, Ordering::Relaxed);
    }

    /// A request has its answer.
    pub(super) fn waits(&self) {
        self.waiting_since
            .store(micros_since(self.start), Ordering::Relaxed);
    }

    /// The client takes an answer more slowly than it is given.
    pub(super) fn takes_slowly(&self) {
        self.is_taking.store(true, Ordering::Relaxed);
    }

    /// It has taken some more: it waits, if for nothing else, since now.
    pub(super) fn has_taken(&self) {
        if self.waiting_since.load(Ordering::Relaxed) != ASKING {
            self.waits();
        }
        self.is_taking.store(false, Ordering::Relaxed);
    }

    /// Whether there was any request.
    fn has_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// Whether a request is being answered, up to the last byte that does not fit into the system's buffers.
    fn is_asking(&self) -> bool {
        self.waiting_since.load(Ordering::Relaxed) == ASKING
            || self.is_taking.load(Ordering::Relaxed)
    }

    /// How long it has waited for a whole request head.
    fn waited(&self) -> Duration {
        let since = self.waiting_since.load(Ordering::Relaxed);
        // It may ask just now: that is later than now.
        Duration::from_micros(micros_since(self.start).saturating_sub(since))
    }

    /// Resolves when the connection must go. What came before it was told, or while it was, is answered.
    pub(super) async fn told(&self) -> Verdict {
        self.told.notified().await;
        // A request may lie in the system's buffers, and the event loop does not know of it yet: it looks once more.
        yield_now().await;
        if self.cut.load(Ordering::Relaxed) && !self.is_asking() {
            Verdict::Cut
        } else {
            Verdict::Finish
        }
    }

    fn tell(&self, verdict: Verdict) {
        self.must_leave.store(true, Ordering::Relaxed);
        self.cut.store(verdict == Verdict::Cut, Ordering::Relaxed);
        self.told.notify_one();
    }
}

impl Seats {
    /// At most `most` connections, that may wait so long.
    pub(super) fn new(most: u32, idleness: Idleness) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most as usize)),
            taken: HashMap::new(),
            tasks: JoinSet::new(),
            start: Instant::now(),
            idleness,
        }
    }

    /// A free place; when there is none, one after the other of those that wait is told to leave.
    pub(super) async fn take(&mut self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = self.free.clone().try_acquire_owned() {
                return permit;
            }
            self.make_room();
            // Nobody else looks while this waits, and one that was told to finish may not do so.
            self.sweep();
            if let Ok(Ok(permit)) = timeout(LEAVING, self.free.clone().acquire_owned()).await {
                return permit;
            }
        }
    }

    /// Tells the one that has waited longest to leave. Those who are being answered stay.
    pub(super) fn make_room(&mut self) {
        self.forget_ended();
        let waiting =
            |seat: &&Arc<Seat>| !seat.is_asking() && !seat.must_leave.load(Ordering::Relaxed);
        let longest = self
            .taken
            .values()
            .filter(waiting)
            .min_by_key(|seat| seat.waiting_since.load(Ordering::Relaxed));
        if let Some(seat) = longest {
            // An answer may still be on its way to a client that has asked.
            seat.tell(if seat.has_asked() {
                Verdict::Finish
            } else {
                Verdict::Cut
            });
        }
    }

    /// Cuts off those who have waited longer than they may.
    pub(super) fn sweep(&mut self) {
        self.forget_ended();
        for seat in self.taken.values() {
            let most = if seat.has_asked() {
                self.idleness.used
            } else {
                self.idleness.fresh
            };
            if !seat.is_asking() && seat.waited() >= most {
                seat.tell(Verdict::Cut);
            }
        }
    }

    /// Tells all to go when what they asked is answered. From now on nobody may wait longer than `half` with half a request.
    pub(super) fn finish(&mut self, half: Duration) {
        self.idleness = Idleness {
            fresh: half.min(self.idleness.fresh),
            used: half.min(self.idleness.used),
        };
        self.forget_ended();
        for seat in self.taken.values() {
            seat.tell(Verdict::Finish);
        }
    }

    /// A seat for a fresh connection.
    pub(super) fn seat(&self) -> Arc<Seat> {
        Arc::new(Seat {
            start: self.start,
            waiting_since: AtomicU64::new(micros_since(self.start)),
            asked: AtomicBool::new(false),
            is_taking: AtomicBool::new(false),
            must_leave: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            told: Notify::new(),
        })
    }

    /// Runs a connection on an event loop.
    pub(super) fn spawn(
        &mut self,
        on: &Handle,
        seat: Arc<Seat>,
        connection: impl Future<Output = ()> + Send + 'static,
    ) {
        self.forget_ended();
        let task = self.tasks.spawn_on(connection, on);
        self.taken.insert(task.id(), seat);
    }

    /// Resolves when every connection has ended.
    pub(super) async fn all_left(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }

    fn forget_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
            self.taken.remove(&id);
        }
    }
}

fn micros_since(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(ASKING - 1)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use tokio::net::TcpStream;

    use super::*;

    /// What the connection in `seat` was told; none when it was told nothing.
    async fn verdict(seat: &Seat) -> Option<Verdict> {
        let some_turns = async {
            for _ in 0..3 {
                yield_now().await;
            }
        };
        tokio::select! {
            biased;
            verdict = seat.told() => Some(verdict),
            () = some_turns => None,
        }
    }

    fn taken(seats: &mut Seats) -> Arc<Seat> {
        let seat = seats.seat();
        seats.spawn(&Handle::current(), seat.clone(), std::future::pending());
        seat
    }

    #[tokio::test]
    async fn who_waits_too_long_is_cut_off_and_who_is_being_answered_is_not() {
        let mut seats = Seats::new(2, Idleness::NONE);
        let (idle, busy) = (taken(&mut seats), taken(&mut seats));
        busy.asks();
        seats.sweep();
        assert_eq!(verdict(&idle).await, Some(Verdict::Cut));
        assert_eq!(verdict(&busy).await, None);
        busy.waits();
        seats.sweep();
        assert_eq!(verdict(&busy).await, Some(Verdict::Cut));
    }

    #[tokio::test]
    async fn who_takes_an_answer_slowly_is_not_cut_off() {
        let mut seats = Seats::new(1, Idleness::NONE);
        let seat = taken(&mut seats);
        seat.asks();
        seat.takes_slowly();
        seat.waits();
        seats.sweep();
        assert_eq!(verdict(&seat).await, None);
        seat.has_taken();
        seats.sweep();
        assert_eq!(verdict(&seat).await, Some(Verdict::Cut));
    }

    #[tokio::test]
    async fn a_request_that_comes_while_its_connection_is_cut_off_is_answered() {
        let mut seats = Seats::new(1, Idleness::NONE);
        let seat = taken(&mut seats);
        seats.sweep();
        seat.asks();
        assert_eq!(verdict(&seat).await, Some(Verdict::Finish));
    }

    #[tokio::test]
    async fn what_has_come_is_seen_before_the_word_to_go() {
        let mut seats = Seats::new(1, Idleness::NONE);
        let seat = taken(&mut seats);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mut client = std::net::TcpStream::connect(address).expect("a connection");
        client.write_all(b"GET").expect("sent");
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_nonblocking(true).expect("a socket");
        let stream = TcpStream::from_std(stream).expect("a socket");
        seats.finish(Duration::ZERO);
        tokio::select! {
            biased;
            seen = stream.readable() => seen.expect("readable"),
            verdict = seat.told() => panic!("{verdict:?}"),
        }
    }

    #[tokio::test]
    async fn a_stop_lets_everybody_finish() {
        let mut seats = Seats::new(1, Idleness::NONE);
        let seat = taken(&mut seats);
        seats.finish(Duration::ZERO);
        assert_eq!(verdict(&seat).await, Some(Verdict::Finish));
    }
}
