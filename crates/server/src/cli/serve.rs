//! `caller-id serve`.

mod banner;

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use caller_id_core::SystemClock;
use tokio::net::{TcpListener, TcpSocket};

use crate::app::{self, App};
use crate::config::Settings;
use crate::config::source::Environment;
use crate::serve::{self, Listeners};
use crate::supervisor::Supervisor;
use crate::telemetry;

use self::banner::Banner;

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
    /// Print the admin token and a link to sign in at start, wherever the output goes. Without this they are printed to a
    /// terminal alone, and only when the token is new
    #[arg(long, help_heading = "Options")]
    pub show_token: bool,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// A setting that cannot be used, an address that is taken, a store that cannot be opened, a task that ended.
pub async fn run(args: ServeArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let node = args.settings.cluster.node_name();
    let _telemetry = telemetry::start(&args.settings.log, &args.settings.traces, &node)?;
    let served = until_stopped(args, environment).await;
    if let Err(error) = &served {
        tracing::error!(target: telemetry::SAID, "{error:#}");
    }
    served
}

async fn until_stopped(args: ServeArgs, environment: &Environment) -> anyhow::Result<ExitCode> {
    let settings = args.settings;
    app::check(&settings)?;
    let supervisor = Supervisor::of(environment)?;
    for warning in environment
        .warnings()
        .into_iter()
        .chain(settings.warnings())
    {
        tracing::warn!("{warning}");
    }
    let mut listeners = Some(listen(&settings)?);
    let mut stop = Box::pin(serve::stop_signal()?);
    if settings.cluster.standby || settings.cluster.is_shared() {
        // The addresses are free. Until this node answers, whoever calls is refused at once and asks another node: one that is
        // accepted and not answered would wait for as long as it waits at all. A node that is the only one lets calls wait
        // instead: it is ready in a moment, and there is nobody else.
        listeners = None;
    }
    if settings.cluster.standby {
        // It may stand by for weeks, and that is what it is there for: a start that waits for it would fail.
        supervisor.ready("stands by, until the node that has the database ends");
    }
    let app = tokio::select! {
        app = App::open(&settings, Arc::new(SystemClock::new())) => app?,
        () = &mut stop => return Ok(ExitCode::SUCCESS),
        never = serve::stand_by(&supervisor), if settings.cluster.standby => match never {},
    };
    let listeners = match listeners {
        Some(listeners) => listeners,
        None => listen(&settings)?,
    };
    let banner = Banner {
        settings: &settings,
        address: listeners.http.local_addr()?,
        agi: listeners
            .agi
            .as_ref()
            .map(TcpListener::local_addr)
            .transpose()?,
        first_token: app.first_token(),
        show_token: args.show_token,
        seen_once: io::stdout().is_terminal(),
    };
    if let Err(error) = banner.print() {
        // The service is what matters, not who reads its first words.
        tracing::warn!(%error, "cannot write to standard output");
    }
    tracing::info!(target: telemetry::SAID, "{}", banner.listens());
    supervisor.ready(&format!("listens on http://{}", banner.address));
    serve::serve_for(&supervisor, listeners, app, stop).await?;
    Ok(ExitCode::SUCCESS)
}

fn listen(settings: &Settings) -> anyhow::Result<Listeners> {
    let http = settings.listen.socket();
    let http = bind(http)
        .with_context(|| format!("cannot listen on {http} (API_HOST and API_PORT say where)"))?;
    let agi = settings.agi.socket().map(|socket| {
        let bound = bind(socket);
        bound.with_context(|| {
            format!("cannot listen on {socket} for FastAGI (AGI_LISTEN says where, or `off`)")
        })
    });
    Ok(Listeners {
        http,
        agi: agi.transpose()?,
    })
}

/// Listens, with room for those who come while the others are let in: one that finds none would try again a second later.
fn bind(socket: SocketAddr) -> io::Result<TcpListener> {
    const WAITING_MOST: u32 = 4_096;
    let bound = match socket {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // The connections of a service that has just ended are no reason to wait. Elsewhere it would let two listen at once.
    #[cfg(unix)]
    bound.set_reuseaddr(true)?;
    bound.bind(socket)?;
    bound.listen(WAITING_MOST)
}
