//! How the services of these tests are set up.

use std::ffi::OsString;
use std::sync::Arc;

use caller_id::app::App;
use caller_id::cli::{Command, parse};
use caller_id::config::Settings;
use caller_id::config::source::Environment;
use caller_id_core::SystemClock;
use tempfile::TempDir;

/// The admin token of every service here.
pub(crate) const TOKEN: &str = "a-token-for-tests-0123456789abcdef";

pub(crate) fn settings(folder: &TempDir, flags: &[&str]) -> Settings {
    let data_dir = format!("--data-dir={}", folder.path().display());
    let token = format!("--admin-token={TOKEN}");
    let words = ["caller-id", "serve", &data_dir, &token];
    let words = words.iter().chain(flags).map(OsString::from).collect();
    match parse(words, &Environment::default()).unwrap().cli.command {
        Command::Serve(args) => args.settings,
        other => panic!("serve expected, got {other:?}"),
    }
}

pub(crate) async fn open(folder: &TempDir, flags: &[&str]) -> App {
    App::open(&settings(folder, flags), Arc::new(SystemClock::new()))
        .await
        .unwrap()
}
