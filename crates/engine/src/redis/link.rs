//! The link: one connection to the one server that holds the tenant's keys, kept, and made again when it is lost.
//!
//! All keys of a tenant are in one hash slot, so there is always exactly one such server: the one in the URL, the one whom
//! a cluster says the slot belongs to, or the one whom the sentinels call the master. A task finds it and looks after the
//! link. Whoever asks something there gets the connection at once while there is one, and waits for one while there is
//! none.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caller_id_core::AllocatorError;
use redis::aio::MultiplexedConnection;
use redis::{ErrorKind, RedisError, RedisResult};
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, error::Elapsed};

use super::Settings;
use super::error::{Late, Refused, unavailable};
use super::keys::Keys;

use self::address::Address;
use self::error::Unreachable;
use self::find::{Finder, Found};

mod address;
mod advice;
mod cluster;
mod dial;
mod error;
mod find;
mod question;
mod sentinel;
mod words;

pub(super) use self::dial::field;
pub use self::error::BadAddress;
pub(super) use self::question::{Question, Told, find};

/// From the beginning of one attempt to the beginning of the next.
const ATTEMPT_EVERY: Duration = Duration::from_millis(100);
/// So often it is asked whether the server still is who it was, also when nothing else is asked there.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// So often in a row it may not say it in time while it is known to be busy.
const LATE_MOST: u32 = 3;

/// What a server says that does not, or not any more, or not yet, hold our keys.
const NOT_THIS_SERVER: [&str; 7] = [
    "READONLY",
    "MOVED",
    "CLUSTERDOWN",
    "MASTERDOWN",
    "LOADING",
    "UNBLOCKED",
    "NOAUTH",
];

/// The server that holds the tenant's keys, for as long as one connection lives.
#[derive(Clone)]
pub(super) struct Server {
    /// To it.
    pub(super) connection: MultiplexedConnection,
    /// This run of the server as a master, hexadecimal. It was read on this connection.
    pub(super) run: Arc<str>,
    /// Where it is, for messages.
    at: Arc<str>,
    /// Which of our connections this is.
    id: u64,
}

/// The way to that server. Its task ends when it is dropped.
pub(super) struct Link {
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

/// What those who ask and the task that keeps the link share.
struct Shared {
    state: watch::Sender<State>,
    /// Told when an answer is missing: the connection may be half dead.
    doubt: Notify,
    response_timeout: Duration,
    connections: AtomicU64,
    /// One answer that comes late ends no link.
    patient: AtomicBool,
    /// Where the link led last.
    last: Mutex<String>,
}

enum State {
    Up(Server),
    Down(Unreachable),
}

impl State {
    fn is_down(&self) -> bool {
        matches!(self, Self::Down(_))
    }
}

impl Link {
    /// Begins to make the link, in the tokio runtime that this is called from.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`] when the settings name no server.
    pub(super) fn new(settings: &Settings, keys: &Keys) -> Result<Self, AllocatorError> {
        let (finder, places) = Finder::of(settings, keys).map_err(unavailable)?;
        let shared = Arc::new(Shared {
            state: watch::Sender::new(State::Down(Unreachable::NotYet(places))),
            doubt: Notify::new(),
            response_timeout: settings.response_timeout,
            connections: AtomicU64::new(0),
            patient: AtomicBool::new(false),
            last: Mutex::default(),
        });
        let keeper = tokio::spawn(keep(finder, shared.clone())).abort_handle();
        Ok(Self { shared, keeper })
    }

    /// Whether the settings can be read. Nobody is asked.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub(super) fn check(settings: &Settings) -> Result<(), BadAddress> {
        Finder::of(settings, &Keys::of(&settings.tenant)).map(drop)
    }

    /// Hosts and the number of the database, for messages. Nobody is asked.
    pub(super) fn place(settings: &Settings) -> (String, i64) {
        match Address::parse(&settings.url) {
            Ok(address) => (address.places(), address.login.database),
            // Whoever cannot be parsed is never linked to.
            Err(_) => ("?".to_owned(), 0),
        }
    }

    /// The server: at once while there is a link, else as soon as there is one.
    ///
    /// # Errors
    /// [`AllocatorError::Unavailable`] with the last reason when there is none at `deadline`.
    pub(super) async fn server(&self, deadline: Instant) -> Result<Server, AllocatorError> {
        if let State::Up(server) = &*self.shared.state.borrow() {
            return Ok(server.clone());
        }
        let mut state = self.shared.state.subscribe();
        let up = state.wait_for(|state| !state.is_down());
        if let Ok(Ok(state)) = tokio::time::timeout_at(deadline, up).await
            && let State::Up(server) = &*state
        {
            return Ok(server.clone());
        }
        Err(self.late())
    }

    /// What to say to somebody whose time is over.
    pub(super) fn late(&self) -> AllocatorError {
        match &*self.shared.state.borrow() {
            State::Down(why) => unavailable(why.clone()),
            State::Up(server) => self.shared.late(server),
        }
    }

