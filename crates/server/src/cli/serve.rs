//! `caller-id serve`.

mod banner;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use caller_id_core::SystemClock;
use tokio::net::TcpListener;

use crate::app::{self, App};
use crate::config::Settings;
use crate::{serve, telemetry};

use self::banner::Banner;

/// What `serve` takes.
#[derive(Debug, clap::Args)]
pub struct ServeArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
    /// Print the admin token at start, also when it was made before
    #[arg(long)]
    pub show_token: bool,
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// A setting that cannot be used, an address that is taken, a store that cannot be opened, a task that ended.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let settings = args.settings;
    telemetry::start(&settings.log);
    app::check(&settings)?;
    for warning in settings.warnings() {
        tracing::warn!("{warning}");
    }
    let socket = settings.listen.socket();
    let listen = async || {
        let bound = TcpListener::bind(socket).await;
        bound.with_context(|| format!("cannot listen on {socket}"))
    };
    let mut listener = Some(listen().await?);
    let mut stop = Box::pin(serve::stop_signal()?);
    if settings.cluster.standby || settings.cluster.is_shared() {
        // The address is free. Until this node answers, whoever calls is refused at once and asks another node: one that is
        // accepted and not answered would wait for as long as it waits at all. A node that is the only one lets calls wait
        // instead: it is ready in a moment, and there is nobody else.
        listener = None;
    }
    let app = tokio::select! {
        app = App::open(&settings, Arc::new(SystemClock::new())) => app?,
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };
    let listener = match listener {
        Some(listener) => listener,
        None => listen().await?,
    };
    let banner = Banner {
        settings: &settings,
        address: listener.local_addr()?,
        first_token: app.first_token(),
        show_token: args.show_token,
    };
    if let Err(error) = banner.print() {
        // The service is what matters, not who reads its first words.
        tracing::warn!(%error, "cannot write to standard output");
    }
    serve::serve(listener, app, stop).await?;
    Ok(ExitCode::SUCCESS)
}
