//! Accepts connections, watches the tasks, and stops in order.

mod asterisk;
mod door;
mod files;
mod loops;
mod patience;
mod seats;
mod service;
mod unread;
mod watch;
mod web;

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::app::App;
use crate::supervisor::Supervisor;

use self::asterisk::Asterisk;
use self::door::Door;
use self::loops::EventLoops;
use self::seats::Idleness;
use self::web::Web;

/// A fresh connection sends its first request at once, or takes the place of one that would.
const FIRST_HEAD_MOST: Duration = Duration::from_secs(5);

/// So much of the time that a stop has, one part of as many, is for what comes after the last answer: committing, closing.
const PART_FOR_CLOSING: u32 = 4;

/// Where clients come in.
#[derive(Debug)]
pub struct Listeners {
    /// HTTP.
    pub http: TcpListener,
    /// FastAGI, where Asterisk may ask.
    pub agi: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    /// HTTP alone.
    fn from(http: TcpListener) -> Self {
        Self { http, agi: None }
    }
}

/// Serves until `shutdown`: then accepts no more, answers what was accepted, commits, and closes the store.
///
/// # Errors
/// A task that ended though nobody stopped it; work that was not done when the deadline passed.
pub async fn serve(
    listeners: impl Into<Listeners>,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    serve_for(&Supervisor::default(), listeners, app, shutdown).await
}

/// The same, and tells `supervisor` that it lives and when it stops. That it is ready is told by whoever starts it.
///
/// # Errors
/// As [`serve`].
pub async fn serve_for(
    supervisor: &Supervisor,
    listeners: impl Into<Listeners>,
    mut app: App,
    shutdown: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let Listeners { http, agi } = listeners.into();
    let loops = Arc::new(EventLoops::start().context("cannot start the event loops")?);
    let doors = 1 + u32::from(agi.is_some());
    let (mut web, mut asterisk) = doors_of(&app, doors, &loops);
    let mut places = loops.all().to_vec();
    places.push(Handle::current());
    let ended = tokio::select! {
        () = shutdown => None,
        task = app.task_ended() => Some(task),
        never = web.accept(http) => match never {},
        never = watch::watch(supervisor, &places) => match never {},
        never = async {
            match agi {
                Some(agi) => asterisk.accept(agi).await,
                None => pending().await,
            }
        } => match never {},
    };
    supervisor.stopping();
    tracing::info!("stopping: what was accepted is answered first");
    let time = app.listen().shutdown_timeout();
    let until = Instant::now() + time;
    let answered = until - time / PART_FOR_CLOSING;
    app.end_looking();
    tokio::join!(web.drain(answered), asterisk.drain(answered));
    // The event loops must run on until then: what was decided on them is committed on them.
    app.close_until(until).await?;
    drop((web, asterisk, loops));
    if let Some(task) = ended {
        bail!("{task} ended unexpectedly");
    }
    Ok(())
}

/// Gives `supervisor` signs of life while a node stands by: there is nothing yet that could stand still but the process.
pub async fn stand_by(supervisor: &Supervisor) -> std::convert::Infallible {
    watch::watch(supervisor, &[Handle::current()]).await
}

/// The door of HTTP, and that of FastAGI.
fn doors_of(app: &App, doors: u32, loops: &Arc<EventLoops>) -> (Door<Web>, Door<Asterisk>) {
    let listen = app.listen();
    let most = files::connections_most(listen.max_connections, doors);
    let patient = Idleness {
        fresh: FIRST_HEAD_MOST.min(listen.header_timeout()),
        used: listen.header_timeout(),
    };
    let agi = app.agi();
    // A dialog ends at its deadline without being told.
    let short = Idleness {
        fresh: agi.deadline,
        used: agi.deadline,
    };
    let web = Web::new(app.dispatch(), listen.body_timeout());
    (
        Door::new(web, most, patient, loops.clone()),
        Door::new(Asterisk(agi), most, short, loops.clone()),
    )
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
