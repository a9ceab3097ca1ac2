//! The standard output.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use thiserror::Error;

/// Nobody reads any more (`| head`): there is nothing left to do, and nothing wrong.
#[derive(Debug, Error)]
#[error("the standard output is closed")]
struct Closed;

/// Whether an error says no more than that nobody reads.
pub(in crate::cli) fn is_closed(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let written = cause.downcast_ref::<io::Error>();
        let inner = written.and_then(io::Error::get_ref);
        cause.is::<Closed>() || inner.is_some_and(|inner| inner.is::<Closed>())
    })
}

/// The standard output for what writes much: its errors tell whether nobody reads any more.
#[derive(Debug)]
pub(in crate::cli) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().lock().write(bytes).map_err(closed)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().lock().flush().map_err(closed)
    }
}

fn closed(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::BrokenPipe => io::Error::new(ErrorKind::BrokenPipe, Closed),
        _ => error,
    }
}

/// Writes a line.
///
/// # Errors
/// [`Closed`]; what else keeps it from being written.
pub(in crate::cli) fn line(text: &str) -> anyhow::Result<()> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    bytes(format!("{text}\n").as_bytes())
}

/// Writes a line for whoever reads it: where nobody does, the exit code alone tells.
///
/// # Errors
/// What else keeps it from being written.
pub(in crate::cli) fn line_if_read(text: &str) -> anyhow::Result<()> {
    match line(text) {
        Err(error) if is_closed(&error) => Ok(()),
        written => written,
    }
}

/// Writes bytes as they are.
///
/// # Errors
/// As [`line`].
pub(in crate::cli) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
    let written = Stdout.write_all(bytes).and_then(|()| Stdout.flush());
    written.context("cannot write to the standard output")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_nobody_reads_is_told_from_other_faults_whatever_is_said_around_it() {
        let error = anyhow::Error::new(closed(ErrorKind::BrokenPipe.into()));
        assert!(is_closed(&error.context("cannot write")));
        assert!(is_closed(&Closed.into()));
        // A server that goes away in the middle of an answer is another thing.
        assert!(!is_closed(&io::Error::from(ErrorKind::BrokenPipe).into()));
        assert!(!is_closed(&closed(ErrorKind::StorageFull.into()).into()));
    }
}
