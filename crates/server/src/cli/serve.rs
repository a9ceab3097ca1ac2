//! `caller-id serve`.

use std::io::{IsTerminal, Write, stdout};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use caller_id_core::SystemClock;
use tokio::net::TcpListener;

use crate::app::{self, App};
use crate::auth::first_token::FirstToken;
use crate::config::Settings;
use crate::{serve, telemetry};

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
    if settings.cluster.standby {
        // Whoever calls while it stands by is refused, and asks another node.
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

/// What the person who started the service wants to know.
struct Banner<'a> {
    settings: &'a Settings,
    address: SocketAddr,
    first_token: Option<&'a FirstToken>,
    show_token: bool,
}

impl Banner<'_> {
    fn print(&self) -> std::io::Result<()> {
        let mut lines = Vec::new();
        let url = format!("http://{}", self.address);
        let legacy = &self.settings.legacy;
        lines.push(format!(
            "{} {} ({}) listens on {url}",
            legacy.app_name,
            env!("CARGO_PKG_VERSION"),
            legacy.environment
        ));
        if let Ok(database) = self.settings.storage.database_shown() {
            lines.push(format!("Database: {database}"));
        }
        lines.extend(self.token_lines());
        if self.show_token || stdout().is_terminal() {
            lines.push("Try it:".to_owned());
            lines.push(format!(
                "  curl '{url}/next-cid?to=13125550123&campaign=DEMO&agent=1001'"
            ));
        }
        let mut out = stdout().lock();
        for line in lines {
            writeln!(out, "{line}")?;
        }
        out.flush()
    }

    fn token_lines(&self) -> Vec<String> {
        let configured = self.settings.access.admin_token.as_ref();
        let token = self.first_token.map(|first| &first.token).or(configured);
        let new = self.first_token.is_some_and(|first| first.new);
        let mut lines = Vec::new();
        match token {
            Some(token) if new || self.show_token => {
                lines.push(format!("Admin token: {}", token.reveal()));
            }
            _ => {}
        }
        match self.first_token {
            Some(first) => lines.push(format!(
                "The admin token is kept in {}",
                first.path.display()
            )),
            None => lines.push("The admin token is the one of the settings".to_owned()),
        }
        lines
    }
}
