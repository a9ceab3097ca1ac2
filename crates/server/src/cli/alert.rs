//! `caller-id alert`: do alerts arrive?

use std::process::ExitCode;

use anyhow::{anyhow, bail};
use caller_id_core::{Clock, SystemClock};
use clap::Subcommand;
use tokio::time::Instant;

use super::show::out;
use crate::alerts::message::Teller;
use crate::alerts::post::{Next, judge};
use crate::alerts::{Kind, Message, Receiver, deliver};
use crate::app;
use crate::config::{ConfigError, Settings};

/// How it is called.
pub const EXAMPLES: &str = "Examples:
  caller-id alert test
  caller-id alert test --kind sign_in_attack
  sudo sh -c 'cd /var/lib/caller-id && caller-id alert test'   with the settings of the package's service";

/// So much of an answer is shown.
const SHOWN_MOST: usize = 200;

/// What is done with alerts.
#[derive(Debug, Subcommand)]
pub enum AlertCommand {
    /// Post an alert that says that it is a test, signed as all are, and show what the receiver answers
    ///
    /// It is tried once. Settings are those of `caller-id serve` on this machine; the service is not asked, and need not run.
    ///
    /// Exit code: 0 when the receiver took it (2xx), 1 when it did not, 2 when a setting cannot be used or ALERT_WEBHOOK_URL
    /// is not set.
    Test(Box<TestArgs>),
}

/// What `alert test` takes.
#[derive(Debug, clap::Args)]
pub struct TestArgs {
    /// All settings.
    #[command(flatten)]
    pub settings: Settings,
    /// What the alert says it is about: pool_exhausted, pool_low, store_away, engine_away, engine_unfit, outbox_lag,
    /// outbox_aside, sign_in_attack
    #[arg(
        long,
        value_name = "KIND",
        default_value = "pool_low",
        help_heading = "Options"
    )]
    pub kind: Kind,
}

/// Runs the command; the exit codes are told in its help.
///
/// # Errors
/// A setting that cannot be used, a receiver that does not take it.
pub async fn run(command: AlertCommand) -> anyhow::Result<ExitCode> {
    let AlertCommand::Test(args) = command;
    let TestArgs { settings, kind } = *args;
    app::check(&settings)?;
    let receiver = Receiver::of(&settings.alerts, deliver::WITHIN).ok_or_else(|| {
        let expected =
            "expected where alerts are posted, like https://hooks.example.com/services/abc";
        ConfigError::new("ALERT_WEBHOOK_URL", "(not set)", expected)
    })?;
    let teller = Teller {
        node: settings.cluster.node_name(),
        origin: settings.sso.origin(),
    };
    let now = SystemClock::new().now();
    let message = Message::test(kind, &teller, now);
    let (shown, signed) = (receiver.shown(), receiver.is_signed());
    let id = message.id.clone();
    let began = Instant::now();
    let asked = tokio::task::spawn_blocking(move || receiver.ask(&message, now)).await?;
    let ms = began.elapsed().as_millis();
    let answer =
        asked.map_err(|why| anyhow!("the alert did not reach {shown} ({ms} ms): {why}"))?;
    let text = one_line(&answer.text);
    let text = if text.is_empty() {
        text
    } else {
        format!(": {text}")
    };
    match judge(&answer) {
        Next::Done => {}
        Next::Again(why, _) | Next::Never(why) => {
            bail!("{shown} did not take the alert ({ms} ms): {why}{text}");
        }
    }
    let how = if signed {
        "signed"
    } else {
        "not signed: ALERT_WEBHOOK_SECRET is not set"
    };
    out::line(&format!(
        "{shown} took the alert {id} ({}, {how}) in {ms} ms: {}{text}",
        kind.as_str(),
        answer.status
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What a receiver says, fit for a terminal.
fn one_line(text: &str) -> String {
    let plain = |it: char| if it.is_control() { ' ' } else { it };
    let text: String = text.trim().chars().take(SHOWN_MOST).map(plain).collect();
    text.trim().to_owned()
}
