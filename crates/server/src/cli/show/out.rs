//! The standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use thiserror::Error;

/// Nobody reads any more (`| head`): there is nothing left to do, and nothing wrong.
#[derive(Debug, Error)]
#[error("the standard output is closed")]
pub(in crate::cli) struct Closed;

/// Writes a line.
///
/// # Errors
/// [`Closed`]; what else keeps it from being written.
pub(in crate::cli) fn line(text: &str) -> anyhow::Result<()> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    bytes(format!("{text}\n").as_bytes())
}

/// Writes bytes as they are.
///
/// # Errors
/// As [`line`].
pub(in crate::cli) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Closed.into()),
        written => written.context("cannot write to the standard output"),
    }
}