    /// What a server answered, or that it did not; drops the link when that says that it is not the server any more.
    pub(super) fn judge<T>(
        &self,
        server: &Server,
        answered: Result<RedisResult<T>, Elapsed>,
    ) -> Result<T, AllocatorError> {
        match answered {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                let why = error.to_string();
                if is_elsewhere(&error) {
                    self.lost(server, &why);
                    return Err(unavailable(Unreachable::Lost {
                        at: server.at.to_string(),
                        why,
                    }));
                }
                self.doubt_if_elsewhere(&why);
                let at = server.at.to_string();
                Err(unavailable(Refused { at, error }))
            }
            Err(_) => {
                self.doubt();
                Err(self.shared.late(server))
            }
        }
    }

    /// Whether Redis may be busy for longer than a server may take to say who it is: with what this node asked of it.
    pub(super) fn be_patient(&self, whether: bool) {
        self.shared.patient.store(whether, Ordering::Relaxed);
    }

    /// Has the server asked whether it still is who it was. One slow answer does not end the link; no answer does.
    pub(super) fn doubt(&self) {
        self.shared.doubt.notify_one();
    }

    /// The same when a script failed for what says that another server is to be asked.
    pub(super) fn doubt_if_elsewhere(&self, why: &str) {
        if NOT_THIS_SERVER.iter().any(|code| why.contains(code)) {
            self.doubt();
        }
    }

    /// Drops that connection, and no later one: another is made.
    pub(super) fn lost(&self, server: &Server, why: &str) {
        self.shared.lost(server, why);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    fn lost(&self, server: &Server, why: &str) {
        let lost = self.state.send_if_modified(|state| {
            let ours = matches!(state, State::Up(now) if now.id == server.id);
            if ours {
                let (at, why) = (server.at.to_string(), why.to_owned());
                *state = State::Down(Unreachable::Lost { at, why });
            }
            ours
        });
        if lost {
            // Whoever asks next is told why, and tells it.
            tracing::debug!("the link to {} was lost: {why}", server.at);
        }
    }

    fn late(&self, server: &Server) -> AllocatorError {
        unavailable(Late {
            at: server.at.to_string(),
            ms: self.response_timeout.as_millis(),
        })
    }

    /// Whether it is another than the one before.
    fn name(&self, at: &str) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *last, at.to_owned()) != at
    }

    fn up(&self, found: &Found) -> Server {
        let server = Server {
            connection: found.connection.clone(),
            run: found.greeting.run.clone(),
            at: found.at.as_str().into(),
            id: self.connections.fetch_add(1, Ordering::Relaxed),
        };
        match self.name(&server.at) {
            true => tracing::info!(run = %server.run, "linked to {}", server.at),
            false => tracing::debug!(run = %server.run, "linked to {} again", server.at),
        }
        self.state.send_replace(State::Up(server.clone()));
        server
    }
}

/// Whether an error says that the connection is dead, or that another server is to be asked.
fn is_elsewhere(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Io
        || error
            .code()
            .is_some_and(|code| NOT_THIS_SERVER.contains(&code))
}

/// Makes the link, looks after it, and makes it again, for ever.
async fn keep(mut finder: Finder, shared: Arc<Shared>) {
    let mut next = Instant::now();
    loop {
        let mut found = connect(&mut finder, &shared, &mut next).await;
        let server = shared.up(&found);
        let mut state = shared.state.subscribe();
        tokio::select! {
            _ = state.wait_for(State::is_down) => {}
            why = watch_over(&mut finder, &shared, &mut found) => shared.lost(&server, &why.to_string()),
        }
    }
}

/// Tries until there is a connection.
async fn connect(finder: &mut Finder, shared: &Shared, next: &mut Instant) -> Found {
    let mut told = false;
    loop {
        tokio::time::sleep_until(*next).await;
        *next = Instant::now() + ATTEMPT_EVERY;
        match finder.find().await {
            Ok(found) => return found,
            Err(why) => {
                if !told {
                    tracing::debug!(%why, "there is no link to redis; it is tried again ten times a second");
                    told = true;
                }
                shared.state.send_replace(State::Down(why));
            }
        }
    }
}

/// Comes back when the server is not who it was any more, or does not say so in time.
async fn watch_over(finder: &mut Finder, shared: &Shared, found: &mut Found) -> Unreachable {
    let mut late = 0;
    loop {
        // Either: an answer was missing, or it is time to look.
        let _ = tokio::time::timeout(CHECK_EVERY, shared.doubt.notified()).await;
        match finder.check(found).await {
            Ok(()) => late = 0,
            Err(Unreachable::Late { .. })
                if late < LATE_MOST && shared.patient.load(Ordering::Relaxed) =>
            {
                late += 1;
            }
            Err(why) => return why,
        }
    }
}
